import type { Instant } from '@kakehashi/protocol/env'
import { z } from 'zod'

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, '時刻は「08:30」のように書いてください')

/** Hours of the day (Tokyo) in which a source is left alone; `from` after `to` spans midnight. */
export const quietHours = z.strictObject({ from: time, to: time }).nullable().default(null)
export type QuietHours = z.infer<typeof quietHours>

export const DAY_MINUTES = 24 * 60
const TOKYO_MINUTES = 9 * 60

function minuteOf(text: string): number {
  const [hour, minute] = text.split(':').map(Number)
  return (hour ?? 0) * 60 + (minute ?? 0)
}

/** Whether the hospital asked that a source be left alone now. */
export function isQuiet(hours: QuietHours, now: Instant): boolean {
  return isQuietAt(hours, (Math.floor(now / 60_000) + TOKYO_MINUTES) % DAY_MINUTES)
}

/** `minute` of the day in Tokyo. */
export function isQuietAt(hours: QuietHours, minute: number): boolean {
  if (!hours) return false
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)]
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to
}
