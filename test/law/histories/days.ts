import { isPublicHoliday } from '@kakehashi/protocol/rules/holidays'

/** The calendar as a person would do it, day after day. Of the protocol's own only the list of holidays is used. */
const HOUR = 3_600_000
const DAY = 86_400_000

export type Day = string

const kept = new Map<number, Day>()

/** The day in Tokyo at that moment. */
export function dayAt(at: number): Day {
  const days = Math.floor((at + 9 * HOUR) / DAY)
  let day = kept.get(days)
  if (day === undefined) {
    day = new Date(days * DAY).toISOString().slice(0, 10)
    kept.set(days, day)
  }
  return day
}

export function midnightOf(day: Day): number {
  return Date.parse(`${day}T00:00:00+09:00`)
}

const plusKept = new Map<string, Day>()

export function plusDays(day: Day, n: number): Day {
  const key = `${day}+${n}`
  let then = plusKept.get(key)
  if (then === undefined) {
    then = dayAt(midnightOf(day) + n * DAY)
    plusKept.set(key, then)
  }
  return then
}

/** The birthday so many years later; 29 February is 1 March in a common year. */
export function birthday(birth: Day, years: number): Day {
  const year = Number(birth.slice(0, 4)) + years
  const date = new Date(Date.UTC(year, Number(birth.slice(5, 7)) - 1, Number(birth.slice(8, 10))))
  return date.toISOString().slice(0, 10)
}

/** The last day of "one month" that begins the day after: the eve of the same day next month, or that month's last. */
export function lastOfMonth(given: Day): Day {
  const start = plusDays(given, 1)
  const [year, month, day] = start.split('-').map(Number) as [number, number, number]
  const next = new Date(Date.UTC(year, month, 1))
  const last = new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 0)).getUTCDate()
  const name = (d: number) => `${next.toISOString().slice(0, 8)}${String(d).padStart(2, '0')}`
  return day > last ? name(last) : plusDays(name(day), -1)
}

export interface Closing {
  weekdays: readonly number[]
  holidays: boolean
  yearEnd: { from: string; to: string } | null
  days: readonly Day[]
}

export function isClosed(day: Day, closing: Closing): boolean {
  if (closing.weekdays.includes(new Date(`${day}T00:00:00Z`).getUTCDay())) return true
  if (closing.holidays && isPublicHoliday(Date.parse(`${day}T00:00:00Z`) / DAY)) return true
  if (closing.days.includes(day)) return true
  const { yearEnd } = closing
  return yearEnd !== null && (day.slice(5) >= yearEnd.from || day.slice(5) <= yearEnd.to)
}
