import type { Instant } from '@kakehashi/protocol/env'
import type { StopAsked, StopWithdrawn } from '@kakehashi/protocol/events'
import type { FacilityId } from '@kakehashi/protocol/ids'
import { UNDO_MS_MAX } from '@kakehashi/protocol/limits'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate, NoticeMethod } from '@kakehashi/protocol/rules/state'
import { mayWithdraw } from '@kakehashi/protocol/rules/stops'

export interface DatingAsked {
  deliveredAt: Instant
  method: NoticeMethod
  by: string
  /** The second person, with what they saw. */
  approvedBy?: string | undefined
  evidence?: string | undefined
}

export interface Dating {
  deliveredAt: Instant
  approved: boolean
  asAsked: boolean
}

/**
 * From when a notice counts (LAW trap 15). Dated before today it needs a second person and evidence; until then it is
 * dated now. Mail may be dated ahead, to its assumed arrival; anything else may not. `null`: no such date.
 */
export function dateNotice(asked: DatingAsked, now: Instant): Dating | null {
  if (asked.deliveredAt > now)
    return asked.method === 'post' ? { deliveredAt: asked.deliveredAt, approved: false, asAsked: true } : null
  if (tokyoDate(asked.deliveredAt) === tokyoDate(now))
    return { deliveredAt: asked.deliveredAt, approved: false, asAsked: true }
  const approved = Boolean(asked.approvedBy && asked.approvedBy !== asked.by && asked.evidence)
  return approved
    ? { deliveredAt: asked.deliveredAt, approved, asAsked: true }
    : { deliveredAt: now, approved, asAsked: false }
}

/** An act taken back at once, because the wrong person was on the screen. */
export function mayUndo(recordedAt: Instant, now: Instant): boolean {
  return now - recordedAt <= UNDO_MS_MAX && now >= recordedAt
}

/**
 * Who may take a stop back at this window: whom the fold lets (LAW trap 19), and of these no relative and nobody of
 * another name.
 */
export function mayTakeBack(
  stop: Pick<StopAsked, 'requester' | 'requesterName'>,
  asks: Pick<StopWithdrawn, 'requester' | 'requesterName' | 'recordedAt'>,
  birthDate: LocalDate | null,
): boolean {
  const otherName =
    stop.requester === asks.requester &&
    stop.requesterName !== undefined &&
    asks.requesterName !== undefined &&
    stop.requesterName !== asks.requesterName
  return asks.requester !== 'family' && !otherName && mayWithdraw(stop, asks, birthDate)
}

/** The hospitals beside this one that somebody wants to stop, too; `null`: none. */
export function othersNamed(hospitals: StopAsked['hospitals'], own: FacilityId): 'all' | FacilityId[] | null {
  if (hospitals === undefined || hospitals === 'this') return null
  const others = hospitals === 'all' ? hospitals : hospitals.filter((one) => one !== own)
  return others.length === 0 ? null : others
}

/** `2027-0412-K7QX`: short enough to read out, long enough not to collide within a hospital. */
export function slipNumber(now: Instant, random: Uint8Array): string {
  const [year, month, day] = tokyoDate(now).split('-')
  const letters = [...random.subarray(0, 6)].map((b) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[b % 32]).join('')
  return `${year}-${month}${day}-${letters}`
}
