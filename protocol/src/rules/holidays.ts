import holidayJp from '@holiday-jp/holiday_jp'
import type { LocalDate } from './state.ts'

const HOLIDAYS: ReadonlySet<string> = new Set(Object.keys(holidayJp.holidays))

/** The holidays of later years are not enacted or computed yet: nobody can say whether such a day is open. */
export const HOLIDAYS_KNOWN_UNTIL: LocalDate = '2050-12-31'

/** Public holiday (国民の祝日 and substitute holidays) in Japan. */
export function isPublicHoliday(date: LocalDate): boolean {
  return HOLIDAYS.has(date)
}
