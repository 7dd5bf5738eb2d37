import type { Instant } from '../env.ts'
import { NOTICE_WAIT_DAYS_MAX } from '../limits.ts'
import { addMonths, dayNumber, fromDayNumber, tokyoDay, weekday } from './calendar.ts'
import { HOLIDAYS_KNOWN_UNTIL, isPublicHoliday } from './holidays.ts'
import type { RuleFile } from './rule-file.ts'
import type { FacilityState, LocalDate } from './state.ts'

/** A window closed longer than this without a break is a mistake in the settings, not a calendar. */
const CLOSED_RUN_DAYS_MAX = 366

/** The rules cannot tell when the wait ends; a decision denies. */
export class WaitUnknown extends Error {
  override name = 'WaitUnknown'
}

/**
 * The first day on which a person notified at `deliveredAt` may be sent: the day after the last day of the wait.
 * The wait is the longest of the rule file's minimum, the hospital's own setting and, if the notice says so, one
 * calendar month; it is then extended over days on which nobody can ask for a stop.
 * Throws {@link WaitUnknown} when the setting or the calendar is beyond what is known.
 */
export function earliestProvision(
  deliveredAt: Instant,
  rules: RuleFile,
  facility: Pick<FacilityState, 'waitDays' | 'closedDays'>,
  saysOneMonth: boolean,
): LocalDate {
  const days = facility.waitDays
  if (!Number.isInteger(days) || days < 0 || days > NOTICE_WAIT_DAYS_MAX)
    throw new WaitUnknown('waiting period is not a number of days')
  const given = tokyoDay(deliveredAt)
  let last = given + Math.max(rules.waitDaysMin, days)
  if (saysOneMonth && rules.oneMonthWordingCounts) last = Math.max(last, lastDayOfMonthWait(given))
  if (rules.extendOverClosedDays) last = nextOpenDay(last, rules, facility.closedDays)
  return fromDayNumber(last + 1)
}

/**
 * Civil Code 143: counting starts the day after the notice; the period ends the day before the day that corresponds
 * to that start, or with the month when there is no such day.
 */
function lastDayOfMonthWait(given: number): number {
  const start = fromDayNumber(given + 1)
  const corresponding = addMonths(start, 1)
  return dayNumber(corresponding) - (corresponding.slice(8) === start.slice(8) ? 1 : 0)
}

function nextOpenDay(from: number, rules: RuleFile, closedDays: readonly LocalDate[]): number {
  for (let day = from; day <= from + CLOSED_RUN_DAYS_MAX; day++)
    if (!isClosed(day, rules, closedDays)) return day
  throw new WaitUnknown('the window is never open')
}

function isClosed(day: number, rules: RuleFile, closedDays: readonly LocalDate[]): boolean {
  if (rules.closedWeekdays.includes(weekday(day))) return true
  if (closedDays.length > 0 && closedDays.includes(fromDayNumber(day))) return true
  if (rules.closedOnPublicHolidays) {
    if (day > HOLIDAYS_KNOWN_UNTIL) throw new WaitUnknown('public holidays not known')
    if (isPublicHoliday(day)) return true
  }
  return rules.yearEndClosed !== null && withinYearEnd(day, rules.yearEndClosed)
}

function withinYearEnd(day: number, closing: { from: string; to: string }): boolean {
  const monthDay = fromDayNumber(day).slice(5)
  return closing.from <= closing.to
    ? monthDay >= closing.from && monthDay <= closing.to
    : monthDay >= closing.from || monthDay <= closing.to
}
