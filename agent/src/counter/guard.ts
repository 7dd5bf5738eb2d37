import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { sameSecret } from '@kakehashi/ui/guard'
import type { Context, MiddlewareHandler } from 'hono'
import { ROLE_WORDS } from '../staff/rules.ts'
import { accessOf, mayOpen } from './access.ts'
import type { Door } from './door.ts'
import { troublePage } from './pages/trouble.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import { IDLE_MS_MAX } from './session.ts'
import { W } from './words.ja.ts'

export type Refusing = (c: Context, status: 403 | 413 | 415) => Response | Promise<Response>

/** Before every page: a line in the table, a session, a role that the line names, a form of this session. */
export function guard(parts: CounterParts, door: Door, refused: Refusing): MiddlewareHandler<CounterEnv> {
  const { facilityName } = parts.settings
  return async (c, next) => {
    const access = accessOf(c.req.method, c.req.path)
    if (access?.roles === 'anybody') return next()
    const session = await door.sessionOf(c)
    if (!session) return c.redirect(c.req.header('cookie') ? '/sign-in?why=locked' : '/sign-in', 303)
    if (!access)
      return c.html(troublePage(facilityName, SHARED_WORDS.notFoundTitle, SHARED_WORDS.notFoundText), 404)
    if (!mayOpen(access, session.staff.role)) {
      await door.leaf('staff.denied', session.staff.id, { route: `${access.method} ${access.path}` })
      const said = W.roleRefused(ROLE_WORDS[session.staff.role])
      return c.html(troublePage(facilityName, W.roleRefusedTitle, said), 403)
    }
    if (c.req.method === 'POST') {
      const form = await c.req.parseBody()
      if (!sameSecret(String(form['csrf'] ?? ''), session.csrf)) return refused(c, 403)
    }
    if (session.mustChoosePin && c.req.path !== '/pin') return c.redirect('/pin', 303)
    c.set('session', session)
    // Leaves no patient on a screen nobody sits at, script or not.
    c.header('refresh', `${IDLE_MS_MAX / 1000 + 1}; url=/sign-in?why=locked`)
    return next()
  }
}
