import type { Instant } from '../env.ts'
import { NOTICE_WAIT_DAYS_MAX } from '../limits.ts'
import { addDays, addMonths, compareDates, tokyoDate, weekday } from './calendar.ts'
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
  const given = tokyoDate(deliveredAt)
  let last = addDays(given, Math.max(rules.waitDaysMin, days))
  if (saysOneMonth && rules.oneMonthWordingCounts) {
    const month = lastDayOfMonthWait(given)
    if (compareDates(month, last) > 0) last = month
  }
  return addDays(rules.extendOverClosedDays ? nextOpenDay(last, rules, facility.closedDays) : last, 1)
}

/**
 * Civil Code 143: counting starts the day after the notice; the period ends the day before the day that corresponds
 * to that start, or with the month when there is no such day.
 */
function lastDayOfMonthWait(given: LocalDate): LocalDate {
  const start = addDays(given, 1)
  const corresponding = addMonths(start, 1)
  return corresponding.slice(8) === start.slice(8) ? addDays(corresponding, -1) : corresponding
}

function nextOpenDay(from: LocalDate, rules: RuleFile, closedDays: readonly LocalDate[]): LocalDate {
  let day = from
  for (let run = 0; run <= CLOSED_RUN_DAYS_MAX; run++) {
    if (!isClosed(day, rules, closedDays)) return day
    day = addDays(day, 1)
  }
  throw new WaitUnknown('the window is never open')
}

function isClosed(day: LocalDate, rules: RuleFile, closedDays: readonly LocalDate[]): boolean {
  if (rules.closedWeekdays.includes(weekday(day))) return true
  if (closedDays.includes(day)) return true
  if (rules.closedOnPublicHolidays) {
    if (compareDates(day, HOLIDAYS_KNOWN_UNTIL) > 0) throw new WaitUnknown('public holidays not known')
    if (isPublicHoliday(day)) return true
  }
  return rules.yearEndClosed !== null && withinYearEnd(day.slice(5), rules.yearEndClosed)
}

function withinYearEnd(monthDay: string, closing: { from: string; to: string }): boolean {
  return closing.from <= closing.to
    ? monthDay >= closing.from && monthDay <= closing.to
    : monthDay >= closing.from || monthDay <= closing.to
}
