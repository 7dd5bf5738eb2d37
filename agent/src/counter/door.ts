import { NOBODYS_SECRET, secretMatches } from '@kakehashi/protocol/secret-hash'
import { giveSessionCookie, sessionCookie } from '@kakehashi/ui/cookie'
import { SignInThrottle } from '@kakehashi/ui/throttle'
import type { Context } from 'hono'
import { badgeSuffices, badgeText, isBadge } from '../staff/rules.ts'
import type { StaffMember } from '../staff/store.ts'
import type { CounterParts } from './parts.ts'
import type { DeskSessions, Session } from './session.ts'

/** Badges have no name to slow down: all of them together are one. */
const ANY_BADGE = '\0badge'

/** Lets people in and out, and slows guessers down, wherever a badge is scanned. */
export class Door {
  readonly throttle = new SignInThrottle()
  readonly sessions: DeskSessions
  readonly #parts: CounterParts
  constructor(parts: CounterParts, sessions: DeskSessions) {
    this.#parts = parts
    this.sessions = sessions
  }

  async leaf(act: string, actor: string, detail: Record<string, string> = {}): Promise<void> {
    await this.#parts.context.store.transact({ act, actor, detail }, async () => {})
  }

  /** Whoever was disabled, given another role or another PIN since the session began has none any more. */
  async sessionOf(c: Context): Promise<Session | null> {
    const session = this.sessions.read(sessionCookie(c, this.#parts.settings.https))
    if (!session) return null
    const now = await this.#parts.staff.read(session.staff.id)
    if (now && !now.disabled && now.version === session.staff.version) return session
    this.sessions.end(session)
    return null
  }

  /** Ends whatever session the browser had and begins a new one. */
  async begin(c: Context, member: StaffMember, by: 'pin' | 'badge'): Promise<Session> {
    const { https } = this.#parts.settings
    const before = this.sessions.read(sessionCookie(c, https))
    if (before) await this.end(before)
    await this.leaf('staff.signed-in', member.id, { by })
    const session = this.sessions.open(member, by)
    giveSessionCookie(c, https, session.id)
    return session
  }

  async end(session: Session): Promise<void> {
    this.sessions.end(session)
    await this.leaf('staff.signed-out', session.staff.id)
  }

  /**
   * What a scanned text is as a badge: lets in at once, is somebody's whose PIN is needed too, or nobody's. Texts that
   * can be no badge are `nobody`'s and cost nothing; guesses slow all badges down, never a sign-in by PIN.
   */
  async badge(scanned: string): Promise<{ is: 'in' | 'pin-too'; member: StaffMember } | { is: 'nobody' }> {
    const text = badgeText(scanned)
    if (!isBadge(text) || this.badgeWaitMs() > 0) return { is: 'nobody' }
    const member = await this.#parts.staff.byBadge(text)
    if (!member) return { is: 'nobody' }
    this.throttle.succeeded(ANY_BADGE)
    const enough = !member.disabled && badgeSuffices(member.role)
    return { is: enough ? 'in' : 'pin-too', member }
  }

  /** The id of another member of staff who proved by PIN that they stand here too; `null` when they did not. */
  async secondPerson(id: string, pin: string, first: Session): Promise<string | null> {
    const typed = badgeText(id)
    const now = this.#parts.context.env.now()
    if (typed === '' || pin === '' || this.throttle.waitMs(typed, now) > 0) return null
    this.throttle.failed(typed, now)
    const member = (await this.#parts.staff.read(typed)) ?? (await this.#parts.staff.byBadge(typed))
    const matches = await secretMatches(pin, member?.pin || NOBODYS_SECRET)
    if (!member || !matches) {
      await this.leaf('staff.refused', 'counter', { by: 'second-pin' })
      return null
    }
    this.throttle.succeeded(typed)
    const may = !member.disabled && member.pinUntil === null && member.role !== 'it'
    return may && member.id !== first.staff.id ? member.id : null
  }

  badgeWaitMs(): number {
    return this.throttle.waitMs(ANY_BADGE, this.#parts.context.env.now())
  }

  async badgeFailed(): Promise<void> {
    this.throttle.failed(ANY_BADGE, this.#parts.context.env.now())
    await this.leaf('staff.refused', 'counter', { by: 'badge' })
  }
}
