import { stopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { timeOfDay } from '@kakehashi/ui/dates'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Hono } from 'hono'
import { patientStateOf } from '../register/read.ts'
import { chartsAlike } from './charts.ts'
import { mayUndo } from '../register/rules.ts'
import { CHECKS, REQUESTERS, stopPage, stoppedPage } from './pages/stop.ts'
import { withdrawPage } from './pages/withdraw.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import { stopsInForce } from './rules.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

const RELATION_MAX = 40

function oneOf<T extends string>(values: readonly T[], given: unknown): T | null {
  return values.find((value) => value === given) ?? null
}

export function stopRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  askRoutes(app, parts, views)
  withdrawRoutes(app, parts, views)
}

function askRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { context } = parts

  app.get('/patient/:handle/stop', async (c) => {
    const session = c.get('session')
    const person = views.person(session, c.get('person'))
    const requester = person.deceasedOn ? 'family' : 'person'
    return c.html(stopPage(await views.desk(session), { person, requester, errors: [] }))
  })

  app.post('/patient/:handle/stop', async (c) => {
    const session = c.get('session')
    const person = views.person(session, c.get('person'))
    const form = await c.req.parseBody()
    const requester = oneOf(REQUESTERS, form['who'])
    const identityCheck = oneOf(CHECKS, form['how'])
    // Left unanswered it is no: a stop never waits for this question.
    const erasure = oneOf(['yes', 'no'], form['erasure'] ?? 'no')
    const errors: FieldError[] = []
    if (!requester) errors.push({ field: 'who', text: W.stopFormWrong })
    if (!identityCheck) errors.push({ field: 'how', text: W.stopFormWrong })
    if (!erasure) errors.push({ field: 'erasure', text: W.stopFormWrong })
    if (!requester || !identityCheck || !erasure)
      return c.html(
        stopPage(await views.desk(session), { person, requester: requester ?? 'person', errors }),
        422,
      )
    const relation = String(form['relation'] ?? '')
      .trim()
      .slice(0, RELATION_MAX)
    const { stop } = await parts.register.recordStop({
      patient: c.get('person').patient,
      by: session.staff.id,
      requester,
      identityCheck,
      standing: identityCheck === 'none' ? 'provisional' : 'confirmed',
      erasureAsked: erasure === 'yes',
      ...(relation && requester !== 'person' ? { relation } : {}),
    })
    return c.redirect(`/patient/${person.handle}/stopped/${stop}`, 303)
  })

  app.get('/patient/:handle/stopped/:stop', async (c) => {
    const session = c.get('session')
    const person = views.person(session, c.get('person'))
    const state = await patientStateOf(context.store.db, c.get('person').patient)
    const stop = stopsInForce(state).find((one) => one.stop === c.req.param('stop'))
    if (!stop) return c.notFound()
    return c.html(
      stoppedPage(await views.desk(session), {
        person,
        stop: stop.stop,
        askedAt: timeOfDay(stop.askedAt),
        undoable: stop.origin === 'counter' && mayUndo(stop.askedAt, context.env.now()),
        alike: await chartsAlike(parts, views, session, c.get('person')),
      }),
    )
  })
}

function withdrawRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { context } = parts

  app.get('/patient/:handle/withdraw', async (c) => {
    const session = c.get('session')
    const state = await patientStateOf(context.store.db, c.get('person').patient)
    const stops = stopsInForce(state).map((one) => views.stopLine(one))
    if (stops.length === 0) return c.notFound()
    const person = views.person(session, c.get('person'))
    return c.html(withdrawPage(await views.desk(session), { person, stops, errors: [] }))
  })

  app.post('/patient/:handle/withdraw', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    const person = views.person(session, c.get('person'))
    const form = await c.req.parseBody()
    const stops = stopsInForce(await patientStateOf(context.store.db, patient))
    const errors: FieldError[] = []
    const who = oneOf(['person', 'other'], form['who'])
    if (who !== 'person') errors.push({ field: 'who', text: who ? W.withdrawOtherRefused : W.withdrawChoose })
    if (!oneOf(['card', 'document', 'known'], form['how']))
      errors.push({ field: 'how', text: W.identityNeeded })
    if (stops.length === 0) throw new Refused('NOT_FOUND', 'stop')
    if (errors.length > 0) {
      const lines = stops.map((one) => views.stopLine(one))
      return c.html(withdrawPage(await views.desk(session), { person, stops: lines, errors }), 422)
    }
    for (const { stop } of stops)
      await parts.register.withdrawStop({ stop: stopId(stop), by: session.staff.id, requester: 'person' })
    session.message = { kind: 'done', text: W.withdrawn, more: W.withdrawnMore }
    return c.redirect(`/patient/${person.handle}`, 303)
  })
}
