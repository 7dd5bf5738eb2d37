import { stopId, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { dayAndTime } from '@kakehashi/ui/dates'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Hono } from 'hono'
import { dateTyped } from '../patients/words.ts'
import { openNameStops, type OpenNameStop } from '../register/name-stop.ts'
import { othersNamed } from '../register/rules.ts'
import { oneOf } from './answers.ts'
import type { Door } from './door.ts'
import { PLACES, REQUESTERS } from './pages/asking.ts'
import {
  nameStopPage,
  namedPage,
  type NamedView,
  type NameStopView,
  type SettleGiven,
} from './pages/named.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { Session } from './session.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

const TEXT_MAX = 60

/** Somebody wants to stop and no chart is found: their name holds whatever chart bears it, until staff say which it is. */
export function namedRoutes(
  app: Hono<CounterEnv>,
  parts: CounterParts,
  door: Door,
  views: CounterViews,
): void {
  askByNameRoutes(app, parts, views)
  settleRoutes(app, parts, door, views)
}

type Asked = Parameters<CounterParts['register']['recordNameStop']>[0]

function readNameStop(
  form: Record<string, unknown>,
  by: string,
): { given: NameStopView['given']; asked: Asked | null; errors: FieldError[] } {
  const text = (name: string) =>
    String(form[name] ?? '')
      .trim()
      .slice(0, TEXT_MAX)
  const given = {
    kana: text('kana'),
    name: text('name'),
    born: text('born'),
    who: text('who'),
    relation: text('relation'),
    contact: text('contact'),
    places: text('places') || 'this',
    erasure: text('erasure') || 'no',
  }
  const errors: FieldError[] = []
  const requester = oneOf(REQUESTERS, given.who)
  const places = oneOf(PLACES, given.places)
  const birthDate = dateTyped(given.born)
  if (given.kana === '' && given.name === '') errors.push({ field: 'kana', text: W.namedNameMissing })
  if (given.born !== '' && birthDate === null) errors.push({ field: 'born', text: W.namedBornWrong })
  if (!requester) errors.push({ field: 'who', text: W.whoMissing })
  if (!places) errors.push({ field: 'places', text: W.stopFormWrong })
  if (!requester || errors.length > 0) return { given, asked: null, errors }
  const asked: Asked = {
    kana: given.kana,
    name: given.name,
    birthDate,
    requester,
    by,
    erasureAsked: given.erasure === 'yes',
    ...(given.relation !== '' && requester !== 'person' ? { relation: given.relation } : {}),
    ...(given.contact === '' ? {} : { contact: given.contact }),
    ...(places === 'all' ? { hospitals: places, futureHospitals: true } : {}),
  }
  return { given, asked, errors }
}

function askByNameRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  app.get('/named/new', async (c) => {
    const given = {
      ...{ kana: '', name: '', born: '', who: 'person', relation: '', contact: '' },
      ...{ places: 'this', erasure: 'no' },
    }
    return c.html(nameStopPage(await views.desk(c.get('session')), { given, errors: [] }))
  })

  app.post('/named/new', async (c) => {
    const session = c.get('session')
    const { given, asked, errors } = readNameStop(await c.req.parseBody(), session.staff.id)
    if (!asked) return c.html(nameStopPage(await views.desk(session), { given, errors }), 422)
    const { stop, candidates } = await parts.register.recordNameStop(asked)
    const more = `${W.namedInForceMore}${asked.hospitals ? W.stopElsewhere : ''}`
    session.message = { kind: 'done', text: W.namedInForce(candidates.length), more }
    return c.redirect(`/named/${stop}/slip`, 303)
  })
}

function settleRoutes(app: Hono<CounterEnv>, parts: CounterParts, door: Door, views: CounterViews): void {
  const { context, people, register, staff } = parts
  const { db } = context.store

  const viewOf = async (session: Session, { asked, candidates }: OpenNameStop): Promise<NamedView> => {
    const found = []
    for (const patient of candidates) {
      const person = await people.read(patient)
      if (person) found.push(views.person(session, person))
    }
    return {
      stop: asked.stop,
      askedAt: dayAndTime(asked.recordedAt),
      by: (await staff.read(asked.by))?.name ?? asked.by,
      kana: asked.kana,
      name: asked.name,
      birthDate: asked.birthDate,
      requester: asked.relation ? `${W.who[asked.requester]}（${asked.relation}）` : W.who[asked.requester],
      contact: asked.contact ?? null,
      elsewhere: othersNamed(asked.hospitals, context.facility) !== null,
      candidates: found,
    }
  }
  const listOf = async (session: Session, given: SettleGiven | null, errors: FieldError[]) => {
    const rows = []
    for (const one of await openNameStops(db)) rows.push(await viewOf(session, one))
    return namedPage(await views.desk(session), { rows, given, errors })
  }

  app.get('/named', async (c) => c.html(await listOf(c.get('session'), null, [])))

  app.post('/named/:stop', async (c) => {
    const session = c.get('session')
    const form = await c.req.parseBody()
    const stop = stopId(c.req.param('stop'))
    const chosen = await chosenBy(parts, session, form)
    const text = (name: string) => String(form[name] ?? '').slice(0, TEXT_MAX)
    const given = { stop, chosen: text('chosen'), number: text('number'), second: text('second') }
    const fault = (field: string, text: string) =>
      listOf(session, given, [{ field: `${field}-${stop}`, text }])
    if (chosen === 'unknown') return c.html(await fault('number', W.namedNumberUnknown), 422)
    const second = await door.secondPerson(String(form['second'] ?? ''), String(form['pin'] ?? ''), session)
    try {
      const done = await register.settleNameStop({
        stop,
        by: session.staff.id,
        outcome: chosen === null ? 'nobody' : 'found',
        identityCheck: 'document',
        ...(chosen === null ? {} : { patient: chosen }),
        elsewhere: given.chosen === 'error',
        ...(second === null ? {} : { approvedBy: second }),
      })
      session.message = { kind: 'done', text: W.namedSettled(done.stopped.length, done.freed.length) }
      return c.redirect('/named', 303)
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.place !== 'approvedBy') throw error
      return c.html(await fault('second', W.secondNeeded), 422)
    }
  })
}

/** Whose chart it is: a candidate, a number that was typed, nobody's (`null`), or a number that is nobody's. */
async function chosenBy(
  parts: CounterParts,
  session: Session,
  form: Record<string, unknown>,
): Promise<PatientKey | 'unknown' | null> {
  if (form['chosen'] === 'nobody' || form['chosen'] === 'error') return null
  if (form['chosen'] !== 'number') return session.handles.get(String(form['chosen'] ?? '')) ?? 'unknown'
  const found = await parts.people.search(String(form['number'] ?? ''), 1)
  return found.exact ? (found.people[0]?.patient ?? 'unknown') : 'unknown'
}
