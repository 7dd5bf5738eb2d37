import type { Attempts } from '@kakehashi/store/attempts'
import { giveSessionCookie, sessionCookie } from '@kakehashi/ui/cookie'
import type { Context } from 'hono'
import { attemptsAt, mayStandIn, provePin, type Proof } from '../staff/proof.ts'
import { badgeSuffices, badgeText, isBadge } from '../staff/rules.ts'
import type { StaffMember } from '../staff/store.ts'
import type { CounterParts } from './parts.ts'
import type { DeskSessions, Session } from './session.ts'

/** Badges have no name to slow down: all of them together are one. */
const ANY_BADGE = '\0badge'

/** Lets people in and out, and slows guessers down, wherever a badge is scanned. */
export class Door {
  readonly sessions: DeskSessions
  readonly #parts: CounterParts
  readonly #attempts: Attempts
  constructor(parts: CounterParts, sessions: DeskSessions) {
    this.#parts = parts
    this.#attempts = attemptsAt(parts.context)
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
    if (!isBadge(text) || (await this.badgeWaitMs()) > 0) return { is: 'nobody' }
    const member = await this.#parts.staff.byBadge(text)
    if (!member) return { is: 'nobody' }
    await this.#attempts.succeeded(ANY_BADGE)
    const enough = !member.disabled && badgeSuffices(member.role)
    return { is: enough ? 'in' : 'pin-too', member }
  }

  /** Somebody says who they are, by number or badge, and their PIN; a wrong one leaves a trace. */
  async provePin(typed: string, pin: string, by: 'pin' | 'second-pin' | 'old-pin'): Promise<Proof> {
    const { staff, context } = this.#parts
    const read = async (name: string) => (await staff.read(name)) ?? staff.byBadge(name)
    const proof = await provePin({ attempts: this.#attempts, now: context.env.now(), read }, typed, pin)
    if (proof.is === 'refused') await this.leaf('staff.refused', 'counter', { by })
    return proof
  }

  /** The id of another member of staff who proved by PIN that they stand here too; `null` when they did not. */
  async secondPerson(id: string, pin: string, first: Session): Promise<string | null> {
    const typed = badgeText(id)
    if (typed === '' || pin === '') return null
    const proof = await this.provePin(typed, pin, 'second-pin')
    if (proof.is !== 'proven') return null
    const { member } = proof
    return mayStandIn(member) && member.id !== first.staff.id ? member.id : null
  }

  badgeWaitMs(): Promise<number> {
    return this.#attempts.waitMs(ANY_BADGE)
  }

  async badgeFailed(): Promise<void> {
    await this.#attempts.begin(ANY_BADGE)
    await this.leaf('staff.refused', 'counter', { by: 'badge' })
  }
}
