import { Refused } from '@kakehashi/protocol/refusals'
import type { Hono } from 'hono'
import { chartsLike } from '../patients/search.ts'
import { chartsOf } from '../register/read.ts'
import type { IndexedPatient } from '../patients/store.ts'
import type { PersonView } from './pages/search.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { Session } from './session.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

/** Charts that look like this person's and about which nobody has said anything yet. */
export async function chartsAlike(
  parts: CounterParts,
  views: CounterViews,
  session: Session,
  person: IndexedPatient,
): Promise<PersonView[]> {
  const { db } = parts.context.store
  const known = await chartsOf(db, person.patient)
  const alike = await chartsLike(db, person.patient)
  return alike.filter((one) => !known.includes(one.patient)).map((one) => views.person(session, one))
}

/** Two charts of one person: a stop on one holds for both; in doubt the other chart is held (LAW trap 27). */
export function chartRoutes(app: Hono<CounterEnv>, parts: CounterParts): void {
  app.post('/patient/:handle/same', async (c) => {
    const session = c.get('session')
    const { patient } = c.get('person')
    const form = await c.req.parseBody()
    const other = session.handles.get(String(form['other'] ?? ''))
    const { answer } = form
    if (!other || other === patient || (answer !== 'same' && answer !== 'unsure'))
      throw new Refused('REQUEST_MALFORMED', 'other')
    await parts.register.mergeCharts({ patient, other, certain: answer === 'same', by: session.staff.id })
    session.message = { kind: 'done', text: answer === 'same' ? W.alikeMerged : W.alikeHeld }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })

  app.post('/patient/:handle/capacity', async (c) => {
    const session = c.get('session')
    const { capacity } = await c.req.parseBody()
    if (capacity !== 'able' && capacity !== 'unable') throw new Refused('REQUEST_MALFORMED', 'capacity')
    await parts.register.judgeCapacity({
      patient: c.get('person').patient,
      capacity,
      by: session.staff.id,
    })
    session.message = { kind: 'done', text: W.capacityRecorded }
    return c.redirect(`/patient/${c.req.param('handle')}`, 303)
  })
}
