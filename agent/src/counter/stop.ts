import type { StopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { timeOfDay } from '@kakehashi/ui/dates'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Context, Hono } from 'hono'
import { facilityStateOf, patientStateOf } from '../register/read.ts'
import { namesOthers } from '../register/stop-lifted.ts'
import { chartsAlike } from './charts.ts'
import { mayUndo } from '../register/rules.ts'
import { mayAskFor, readAnswers } from './answers.ts'
import type { Answers } from './pages/asking.ts'
import type { PersonView } from './pages/search.ts'
import { stopPage, stoppedPage } from './pages/stop.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import { stopsInForce } from './rules.ts'
import type { Session } from './session.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

export function stopRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  askRoutes(app, parts, views)
  laterRoutes(app, parts)
}

function askRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { context } = parts

  const pageOf = async (session: Session, person: PersonView, answers: Answers, errors: FieldError[]) => {
    const facility = await facilityStateOf(context.store.db, context.facility)
    const tracks = [...new Set(facility?.templates.map((one) => one.track))]
    return stopPage(await views.desk(session), { person, answers, tracks, errors })
  }

  app.get('/patient/:handle/stop', async (c) => {
    const session = c.get('session')
    const person = views.person(session, c.get('person'))
    const child = person.age !== null && person.age < context.rulesAt(context.env.now()).ownNoticeAge
    const who = person.deceasedOn ? 'family' : child ? null : 'person'
    const answers = { who, how: 'card', relation: '', scope: 'all', places: 'this', erasure: 'no' }
    return c.html(await pageOf(session, person, answers, []))
  })

  app.post('/patient/:handle/stop', async (c) => {
    const session = c.get('session')
    const person = views.person(session, c.get('person'))
    const { answers, asked, errors } = readAnswers(await c.req.parseBody())
    if (!asked) return c.html(await pageOf(session, person, answers, errors), 422)
    const { stop } = await parts.register.recordStop({
      ...asked,
      patient: c.get('person').patient,
      by: session.staff.id,
      standing: mayAskFor(asked.requester, person.deceasedOn !== null) ? asked.standing : 'provisional',
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
        provisional: stop.standing === 'provisional',
        elsewhere: await namesOthers(context, stop.stop),
        undoable: stop.origin === 'counter' && mayUndo(stop.askedAt, context.env.now()),
        alike: await chartsAlike(parts, views, session, c.get('person')),
      }),
    )
  })
}

/** What follows a stop that is in force. */
function laterRoutes(app: Hono<CounterEnv>, parts: CounterParts): void {
  const { context } = parts

  /** The stop of the form, if it is this patient's and in force. */
  const stopOf = async (c: Context<CounterEnv>): Promise<StopId> => {
    const { stop } = await c.req.parseBody()
    const state = await patientStateOf(context.store.db, c.get('person').patient)
    const found = stopsInForce(state).find((one) => one.stop === stop)
    if (!found) throw new Refused('NOT_FOUND', 'stop')
    return found.stop
  }

  app.post('/patient/:handle/confirm-stop', async (c) => {
    const session = c.get('session')
    const stop = await stopOf(c)
    await parts.register.confirmStop({ stop, identityCheck: 'document', by: session.staff.id })
    session.message = { kind: 'done', text: W.confirmedStop }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })

  app.post('/patient/:handle/erasure', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    await parts.register.askErasure({ patient, stop: await stopOf(c), by: session.staff.id })
    session.message = { kind: 'done', text: W.askedErasure }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })
}
