import type { Attempts } from '@kakehashi/store/attempts'
import { giveSessionCookie, sessionCookie } from '@kakehashi/ui/cookie'
import type { Sessions } from '@kakehashi/ui/sessions'
import type { Context, Hono } from 'hono'
import { signIn } from '../accounts/flow.ts'
import { signInPage } from './pages/sign-in.ts'
import type { ConsoleEnv, ConsoleParts, ConsoleSession } from './parts.ts'
import { accountStore } from './stores.ts'
import { W } from './words.ja.ts'

export function signInRoutes(
  app: Hono<ConsoleEnv>,
  parts: ConsoleParts,
  sessions: Sessions<ConsoleSession>,
  attempts: Attempts,
): void {
  const page = (why: 'locked' | 'left' | null, error: string | null) =>
    signInPage(parts.operatorName, { why, error })

  app.get('/sign-in', (c) => {
    const why = c.req.query('why')
    return c.html(page(why === 'locked' || why === 'left' ? why : null, null))
  })

  app.post('/sign-in', async (c) => {
    const form = await c.req.parseBody()
    const account = String(form['account'] ?? '').trim()
    const wait = await attempts.begin(account)
    if (wait > 0) return c.html(page(null, W.signInWait(Math.ceil(wait / 1000))), 429)
    const found = await signIn(accountStore(parts), {
      account,
      passphrase: String(form['passphrase'] ?? ''),
      code: String(form['code'] ?? ''),
    })
    if (!found) return c.html(page(null, W.signInWrong), 401)
    await attempts.succeeded(account)
    const before = readSession(c, parts, sessions)
    if (before) sessions.end(before)
    const session = sessions.start({ account: found.account, message: null })
    giveSessionCookie(c, parts.https, session.id)
    return c.redirect('/', 303)
  })

  app.post('/sign-out', (c) => {
    const session = readSession(c, parts, sessions)
    if (session) sessions.end(session)
    giveSessionCookie(c, parts.https, null)
    c.header('clear-site-data', '"cache", "storage"')
    return c.redirect('/sign-in?why=left', 303)
  })
}

export function readSession(
  c: Context,
  parts: ConsoleParts,
  sessions: Sessions<ConsoleSession>,
): ConsoleSession | null {
  return sessions.read(sessionCookie(c, parts.https))
}
