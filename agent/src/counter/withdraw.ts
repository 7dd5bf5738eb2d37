import { Refused } from '@kakehashi/protocol/refusals'
import type { StopFact } from '@kakehashi/protocol/rules/state'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Hono } from 'hono'
import type { IndexedPatient } from '../patients/store.ts'
import { dateTyped } from '../patients/words.ts'
import { patientStateOf } from '../register/read.ts'
import { namesOthers } from '../register/stop-lifted.ts'
import { oneOf } from './answers.ts'
import {
  WITHDRAWAL_CHECKS,
  WITHDRAWERS,
  WITHDRAWN_PLACES,
  withdrawPage,
  type WithdrawView,
} from './pages/withdraw.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import { stopsInForce } from './rules.ts'
import type { Session } from './session.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

const UNANSWERED: WithdrawView['given'] = { who: '', how: '', born: '', places: '', explained: '' }
const TEXT_MAX = 20

interface Withdrawal {
  requester: 'person' | 'guardian'
  identityCheck: (typeof WITHDRAWAL_CHECKS)[number]
  /** What other hospitals were asked to stop, too. */
  elsewhere: boolean
}

/** A stop is taken generously and given back strictly: a false stop costs a row, a false withdrawal a right (LAW §2.6). */
export function withdrawRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { context } = parts

  const pageOf = async (
    session: Session,
    indexed: IndexedPatient,
    given: WithdrawView['given'],
    errors: FieldError[],
  ) => {
    const person = views.person(session, indexed)
    const stops = stopsInForce(await patientStateOf(context.store.db, indexed.patient))
    if (stops.length === 0) throw new Refused('NOT_FOUND', 'stop')
    const { ownNoticeAge } = context.rulesAt(context.env.now())
    return withdrawPage(await views.desk(session), {
      person,
      stops: await Promise.all(stops.map((one) => views.stopLine(one))),
      elsewhere: await anyElsewhere(parts, stops),
      child: person.age !== null && person.age < ownNoticeAge,
      given,
      errors,
    })
  }

  app.get('/patient/:handle/withdraw', async (c) =>
    c.html(await pageOf(c.get('session'), c.get('person'), UNANSWERED, [])),
  )

  app.post('/patient/:handle/withdraw', async (c) => {
    const session = c.get('session')
    const indexed = c.get('person')
    const stops = stopsInForce(await patientStateOf(context.store.db, indexed.patient))
    if (stops.length === 0) throw new Refused('NOT_FOUND', 'stop')
    const form = await c.req.parseBody()
    const { said, given, errors } = readWithdrawal(form, indexed, await anyElsewhere(parts, stops))
    if (!said) return c.html(await pageOf(session, indexed, given, errors), 422)
    const done = await withdrawAll(parts, stops, said, session.staff.id)
    if (done === 0) {
      const mine = [{ field: 'who', text: W.withdrawNotTheirs }]
      return c.html(await pageOf(session, indexed, given, mine), 422)
    }
    session.message =
      done === stops.length
        ? { kind: 'done', text: W.withdrawn, more: said.elsewhere ? W.withdrawnElsewhere : W.withdrawnMore }
        : { kind: 'warning', text: W.withdrawnSome(done, stops.length - done) }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })
}

async function anyElsewhere(parts: CounterParts, stops: readonly StopFact[]): Promise<boolean> {
  for (const { stop } of stops) if (await namesOthers(parts.context, stop)) return true
  return false
}

/** How many were withdrawn; a stop that somebody else asked for stays. */
async function withdrawAll(
  parts: CounterParts,
  stops: readonly StopFact[],
  { elsewhere, ...said }: Withdrawal,
  by: string,
): Promise<number> {
  let done = 0
  for (const { stop } of stops) {
    try {
      const others = elsewhere && (await namesOthers(parts.context, stop))
      await parts.register.withdrawStop({ stop, by, ...said, ...(others ? { elsewhere: true } : {}) })
      done += 1
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code !== 'NOT_ALLOWED') throw error
    }
  }
  return done
}

function readWithdrawal(
  form: Record<string, unknown>,
  person: IndexedPatient,
  asksPlaces: boolean,
): { said: Withdrawal | null; given: WithdrawView['given']; errors: FieldError[] } {
  const errors: FieldError[] = []
  const who = oneOf(WITHDRAWERS, form['who'])
  const requester = who === 'other' ? null : who
  if (person.deceasedOn) errors.push({ field: 'who', text: W.withdrawDeceased })
  else if (!requester)
    errors.push({ field: 'who', text: who === 'other' ? W.withdrawOtherRefused : W.withdrawChoose })
  const identityCheck = oneOf(WITHDRAWAL_CHECKS, form['how'])
  if (!identityCheck) errors.push({ field: 'how', text: W.identityNeeded })
  const born = dateTyped(String(form['born'] ?? ''))
  if (person.birthDate !== null && born !== person.birthDate)
    errors.push({ field: 'born', text: born === null ? W.withdrawBornMissing : W.withdrawBornWrong })
  const places = asksPlaces ? oneOf(WITHDRAWN_PLACES, form['places']) : 'keep'
  if (!places) errors.push({ field: 'places', text: W.withdrawPlacesChoose })
  if (form['explained'] !== 'yes') errors.push({ field: 'explained', text: W.withdrawExplainedMissing })
  const said =
    errors.length === 0 && requester && identityCheck
      ? { requester, identityCheck, elsewhere: places === 'also' }
      : null
  const text = (name: string) => String(form[name] ?? '').slice(0, TEXT_MAX)
  const given = {
    who: text('who'),
    how: text('how'),
    born: text('born'),
    places: text('places'),
    explained: text('explained'),
  }
  return { said, given, errors }
}
