import holidayJp from '@holiday-jp/holiday_jp'
import { dayNumber } from './calendar.ts'

const HOLIDAYS: ReadonlySet<number> = new Set(Object.keys(holidayJp.holidays).map(dayNumber))

/** The holidays of later years are not enacted or computed yet: nobody can say whether such a day is open. */
export const HOLIDAYS_KNOWN_UNTIL: number = dayNumber('2050-12-31')

/** Public holiday (国民の祝日 and substitute holidays) in Japan, by day number. */
export function isPublicHoliday(day: number): boolean {
  return HOLIDAYS.has(day)
}
