import { Refused, inJapanese } from '@kakehashi/protocol/refusals'
import { BASE_CSS, ENHANCE_JS, PRINT_CSS, SHEET_CSS, serveAssets } from '@kakehashi/ui/assets'
import { asPage, fromOwnPage, isForm, pageHeaders } from '@kakehashi/ui/guard'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { BackdateRoutes } from '../office/backdates.ts'
import { RecordRoutes } from '../office/record.ts'
import { OfficeRoutes } from '../office/routes.ts'
import { SourceRoutes } from '../office/source-routes.ts'
import { PaperRoutes } from '../papers/routes.ts'
import { isDiskFull } from '../store/disk-full.ts'
import { troublePage } from './pages/trouble.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import { chartRoutes } from './charts.ts'
import { Door } from './door.ts'
import { guard, type Refusing } from './guard.ts'
import { namedRoutes } from './named.ts'
import { noticeRoutes, paperRoutes } from './notice.ts'
import { patientRoutes } from './patient.ts'
import { pinRoutes } from './pin.ts'
import { searchRoutes } from './search.ts'
import { DeskSessions } from './session.ts'
import { signInRoutes } from './sign-in.ts'
import { slipRoutes } from './slip.ts'
import { stopRoutes } from './stop.ts'
import { taskRoutes } from './tasks.ts'
import { todayRoutes } from './today.ts'
import { CounterViews } from './views.ts'
import { withdrawRoutes } from './withdraw.ts'

const FORM_BYTES_MAX = 16 * 1024

/** The front desk of one hospital. Every page needs a signed-in member of staff; every change a form of this session. */
export function counterApp(parts: CounterParts): Hono<CounterEnv> {
  const app = new Hono<CounterEnv>()
  const sessions = new DeskSessions(parts.context.env)
  const door = new Door(parts, sessions)
  const views = new CounterViews(parts, sessions)
  const { facilityName, https } = parts.settings

  app.use(pageHeaders({ script: true, https }))
  serveAssets(app, [BASE_CSS, PRINT_CSS, SHEET_CSS, ENHANCE_JS])
  const refused: Refusing = (c, status) =>
    c.html(troublePage(facilityName, SHARED_WORDS.refusedTitle, SHARED_WORDS.refusedForm), status)
  app.use(bodyLimit({ maxSize: FORM_BYTES_MAX, onError: (c) => refused(c, 413) }))
  app.use(async (c, next) => {
    if (!asPage(c.req.raw)) return refused(c, 403)
    if (c.req.method !== 'POST') return next()
    if (!isForm(c.req.raw)) return refused(c, 415)
    if (fromOwnPage(c.req.raw, 'refuse')) return next()
    parts.context.log('counter.foreign-form')
    return refused(c, 403)
  })
  app.use(guard(parts, door, refused))
  signInRoutes(app, parts, door)
  pinRoutes(app, parts, door)
  searchRoutes(app, parts, door, views)
  patientRoutes(app, parts, views)
  chartRoutes(app, parts)
  noticeRoutes(app, parts, sessions)
  paperRoutes(app, parts, views)
  stopRoutes(app, parts, views)
  withdrawRoutes(app, parts, views)
  namedRoutes(app, parts, door, views)
  slipRoutes(app, parts, views)
  taskRoutes(app, parts, sessions, views)
  todayRoutes(app, parts, sessions, views)
  new PaperRoutes(parts, views).mount(app)
  new OfficeRoutes(parts, views).mount(app)
  new BackdateRoutes(parts, views).mount(app)
  new RecordRoutes(parts, views, door).mount(app)
  new SourceRoutes(parts, views).mount(app)

  app.notFound((c) =>
    c.html(troublePage(facilityName, SHARED_WORDS.notFoundTitle, SHARED_WORDS.notFoundText), 404),
  )
  app.onError((error, c) => {
    const code = isDiskFull(error) ? 'DISK_FULL' : error instanceof Refused ? error.refusal.code : null
    if (code) {
      parts.context.log('counter.refused', { code })
      const said = code === 'DISK_FULL' ? inJapanese(code) + SHARED_WORDS.brokenText : inJapanese(code)
      const page = troublePage(facilityName, SHARED_WORDS.refusedTitle, said)
      return c.html(page, code === 'NOT_FOUND' ? 404 : code === 'DISK_FULL' ? 503 : 409)
    }
    parts.context.log('counter.failed')
    return c.html(troublePage(facilityName, SHARED_WORDS.brokenTitle, SHARED_WORDS.brokenText), 500)
  })
  return app
}
