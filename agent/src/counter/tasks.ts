import type { Hono } from 'hono'
import { openNameStops } from '../register/name-stop.ts'
import { stopEvents } from '../register/read.ts'
import { openSlips } from '../register/slip.ts'
import { tasksPage, type TaskRow } from './pages/tasks.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { DeskSessions } from './session.ts'
import type { CounterViews } from './views.ts'

export function taskRoutes(
  app: Hono<CounterEnv>,
  parts: CounterParts,
  sessions: DeskSessions,
  views: CounterViews,
): void {
  const { context, people } = parts
  const { db } = context.store

  app.get('/tasks', async (c) => {
    const session = c.get('session')
    const rows: TaskRow[] = []
    const named = await openNameStops(db)
    for (const task of await openSlips(db, context.env.now())) {
      const row = {
        number: task.slip.number,
        askedAt: task.slip.askedAt,
        ageHours: Math.floor(task.ageMs / 3_600_000),
        origin: task.slip.origin,
      }
      const byName = named.find((one) => one.asked.stop === task.slip.stop)
      if (byName) {
        const kana = byName.asked.kana || byName.asked.name
        rows.push({ ...row, kana, href: `/named/${task.slip.stop}/slip` })
        continue
      }
      const [asked] = await stopEvents(db, task.slip.stop)
      const person = asked ? await people.read(asked.patient) : null
      if (!asked || !person) continue
      const handle = sessions.handleOf(session, asked.patient)
      rows.push({ ...row, kana: person.kana.reveal(), href: `/patient/${handle}/slip/${task.slip.stop}` })
    }
    return c.html(tasksPage(await views.desk(session), rows, named.length))
  })
}
