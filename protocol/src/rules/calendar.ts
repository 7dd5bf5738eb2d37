import type { Instant } from '../env.ts'
import type { LocalDate } from './state.ts'

/**
 * Calendar days in Asia/Tokyo, which has been UTC+9 without summer time since 1952: no time-zone database is needed.
 * Days are counted from 1970-01-01; the proleptic Gregorian arithmetic is exact and allocates nothing, because the
 * gate asks it for every patient and item.
 */
const DAY_MS = 86_400_000
const TOKYO_OFFSET_MS = 9 * 3_600_000
const YEAR_DAYS_400 = 146_097
const DAYS_TO_1970 = 719_468
const DASH = 45
const LAST_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export class NotADate extends Error {
  override name = 'NotADate'
}

export interface Civil {
  year: number
  month: number
  day: number
}

/** Throws {@link NotADate} on anything but an existing day written `YYYY-MM-DD`. */
export function civilOf(date: LocalDate): Civil {
  const civil = readCivil(date)
  if (civil === null) throw new NotADate('not a day of the calendar as YYYY-MM-DD')
  return civil
}

function readCivil(date: unknown): Civil | null {
  if (typeof date !== 'string' || date.length !== 10) return null
  if (date.charCodeAt(4) !== DASH || date.charCodeAt(7) !== DASH) return null
  const year = digits(date, 0, 4)
  const month = digits(date, 5, 7)
  const day = digits(date, 8, 10)
  if (!(month >= 1 && month <= 12 && day >= 1 && year >= 0)) return null
  return day <= lastDayOf(year, month) ? { year, month, day } : null
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

function lastDayOf(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && leap ? 29 : (LAST_DAYS[month - 1] ?? 0)
}

/** Years are counted from March, so that the leap day is the last of its year. */
function dayNumberOf({ year, month, day }: Civil): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * YEAR_DAYS_400 + dayOfEra - DAYS_TO_1970
}

/** Days since 1970-01-01. Throws {@link NotADate}. */
export function dayNumber(date: LocalDate): number {
  return dayNumberOf(civilOf(date))
}

export function civilOfDay(days: number): Civil {
  const z = days + DAYS_TO_1970
  const era = Math.floor(z / YEAR_DAYS_400)
  const doe = z - era * YEAR_DAYS_400
  const yearOfEra = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365,
  )
  const dayOfYear = doe - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

/** The calendar day that many days after 1970-01-01. */
export function fromDayNumber(days: number): LocalDate {
  const { year, month, day } = civilOfDay(days)
  if (!(year >= 0 && year <= 9999)) throw new NotADate('outside the years 0000 to 9999')
  const years = year >= 1000 ? `${year}` : `${year}`.padStart(4, '0')
  return `${years}-${month < 10 ? '0' : ''}${month}-${day < 10 ? '0' : ''}${day}`
}

export function isLocalDate(text: unknown): text is LocalDate {
  return readCivil(text) !== null
}

/** Number of the calendar day in Tokyo at that instant. */
export function tokyoDay(instant: Instant): number {
  return Math.floor((instant + TOKYO_OFFSET_MS) / DAY_MS)
}

/** The calendar day in Tokyo at that instant. */
export function tokyoDate(instant: Instant): LocalDate {
  return fromDayNumber(tokyoDay(instant))
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
  const { year, month, day } = civilOf(date)
  const index = year * 12 + month - 1 + months
  const to = { year: Math.floor(index / 12), month: (((index % 12) + 12) % 12) + 1 }
  return fromDayNumber(dayNumberOf({ ...to, day: Math.min(day, lastDayOf(to.year, to.month)) }))
}

/** The birthday `years` later; 29 February falls on 1 March in a common year. */
export function birthdayAt(birthDate: LocalDate, years: number): LocalDate {
  const { year, month, day } = civilOf(birthDate)
  return fromDayNumber(dayNumberOf({ year: year + years, month, day }))
}

/** 0 for Sunday to 6 for Saturday. */
export function weekday(days: number): number {
  return (((days + 4) % 7) + 7) % 7
}

export function compareDates(a: LocalDate, b: LocalDate): -1 | 0 | 1 {
  return a === b ? 0 : a < b ? -1 : 1
}
