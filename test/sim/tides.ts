import type { Instant } from '@kakehashi/protocol/env'
import { facilityOf, type FacilityId } from '@kakehashi/protocol/ids'
import { dayNumber, HOUR, midnight, opensOn } from './calendar.ts'
import { saysOneMonth, type Span } from './cast.ts'
import type { Act } from './plan.ts'
import type { Prng } from './prng.ts'

/** A midnight at which somebody's wait ends at that hospital. */
export interface Opening {
  facility: FacilityId
  at: Instant
}

/** When the running agent does its work anyway; the plan puts it where waits end. */
export interface PlannedRound {
  facility: FacilityId
  at: Instant
}

export function openingAfter(facility: FacilityId, noticeAt: Instant): Instant {
  return midnight(opensOn(dayNumber(noticeAt), saysOneMonth(facility)))
}

export function openingsOf(acts: readonly Act[], span: Span): Opening[] {
  const seen = new Map<string, Opening>()
  for (const act of acts) {
    if (act.kind !== 'notice') continue
    const facility = facilityOf(act.patient)
    const at = openingAfter(facility, act.at)
    if (at < span.calm) seen.set(`${facility} ${at}`, { facility, at })
  }
  return [...seen.values()].toSorted((a, b) => a.at - b.at || (a.facility < b.facility ? -1 : 1))
}

/** Just before a wait ends nothing may leave, just after everything may: both are looked at. */
export function planRounds(openings: readonly Opening[], span: Span, random: Prng): PlannedRound[] {
  const rounds = openings.flatMap(({ facility, at }) => [
    ...(random.chance(0.4) ? [{ facility, at: at - Math.floor(random.unit() * 14 * HOUR) }] : []),
    ...(random.chance(0.7) ? [{ facility, at: at + Math.floor(random.exponential(4 * HOUR)) }] : []),
  ])
  return rounds.filter((round) => round.at < span.calm).toSorted((a, b) => a.at - b.at)
}
