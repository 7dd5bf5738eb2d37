import type { Instant } from '@kakehashi/protocol/env'
import { compareDates, isLocalDate, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import { z } from 'zod'

/** How often in an hour; left out: as often as one likes. */
export interface Limits {
  /** Of one paper, one patient number, or whatever else is asked about. */
  about?: number
  /** Of one network. */
  prefix?: number
  all?: number
}

export interface PortalLimits {
  /** The first day of these values. */
  from: LocalDate
  /** Stops by the number on a paper: told to the hospitals at once. */
  tokens: Limits
  /** Beyond that they are taken with the same answer, hold at the vault, and reach the hospitals in their turn. */
  tokensBehind: Limits
  /** Stops by patient number and birth date; beyond that they are taken for staff to look at. */
  numbers: Limits
  numbersBehind: Limits
  questions: Limits
  looks: Limits
  /** Requests that may wait for the vault, and how many of them may be such as came beyond a budget. */
  waiting: number
  waitingBehind: number
}

/**
 * What no law sets, with the day from which it holds. A stop by paper that comes beyond the first budget is taken all the
 * same: whoever floods the portal delays what others ask and keeps nobody out. Refused is who asks from a network that
 * asked more than both budgets allow, and everybody only where memory and disk would not hold it.
 */
export const PORTAL_LIMITS: readonly PortalLimits[] = [
  {
    from: '2026-04-01',
    tokens: { about: 5, prefix: 30, all: 600 },
    tokensBehind: { prefix: 300, all: 50_000 },
    numbers: { about: 5, prefix: 30, all: 3_000 },
    // a campaign must not hide what one patient asks, nor bury everybody
    numbersBehind: { about: 5, prefix: 300, all: 3_000 },
    questions: { prefix: 30, all: 3_000 },
    // who follows their own request looks often; 2^64 guesses are needed to find somebody else's
    looks: { about: 20, prefix: 60, all: 20_000 },
    waiting: 100_000,
    waitingBehind: 80_000,
  },
]

const count = z.number().int().min(1).max(1_000_000)
const hour = z.strictObject({
  about: count.exactOptional(),
  prefix: count.exactOptional(),
  all: count.exactOptional(),
})

/** Further values of the operator, in `portal.json`. */
export const PORTAL_LIMITS_SHAPE: z.ZodType<PortalLimits> = z.strictObject({
  from: z.custom<LocalDate>((value) => typeof value === 'string' && isLocalDate(value)),
  tokens: hour,
  tokensBehind: hour,
  numbers: hour,
  numbersBehind: hour,
  questions: hour,
  looks: hour,
  waiting: count,
  waitingBehind: count,
})

/** Those of the newest day that has come, the operator's before the built-in ones of the same day. */
export function limitsAt(dated: readonly PortalLimits[], now: Instant): PortalLimits {
  const today = tokyoDate(now)
  const [first, ...later] = dated.toSorted((a, b) => compareDates(a.from, b.from))
  if (!first) throw new Error('the portal has no limits')
  return later.findLast((one) => compareDates(one.from, today) <= 0) ?? first
}
