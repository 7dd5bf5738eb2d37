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

/** Public holidays of the simulated seasons, from the list of the Cabinet Office. */
const HOLIDAYS = new Set(
  [
    '2027-01-01',
    '2027-01-11',
    '2027-02-11',
    '2027-02-23',
    '2027-03-22',
    '2027-04-29',
    '2027-05-03',
    '2027-05-04',
    '2027-05-05',
    '2027-07-19',
  ].map(dayNumberOf),
)

/** Nobody is at the window: weekends, public holidays, and the turn of the year. */
function closed(day: number): boolean {
  const date = new Date(day * DAY)
  const monthDay = date.toISOString().slice(5, 10)
  const weekend = date.getUTCDay() === 0 || date.getUTCDay() === 6
  return weekend || HOLIDAYS.has(day) || monthDay >= '12-29' || monthDay <= '01-03'
}

/**
 * The first day on which somebody notified on day `given` may be sent: thirty full days have passed, or a calendar month
 * if the paper says so and that is longer, and the last of them was a day on which one could still say no.
 */
export function opensOn(given: number, month: boolean): number {
  let last = given + 30
  if (month) {
    const first = new Date((given + 1) * DAY)
    const wanted = first.getUTCDate()
    const next = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, wanted))
    const end =
      next.getUTCDate() === wanted ? next.getTime() / DAY - 1 : next.getTime() / DAY - next.getUTCDate()
    last = Math.max(last, end)
  }
  while (closed(last)) last++
  return last + 1
}
