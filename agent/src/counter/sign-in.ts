import { NOBODYS_SECRET, secretMatches } from '@kakehashi/protocol/secret-hash'
import { giveSessionCookie, sessionCookie } from '@kakehashi/ui/cookie'
import { SignInThrottle } from '@kakehashi/ui/throttle'
import type { Context, Hono } from 'hono'
import { signInPage } from './pages/sign-in.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { Session, DeskSessions } from './session.ts'
import { W } from './words.ja.ts'

export function sessionOf(c: Context, parts: CounterParts, sessions: DeskSessions): Session | null {
  return sessions.read(sessionCookie(c, parts.settings.https))
}

async function leaf(parts: CounterParts, act: string, actor: string): Promise<void> {
  await parts.context.store.transact({ act, actor }, async () => {})
}

export function signInRoutes(app: Hono<CounterEnv>, parts: CounterParts, sessions: DeskSessions): void {
  const { settings, context } = parts
  const throttle = new SignInThrottle()
  const page = (why: 'locked' | 'left' | null, error: string | null) =>
    signInPage({ facilityName: settings.facilityName, why, error })

  app.get('/sign-in', (c) => {
    const why = c.req.query('why')
    return c.html(page(why === 'locked' || why === 'left' ? why : null, null))
  })

  app.post('/sign-in', async (c) => {
    const form = await c.req.parseBody()
    const id = String(form['staff'] ?? '')
      .normalize('NFKC')
      .trim()
    const now = context.env.now()
    const wait = throttle.waitMs(id, now)
    if (wait > 0) return c.html(page(null, W.signInWait(Math.ceil(wait / 1000))), 429)
    const member = settings.staff.find((one) => one.id === id)
    const matches = await secretMatches(String(form['pin'] ?? ''), member?.pin ?? NOBODYS_SECRET)
    if (!member || !matches) {
      throttle.failed(id, now)
      await leaf(parts, 'staff.refused', 'counter')
      return c.html(page(null, W.signInWrong), 401)
    }
    throttle.succeeded(id)
    const before = sessionOf(c, parts, sessions)
    if (before) sessions.end(before)
    await leaf(parts, 'staff.signed-in', member.id)
    giveSessionCookie(c, settings.https, sessions.open(member).id)
    return c.redirect('/', 303)
  })

  app.post('/sign-out', async (c) => {
    const session = sessionOf(c, parts, sessions)
    if (session) {
      sessions.end(session)
      await leaf(parts, 'staff.signed-out', session.staff.id)
    }
    giveSessionCookie(c, settings.https, null)
    c.header('clear-site-data', '"cache", "storage"')
    return c.redirect('/sign-in?why=left', 303)
  })
}
