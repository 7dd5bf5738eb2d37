export const RETRY_MS_MIN = 1000
export const RETRY_MS_MAX = 15 * 60 * 1000

/**
 * How long to wait before asking again, from `Retry-After` (seconds, HTTP-date, and, as the bulk-data reference server
 * sends it, epoch seconds or milliseconds) or from `RateLimit` (`t=43`); else by doubling. Always between
 * {@link RETRY_MS_MIN} and {@link RETRY_MS_MAX}, whatever was told (DATA T29).
 */
export function retryMs(headers: Record<string, string>, attempt: number, now: number): number {
  const told = afterMs(headers['retry-after'], now) ?? resetMs(headers['ratelimit'])
  const wait = told ?? RETRY_MS_MIN * 2 ** Math.min(attempt, 10)
  return Math.min(Math.max(wait, RETRY_MS_MIN), RETRY_MS_MAX)
}

const EPOCH_SECONDS_MIN = 1_000_000_000
const EPOCH_MS_MIN = 1_000_000_000_000

function afterMs(told: string | undefined, now: number): number | null {
  if (told === undefined || told.trim() === '') return null
  const number = Number(told)
  if (!Number.isNaN(number)) {
    if (number >= EPOCH_MS_MIN) return number - now
    return number >= EPOCH_SECONDS_MIN ? number * 1000 - now : number * 1000
  }
  const date = Date.parse(told)
  return Number.isNaN(date) ? null : date - now
}

/** Of several limits, the one that is used up and resets last. */
function resetMs(told: string | undefined): number | null {
  const spent = (told ?? '').split(',').filter((limit) => /;\s*r=0\b/.test(limit))
  const waits = spent.flatMap((limit) => /;\s*t=(\d+)/.exec(limit)?.[1] ?? []).map((t) => Number(t) * 1000)
  return waits.length > 0 ? Math.max(...waits) : null
}
