import { NOBODYS_SECRET, secretMatches } from '@kakehashi/protocol/secret-hash'
import { giveSessionCookie, sessionCookie } from '@kakehashi/ui/cookie'
import { SignInThrottle } from '@kakehashi/ui/throttle'
import type { Context, Hono } from 'hono'
import { badgeSuffices, badgeText, BADGE_CHARACTERS_MIN } from '../staff/rules.ts'
import type { StaffMember } from '../staff/store.ts'
import { signInPage, type SignInView } from './pages/sign-in.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { DeskSessions, Session } from './session.ts'
import { W } from './words.ja.ts'

/** Whoever was disabled, given another role or another PIN since the session began has none any more. */
export async function sessionOf(
  c: Context,
  parts: CounterParts,
  sessions: DeskSessions,
): Promise<Session | null> {
  const session = sessions.read(sessionCookie(c, parts.settings.https))
  if (!session) return null
  const now = await parts.staff.read(session.staff.id)
  if (now && !now.disabled && now.version === session.staff.version) return session
  sessions.end(session)
  return null
}

async function leaf(parts: CounterParts, act: string, actor: string): Promise<void> {
  await parts.context.store.transact({ act, actor }, async () => {})
}

/** Ends whatever session the browser had and begins a new one. */
export async function beginSession(
  c: Context,
  parts: CounterParts,
  sessions: DeskSessions,
  member: StaffMember,
  by: 'pin' | 'badge',
): Promise<Session> {
  const before = sessions.read(sessionCookie(c, parts.settings.https))
  if (before) {
    sessions.end(before)
    await leaf(parts, 'staff.signed-out', before.staff.id)
  }
  await parts.context.store.transact(
    { act: 'staff.signed-in', actor: member.id, detail: { by } },
    async () => {},
  )
  const session = sessions.open(member, by)
  giveSessionCookie(c, parts.settings.https, session.id)
  return session
}

/** Badges have no name to slow down: all of them together are one. */
const ANY_BADGE = '\0badge'

/** Whom a badge alone lets in: nobody whose role needs a PIN, and nobody who was disabled. */
export async function letInByBadge(parts: CounterParts, scanned: string): Promise<StaffMember | null> {
  const member = await parts.staff.byBadge(scanned)
  return member && !member.disabled && badgeSuffices(member.role) ? member : null
}

export function signInRoutes(app: Hono<CounterEnv>, parts: CounterParts, sessions: DeskSessions): void {
  const { settings, context } = parts
  const throttle = new SignInThrottle()
  const page = (view: Partial<SignInView>) =>
    signInPage({
      facilityName: settings.facilityName,
      why: null,
      error: null,
      staff: '',
      pinNext: false,
      ...view,
    })

  app.get('/sign-in', (c) => {
    const why = c.req.query('why')
    return c.html(page({ why: why === 'locked' || why === 'left' ? why : null }))
  })

  app.post('/sign-in', async (c) => {
    const form = await c.req.parseBody()
    const typed = badgeText(String(form['staff'] ?? ''))
    const pin = String(form['pin'] ?? '')
    const now = context.env.now()
    const name = pin === '' && typed.length >= BADGE_CHARACTERS_MIN ? ANY_BADGE : typed
    const wait = throttle.waitMs(name, now)
    if (wait > 0)
      return c.html(page({ error: { field: 'staff', text: W.signInWait(Math.ceil(wait / 1000)) } }), 429)
    const failed = async () => {
      throttle.failed(name, now)
      await leaf(parts, 'staff.refused', 'counter')
    }
    if (pin === '') {
      const member = await letInByBadge(parts, typed)
      if (member) {
        throttle.succeeded(name)
        await beginSession(c, parts, sessions, member, 'badge')
        return c.redirect('/', 303)
      }
      const known = (await parts.staff.byBadge(typed)) ?? (await parts.staff.read(typed))
      if (name === ANY_BADGE && !known) await failed()
      // The same answer for a known and an unknown name, and for a badge that needs its PIN.
      return c.html(page({ staff: typed, pinNext: true }), 401)
    }
    const member = (await parts.staff.read(typed)) ?? (await parts.staff.byBadge(typed))
    const matches = await secretMatches(pin, member?.pin || NOBODYS_SECRET)
    const late = member?.pinUntil != null && member.pinUntil <= now
    if (!member || member.disabled || late || !matches) {
      await failed()
      return c.html(page({ error: { field: 'staff', text: W.signInWrong } }), 401)
    }
    throttle.succeeded(name)
    await beginSession(c, parts, sessions, member, 'pin')
    return c.redirect('/', 303)
  })

  app.post('/sign-out', async (c) => {
    const session = await sessionOf(c, parts, sessions)
    if (session) {
      sessions.end(session)
      await leaf(parts, 'staff.signed-out', session.staff.id)
    }
    giveSessionCookie(c, settings.https, null)
    c.header('clear-site-data', '"cache", "storage"')
    return c.redirect('/sign-in?why=left', 303)
  })
}
