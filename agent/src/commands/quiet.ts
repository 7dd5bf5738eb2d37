import type { Instant } from '@kakehashi/protocol/env'

const DAY_MINUTES = 24 * 60
const TOKYO_MINUTES = 9 * 60

function minuteOf(text: string): number {
  const [hour, minute] = text.split(':').map(Number)
  return (hour ?? 0) * 60 + (minute ?? 0)
}

/** Whether the hospital asked that its sources be left alone now. `from` after `to` spans midnight. */
export function isQuiet(hours: { from: string; to: string } | null, now: Instant): boolean {
  if (!hours) return false
  const minute = (Math.floor(now / 60_000) + TOKYO_MINUTES) % DAY_MINUTES
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)]
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to
}
