import { noticeId, stopId, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { longDate } from '@kakehashi/ui/dates'
import type { Hono } from 'hono'
import { aboutPatient } from '../context.ts'
import { noticeEvent, patientStateOf } from '../register/read.ts'
import { chartsAlike } from './charts.ts'
import { askPage } from './pages/ask.ts'
import { patientPage } from './pages/patient.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { CounterViews } from './views.ts'
import { isScriptLanguage } from './script.ts'
import { W } from './words.ja.ts'

export function patientRoutes(app: Hono<CounterEnv>, parts: CounterParts, views: CounterViews): void {
  const { context, people } = parts

  app.use('/patient/:handle/*', async (c, next) => {
    const patient = c.get('session').handles.get(c.req.param('handle'))
    const person = patient ? await people.read(patient) : null
    if (!person) return c.notFound()
    c.set('person', person)
    const ask = `/patient/${c.req.param('handle')}/ask`
    if (c.get('session').unasked.has(person.patient) && c.req.path !== ask) return c.redirect(ask, 303)
    return next()
  })

  app.get('/patient/:handle/ask', async (c) => {
    const session = c.get('session')
    const { birthDate } = c.get('person')
    const born = birthDate === null ? W.birthUnknown : longDate(birthDate)
    return c.html(
      askPage(await views.desk(session), { person: views.person(session, c.get('person')), born }),
    )
  })

  app.post('/patient/:handle/ask', (c) => {
    c.get('session').unasked.delete(c.get('person').patient)
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })

  app.get('/patient/:handle', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    if (!session.opened.has(patient)) {
      session.opened.add(patient)
      const about = aboutPatient(context, patient)
      await context.store.transact({ act: 'patient.opened', actor: session.staff.id, about }, async () => {})
    }
    const person = c.get('person')
    const alike = await chartsAlike(parts, views, session, person)
    const asked = c.req.query('lang')
    const language = isScriptLanguage(asked) ? asked : 'ja'
    const view = { ...(await views.patient(session, person)), alike, language }
    return c.html(patientPage(await views.desk(session), view))
  })

  app.post('/patient/:handle/undo', async (c) => {
    const session = c.get('session')
    const form = await c.req.parseBody()
    const asked = { kind: form['kind'], id: String(form['id'] ?? ''), by: session.staff.id }
    try {
      await undo(parts, c.get('person').patient, asked)
      session.message = { kind: 'done', text: W.undone, more: W.undoneMore }
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code !== 'NOT_ALLOWED') throw error
      session.message = { kind: 'warning', text: W.undoTooLate }
    }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })
}

async function undo(
  parts: CounterParts,
  patient: PatientKey,
  asked: { kind: unknown; id: string; by: string },
): Promise<void> {
  const { by } = asked
  const { context } = parts
  if (asked.kind === 'stop') {
    const stop = stopId(asked.id)
    const state = await patientStateOf(context.store.db, patient)
    if (!state.stops.some((one) => one.stop === stop)) throw new Refused('NOT_FOUND', 'stop')
    await parts.register.undoStop({ stop, by })
  } else {
    const notice = noticeId(asked.id)
    const given = await noticeEvent(context.store.db, notice)
    if (given?.patient !== patient) throw new Refused('NOT_FOUND', 'notice')
    await parts.register.voidNotice({ notice, by, reason: 'undone' })
  }
}
