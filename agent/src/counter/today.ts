import type { Hono } from 'hono'
import { dayRows, DAY_ROWS_MAX } from './day.ts'
import { todayPage } from './pages/today.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { DeskSessions } from './session.ts'
import type { CounterViews } from './views.ts'

/** Everything this counter did today, and who did it. */
export function todayRoutes(
  app: Hono<CounterEnv>,
  parts: CounterParts,
  sessions: DeskSessions,
  views: CounterViews,
): void {
  app.get('/today', async (c) => {
    const session = c.get('session')
    const rows = await dayRows(parts, sessions, session, DAY_ROWS_MAX)
    return c.html(todayPage(await views.desk(session), rows, rows.length === DAY_ROWS_MAX))
  })
}
