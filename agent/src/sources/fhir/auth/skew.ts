/** Beyond this a server may take our assertions for expired or not yet valid. */
export const SKEW_ALARM_MS = 60_000

/** The source's clock minus ours, from its `Date` header; `null` when it tells no time. */
export function skewOf(headers: Record<string, string>, now: number): number | null {
  const date = Date.parse(headers['date'] ?? '')
  return Number.isNaN(date) ? null : date - now
}

/** For people; empty while the clocks agree. */
export function skewSaid(skewMs: number | null): string {
  if (skewMs === null || Math.abs(skewMs) <= SKEW_ALARM_MS) return ''
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  return `, our clock is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} the server`
}
