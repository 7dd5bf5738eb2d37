import { expect, test } from 'vitest'
import { RETRY_MS_MAX, RETRY_MS_MIN, retryMs } from './retry-after.ts'

const now = Date.parse('2026-04-01T00:00:00Z')
const wait = (told: string | undefined, attempt = 0) =>
  retryMs(told === undefined ? {} : { 'retry-after': told }, attempt, now)

test('DATA T29 every form of Retry-After, always between one second and fifteen minutes', () => {
  expect(wait('30')).toBe(30_000)
  expect(wait('Wed, 01 Apr 2026 00:00:20 GMT')).toBe(20_000)
  expect(wait(String(now + 5000))).toBe(5000)
  expect(wait(String((now + 7000) / 1000))).toBe(7000)
  expect(wait('0')).toBe(RETRY_MS_MIN)
  expect(wait('-5')).toBe(RETRY_MS_MIN)
  expect(wait('99999999')).toBe(RETRY_MS_MAX)
  expect(wait('9e99')).toBe(RETRY_MS_MIN > 0 ? RETRY_MS_MAX : 0)
  expect(wait('soon')).toBe(RETRY_MS_MIN)
  expect(wait('Wed, 01 Apr 2020 00:00:00 GMT')).toBe(RETRY_MS_MIN)
  expect([0, 1, 2, 3, 50].map((n) => wait(undefined, n))).toEqual([1000, 2000, 4000, 8000, RETRY_MS_MAX])
})

test('DATA T29 RateLimit is read when Retry-After is absent', () => {
  const ratelimit = '"requests";r=59;t=10, "fhirInteractions";r=0;t=43'
  expect(retryMs({ ratelimit }, 0, now)).toBe(43_000)
  expect(retryMs({ ratelimit: '"requests";r=5;t=60' }, 0, now)).toBe(RETRY_MS_MIN)
})
