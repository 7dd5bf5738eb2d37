import type { Instant } from '@kakehashi/protocol/env'

/**
 * The checker's own idea of a day in Japan, deliberately written apart from the product's calendar: Japan is nine hours
 * ahead of UTC and has no summer time.
 */
export const DAY = 24 * 3600_000
export const HOUR = 3600_000
export const MINUTE = 60_000
const JAPAN = 9 * HOUR

/** Days since 1970-01-01 in Japan. */
export function dayNumber(at: Instant): number {
  return Math.floor((at + JAPAN) / DAY)
}

export function dayNumberOf(date: string): number {
  return Math.round(
    Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1, Number(date.slice(8, 10))) / DAY,
  )
}

export function dateOf(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10)
}

/** 00:00 in Japan of that day. */
export function midnight(day: number): Instant {
  return day * DAY - JAPAN
}

/** The day on which somebody born on `date` has had `years` birthdays. */
export function birthday(date: string, years: number): number {
  return dayNumberOf(`${Number(date.slice(0, 4)) + years}${date.slice(4)}`)
}
