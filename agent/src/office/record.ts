import { noticeId, stopId, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { isLocalDate, startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { chartsOf as chartsNow } from '@kakehashi/protocol/rules/charts'
import type { HoldReason } from '@kakehashi/protocol/rules/state'
import { dayAndTime, dayOf } from '@kakehashi/ui/dates'
import type { Context, Hono } from 'hono'
import { oneOf } from '../counter/answers.ts'
import type { Door } from '../counter/door.ts'
import type { CounterEnv, CounterParts } from '../counter/parts.ts'
import { stopsInForce } from '../counter/rules.ts'
import type { CounterViews } from '../counter/views.ts'
import { dateTyped } from '../patients/words.ts'
import { chartsOf, eventsOf, isByName, isProtected, noticeEvent, patientStateOf } from '../register/read.ts'
import { slipsSentOut } from '../register/slip.ts'
import { recordPage, type RecordView } from './pages/record.ts'
import { RECORD as R } from './record-words.ja.ts'

const HOLDS: readonly HoldReason[] = ['identity', 'merge', 'death-review', 'capacity', 'other']
const TEXT_MAX = 100
const HALF_DAY_MS = 12 * 3_600_000

type Form = Record<string, unknown>
type RecordContext = Context<CounterEnv>

/** What the privacy officer puts right in the record of one person; what opens the gate takes a second person. */
export class RecordRoutes {
  readonly #parts: CounterParts
  readonly #views: CounterViews
  readonly #door: Door
  constructor(parts: CounterParts, views: CounterViews, door: Door) {
    this.#parts = parts
    this.#views = views
    this.#door = door
  }

  mount(app: Hono<CounterEnv>): void {
    app.get('/patient/:handle/record', async (c) => c.html(await this.#page(c)))
    app.post('/patient/:handle/record/:act', (c) => this.#act(c))
  }

  async #page(c: RecordContext) {
    const session = c.get('session')
    return recordPage(await this.#views.desk(session), await this.#view(c))
  }

  async #view(c: RecordContext): Promise<RecordView> {
    const session = c.get('session')
    const indexed = c.get('person')
    const { patient } = indexed
    const { db } = this.#parts.context.store
    const state = await patientStateOf(db, patient)
    const linked = chartsNow(patient, await eventsOf(db, await chartsOf(db, patient)))
    const charts: RecordView['charts'][number][] = []
    for (const other of [...linked.same, ...linked.doubtful]) {
      const person = other === patient ? null : await this.#parts.people.read(other)
      if (person) charts.push({ person: this.#views.person(session, person), same: linked.same.has(other) })
    }
    const provisional = []
    for (const stop of stopsInForce(state))
      if (stop.standing === 'provisional' && !(await isByName(db, stop.stop)))
        provisional.push({ stop: stop.stop, line: await this.#views.stopLine(stop) })
    const slips = await slipsSentOut(
      db,
      state.stops.map((one) => one.stop),
    )
    return {
      person: this.#views.person(session, indexed),
      notices: state.notices
        .filter((one) => one.standing !== 'void')
        .map((one) => ({
          notice: one.notice,
          line: `${dayOf(one.deliveredAt)} ${R.recipients[one.recipient]} ${R.methods[one.method]}`,
          posted: one.method === 'post',
        })),
      provisional,
      slips: slips.map(({ number, handedAt }) => ({ number, at: dayAndTime(handedAt) })),
      deceasedOn: state.deceasedOn,
      deathToReview: state.deceasedOn !== null && state.deathReviewedAt === undefined,
      guarded: await isProtected(db, patient),
      holds: state.holds.filter((one) => one !== 'merge'),
      charts,
    }
  }

  async #act(c: RecordContext): Promise<Response> {
    const session = c.get('session')
    const form: Form = await c.req.parseBody()
    const { patient } = c.get('person')
    const name = c.req.param('act') ?? ''
    const act = Object.hasOwn(ACTS, name) ? ACTS[name] : undefined
    if (!act) return c.notFound()
    const text = (name: string) =>
      String(form[name] ?? '')
        .trim()
        .slice(0, TEXT_MAX)
    const second = await this.#door.secondPerson(text('second'), text('pin'), session)
    const asked: Asked = {
      parts: this.#parts,
      patient,
      by: session.staff.id,
      second,
      text,
      other: session.handles.get(text('other')) ?? null,
    }
    try {
      session.message = { kind: 'done', text: await act(asked) }
    } catch (error) {
      const why = error instanceof Refused ? R.why[error.refusal.place ?? ''] : undefined
      if (why === undefined) throw error
      session.message = { kind: 'warning', text: why }
    }
    return c.redirect(`/patient/${c.req.param('handle')}/record`, 303)
  }
}

interface Asked {
  parts: CounterParts
  patient: PatientKey
  by: string
  /** Another member of staff who proved to be here. */
  second: string | null
  text(name: string): string
  other: PatientKey | null
}

async function ownNotice({ parts, patient, text }: Asked) {
  const notice = noticeId(text('notice'))
  const given = await noticeEvent(parts.context.store.db, notice)
  const state = await patientStateOf(parts.context.store.db, patient)
  if (!given || !state.notices.some((one) => one.notice === notice)) throw new Refused('NOT_FOUND', 'notice')
  return { notice, method: given.method }
}

function otherChart({ other, patient }: Asked): PatientKey {
  if (other === null || other === patient) throw new Refused('REQUEST_MALFORMED', 'other')
  return other
}

const secondOf = ({ second }: Asked): { approvedBy: string } => {
  if (second === null) throw new Refused('NOT_ALLOWED', 'approvedBy')
  return { approvedBy: second }
}

/** Each answers with the sentence that is shown afterwards. */
const ACTS: Readonly<Record<string, (asked: Asked) => Promise<string>>> = {
  async returned(asked) {
    const { notice, method } = await ownNotice(asked)
    if (method !== 'post') throw new Refused('NOT_ALLOWED', 'post')
    const done = await asked.parts.register.returnNotice({ notice, by: asked.by })
    return done.incident ? R.returnedIncident : R.returned
  },
  async arrived(asked) {
    const { notice } = await ownNotice(asked)
    const day = dateTyped(asked.text('day'))
    const now = asked.parts.context.env.now()
    if (day === null || day > tokyoDate(now)) throw new Refused('REQUEST_MALFORMED', 'arrivedAt')
    const done = await asked.parts.register.recordArrival({
      notice,
      // noon of the day the post names, or now when that is today
      arrivedAt: Math.min(startOfDay(day) + HALF_DAY_MS, now),
      evidence: asked.text('evidence'),
      by: asked.by,
      ...(asked.second === null ? {} : { approvedBy: asked.second }),
    })
    return done.counts ? R.arrived : R.arrivedUnapproved
  },
  async void(asked) {
    const { notice } = await ownNotice(asked)
    const reason = oneOf(['wrong-patient', 'visit-cancelled', 'other'], asked.text('reason'))
    if (!reason) throw new Refused('REQUEST_MALFORMED', 'reason')
    const done = await asked.parts.register.voidNotice({ notice, reason, by: asked.by })
    return done.incident ? R.voidedIncident : R.voided
  },
  async dismiss(asked) {
    const reason = oneOf(['not-this-person', 'impostor'], asked.text('reason'))
    if (!reason) throw new Refused('REQUEST_MALFORMED', 'reason')
    const stop = stopId(asked.text('stop'))
    const state = await patientStateOf(asked.parts.context.store.db, asked.patient)
    if (!state.stops.some((one) => one.stop === stop)) throw new Refused('NOT_FOUND', 'stop')
    await asked.parts.register.dismissStop({ stop, reason, by: asked.by, ...secondOf(asked) })
    return R.dismissed
  },
  async bounced(asked) {
    const { db } = asked.parts.context.store
    const state = await patientStateOf(db, asked.patient)
    const sent = await slipsSentOut(
      db,
      state.stops.map((one) => one.stop),
    )
    const number = asked.text('number')
    if (!sent.some((one) => one.number === number)) throw new Refused('NOT_FOUND', 'slip')
    await asked.parts.register.bounceSlip({ number, by: asked.by })
    return R.bounced
  },
  async death(asked) {
    const deceasedOn = dateTyped(asked.text('day'))
    if (!isLocalDate(deceasedOn) || deceasedOn > tokyoDate(asked.parts.context.env.now()))
      throw new Refused('REQUEST_MALFORMED', 'deceasedOn')
    await asked.parts.register.recordDeath({ patient: asked.patient, deceasedOn, by: asked.by })
    return R.deathRecorded
  },
  async alive(asked) {
    const { patient, by } = asked
    await asked.parts.register.recordDeath({ patient, deceasedOn: null, by, ...secondOf(asked) })
    return R.deathTakenBack
  },
  async protect(asked) {
    const on = asked.text('on') === 'yes'
    await asked.parts.register.setProtection({ patient: asked.patient, protected: on, by: asked.by })
    return on ? R.protected : R.unprotected
  },
  async hold(asked) {
    const reason = oneOf(HOLDS, asked.text('reason'))
    if (!reason || reason === 'merge') throw new Refused('REQUEST_MALFORMED', 'reason')
    await asked.parts.register.setHold({ patient: asked.patient, reason, by: asked.by })
    return R.held
  },
  async free(asked) {
    const reason = oneOf(HOLDS, asked.text('reason'))
    if (!reason || reason === 'merge') throw new Refused('REQUEST_MALFORMED', 'reason')
    const { patient, by } = asked
    await asked.parts.register.clearHold({ patient, reason, by, ...secondOf(asked) })
    return R.freed
  },
  async same(asked) {
    const { patient, by } = asked
    await asked.parts.register.mergeCharts({ patient, other: otherChart(asked), certain: true, by })
    return R.same
  },
  async apart(asked) {
    const { patient, by } = asked
    const pair = { patient, other: otherChart(asked), by }
    await asked.parts.register.unmergeCharts({ ...pair, ...secondOf(asked) })
    return R.apart
  },
}
