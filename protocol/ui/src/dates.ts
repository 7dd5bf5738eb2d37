const CLOCK = new Intl.DateTimeFormat('ja-JP', {
  timeZone: 'Asia/Tokyo',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

function parts(instant: number): Record<string, string> {
  return Object.fromEntries(CLOCK.formatToParts(new Date(instant)).map((part) => [part.type, part.value]))
}

/** `09:12`, Tokyo. */
export function timeOfDay(instant: number): string {
  const p = parts(instant)
  return `${p['hour']}:${p['minute']}`
}

/** `2026-11-25`, Tokyo. */
export function dayOf(instant: number): string {
  const p = parts(instant)
  return `${p['year']}-${p['month']}-${p['day']}`
}

/** `2026年11月25日` from `2026-11-25`. */
export function longDate(day: string): string {
  const [year, month, date] = day.split('-').map(Number)
  return `${year}年${month}月${date}日`
}

/** `2026年11月25日 9時12分`, for papers. */
export function longTime(instant: number): string {
  const p = parts(instant)
  return `${longDate(dayOf(instant))} ${Number(p['hour'])}時${p['minute']}分`
}

/** `2026-11-25 09:12`, Tokyo. */
export function dayAndTime(instant: number): string {
  return `${dayOf(instant)} ${timeOfDay(instant)}`
}
