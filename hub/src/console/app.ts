import { inJapanese, Refused } from '@kakehashi/protocol/refusals'
import { BASE_CSS, ENHANCE_JS, PRINT_CSS, serveAssets } from '@kakehashi/ui/assets'
import { asPage, fromOwnPage, isForm, pageHeaders, sameSecret } from '@kakehashi/ui/guard'
import { Sessions } from '@kakehashi/ui/sessions'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { activeAccount, attemptsAt } from '../accounts/store.ts'
import { ReleaseRefused } from '../release/transition.ts'
import { trouble } from './pages/room.ts'
import type { ConsoleEnv, ConsoleParts, ConsoleSession } from './parts.ts'
import { releaseRoutes } from './release.ts'
import { listRoutes } from './lists.ts'
import { readSession, signInRoutes } from './sign-in.ts'
import { stepUp } from './step-up.ts'
import { stopRoutes } from './stops.ts'
import { ticketRoutes } from './tickets.ts'
import { accountStore } from './stores.ts'

const FORM_BYTES_MAX = 16 * 1024
const IDLE_MS_MAX = 15 * 60_000
const LIMITS = { idleMs: IDLE_MS_MAX, totalMs: 12 * 3_600_000, most: 200 }

/** The operator's console, in the core zone. Roles are read anew for every request: a change works at once. */
export function consoleApp(parts: ConsoleParts): Hono<ConsoleEnv> {
  const app = new Hono<ConsoleEnv>()
  const attempts = attemptsAt(accountStore(parts), parts.vault.keys)
  const sessions = new Sessions<ConsoleSession>(parts.env, LIMITS)
  const refuse = (c: Context, title: string, text: string, status: 403 | 404 | 409 | 413 | 415 | 500) =>
    c.html(trouble(parts.operatorName, title, text), status)

  app.use(pageHeaders({ script: true, https: parts.https }))
  serveAssets(app, [BASE_CSS, PRINT_CSS, ENHANCE_JS])
  const refused = (c: Context, status: 403 | 413 | 415) =>
    refuse(c, SHARED_WORDS.refusedTitle, SHARED_WORDS.refusedForm, status)
  app.use(bodyLimit({ maxSize: FORM_BYTES_MAX, onError: (c) => refused(c, 413) }))
  app.use(async (c, next) => {
    if (!asPage(c.req.raw)) return refused(c, 403)
    if (c.req.method !== 'POST') return next()
    if (!isForm(c.req.raw)) return refused(c, 415)
    if (fromOwnPage(c.req.raw, 'refuse')) return next()
    parts.log('console.foreign-form')
    return refused(c, 403)
  })
  signInRoutes(app, parts, sessions, attempts)
  app.use(async (c, next) => {
    const session = readSession(c, parts, sessions)
    const account = session ? await activeAccount(accountStore(parts).db, session.account) : null
    if (!session || !account) {
      if (session) sessions.end(session)
      return c.redirect(c.req.header('cookie') ? '/sign-in?why=locked' : '/sign-in', 303)
    }
    if (c.req.method === 'POST') {
      const form = await c.req.parseBody()
      if (!sameSecret(String(form['csrf'] ?? ''), session.csrf)) return refused(c, 403)
    }
    c.set('session', session)
    c.set('stepUp', (form) => stepUp(parts, attempts, account.account, form))
    c.set('account', { account: account.account, name: account.name, roles: account.roles })
    c.header('refresh', `${IDLE_MS_MAX / 1000 + 1}; url=/sign-in?why=locked`)
    return next()
  })
  listRoutes(app, parts)
  releaseRoutes(app, parts)
  stopRoutes(app, parts)
  ticketRoutes(app, parts)

  app.notFound((c) => refuse(c, SHARED_WORDS.notFoundTitle, SHARED_WORDS.notFoundText, 404))
  app.onError((error, c) => {
    if (!(error instanceof Refused)) {
      parts.log('console.failed')
      return refuse(c, SHARED_WORDS.brokenTitle, SHARED_WORDS.brokenText, 500)
    }
    const { code } = error.refusal
    parts.log('console.refused', { code })
    const said = error instanceof ReleaseRefused ? error.japanese : inJapanese(code)
    return refuse(c, SHARED_WORDS.refusedTitle, said, code === 'NOT_ALLOWED' ? 403 : 409)
  })
  return app
}
