import { dayNumber, fromDayNumber, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate } from '@kakehashi/protocol/rules/state'

export type Precision = 'day' | 'month'

/**
 * Shifts a FHIR date, dateTime or instant and keeps its precision: a month stays a month, a year a year. The time of
 * day always goes. `null` for what is no date. An instant is read as the day it was in Tokyo.
 */
export function shiftDate(text: string, offsetDays: number, finest: Precision = 'day'): string | null {
  const day = tokyoDay(text)
  if (day !== null) return moved(day, offsetDays, finest === 'month' ? 7 : 10)
  if (/^\d{4}-\d{2}$/.test(text)) return moved(`${text}-15`, offsetDays, 7)
  return /^\d{4}$/.test(text) ? moved(`${text}-07-01`, offsetDays, 4) : null
}

/** The day in Tokyo of a date or an instant; `null` when the text is coarser or no date. */
export function tokyoDay(text: string): LocalDate | null {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return text
  if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return null
  if (text.endsWith('+09:00')) return text.slice(0, 10)
  const instant = Date.parse(text)
  return Number.isNaN(instant) ? null : tokyoDate(instant)
}

function moved(day: LocalDate, offsetDays: number, letters: number): string | null {
  try {
    return fromDayNumber(dayNumber(day) + offsetDays).slice(0, letters)
  } catch {
    return null
  }
}

/** Whole years from `birth` to `at`; a partial birth date counts from its first day. */
export function ageAt(birth: string, at: LocalDate): number | null {
  const full = /^\d{4}$/.test(birth) ? `${birth}-01-01` : /^\d{4}-\d{2}$/.test(birth) ? `${birth}-01` : birth
  if (!/^\d{4}-\d{2}-\d{2}$/.test(full)) return null
  const years = Number(at.slice(0, 4)) - Number(full.slice(0, 4))
  const age = at.slice(5) < full.slice(5) ? years - 1 : years
  return age >= 0 && age < 150 ? age : null
}

/** `40-44`, `90+`: the band of `width` years; from `top` on there is one class. */
export function ageBand(age: number, width: number, top: number): string {
  if (age >= top) return `${top}+`
  const low = Math.floor(age / width) * width
  return low + width > top ? `${low}+` : `${low}-${low + width - 1}`
}
