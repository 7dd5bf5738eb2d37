import type { Instant } from '../env.ts'
import type { LocalDate } from './state.ts'

const DAY_MS = 86_400_000
/** Asia/Tokyo has been UTC+9 without summer time since 1952; no time-zone database is needed. */
const TOKYO_OFFSET_MS = 9 * 3_600_000
const SHAPE = /^(\d{4})-(\d{2})-(\d{2})$/

export class NotADate extends Error {
  override name = 'NotADate'
}

/** Days since 1970-01-01 of a calendar day. Throws {@link NotADate} on anything but an existing `YYYY-MM-DD`. */
export function dayNumber(date: LocalDate): number {
  const parts = SHAPE.exec(date)
  if (!parts) throw new NotADate('not a YYYY-MM-DD')
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const number = dayNumberOf(year, month, day)
  if (fromDayNumber(number) !== date) throw new NotADate('no such day in the calendar')
  return number
}

/** The calendar day that many days after 1970-01-01. */
export function fromDayNumber(days: number): LocalDate {
  const date = new Date(days * DAY_MS)
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw new NotADate('outside the years 0000 to 9999')
  return date.toISOString().slice(0, 10)
}

function dayNumberOf(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day) / DAY_MS
}

export function isLocalDate(text: unknown): text is LocalDate {
  if (typeof text !== 'string') return false
  try {
    dayNumber(text)
    return true
  } catch {
    return false
  }
}

/** The calendar day in Tokyo at that instant. */
export function tokyoDate(instant: Instant): LocalDate {
  return fromDayNumber(Math.floor((instant + TOKYO_OFFSET_MS) / DAY_MS))
}

/** 00:00 in Tokyo of that day. */
export function startOfDay(date: LocalDate): Instant {
  return dayNumber(date) * DAY_MS - TOKYO_OFFSET_MS
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return fromDayNumber(dayNumber(date) + days)
}

/** The same day of the month `months` later; the month's last day when it has no such day. */
export function addMonths(date: LocalDate, months: number): LocalDate {
  dayNumber(date)
  const index = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + months
  const year = Math.floor(index / 12)
  const month = (index % 12) + 1
  const lastDay = dayNumberOf(year, month + 1, 1) - dayNumberOf(year, month, 1)
  return fromDayNumber(dayNumberOf(year, month, Math.min(Number(date.slice(8)), lastDay)))
}

/** The birthday `years` later; 29 February falls on 1 March in a common year. */
export function birthdayAt(birthDate: LocalDate, years: number): LocalDate {
  dayNumber(birthDate)
  const [year, month, day] = birthDate.split('-').map(Number) as [number, number, number]
  return fromDayNumber(dayNumberOf(year + years, month, day))
}

/** 0 for Sunday to 6 for Saturday. */
export function weekday(date: LocalDate): number {
  return (((dayNumber(date) + 4) % 7) + 7) % 7
}

export function compareDates(a: LocalDate, b: LocalDate): -1 | 0 | 1 {
  return a === b ? 0 : a < b ? -1 : 1
}
