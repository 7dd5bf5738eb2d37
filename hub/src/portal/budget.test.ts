import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { listen } from '../wire.ts'
import { addressOf, HourBudget, prefixOf } from './budget.ts'
import { limitsAt, PORTAL_LIMITS, type PortalLimits } from './limits.ts'
import { callerOf } from './wire.ts'

const env = { random: (n: number) => new Uint8Array(n) } as ConstructorParameters<typeof HourBudget>[0]
const HOUR = 60 * 60_000
const numbers = () => new HourBudget(env, (now) => limitsAt(PORTAL_LIMITS, now).numbers)
const asked = (number: string, address: string) => ({ about: `hospital-a/${number}`, address })

test('ASVS 2.4.1 five an hour for one patient number, from wherever', () => {
  const budget = numbers()
  const taken = Array.from({ length: 7 }, (_, at) => budget.take(asked('0012', `10.${at}.0.1`), HOUR))
  expect(taken).toEqual([true, true, true, true, true, false, false])
  expect(budget.take(asked('0013', '10.0.0.1'), HOUR)).toBe(true)
  expect(budget.take(asked('0012', '10.9.0.1'), 2 * HOUR)).toBe(true)
})

test('ASVS 2.4.1 thirty an hour for one network, and a cap for all', () => {
  const budget = numbers()
  const taken = Array.from({ length: 31 }, (_, at) => budget.take(asked(`n${at}`, `10.0.0.${at}`), HOUR))
  expect(taken.filter(Boolean)).toHaveLength(30)
  let all = 30
  for (let at = 0; at < 4000; at += 1)
    if (budget.take(asked(`m${at}`, `11.${at % 200}.${Math.floor(at / 200)}.1`), HOUR)) all += 1
  expect(all).toBe(3000)
})

test('ASVS 2.4.1 the hour slides: what was asked comes free one by one, an hour after it was', () => {
  const budget = numbers()
  const minute = HOUR / 60
  const start = 10 * HOUR
  for (const at of [0, 10, 20, 30, 50])
    expect(budget.take(asked('1', '10.0.0.1'), start + at * minute)).toBe(true)
  // a fixed hour would begin anew here and let five through
  expect(budget.take(asked('1', '10.0.0.1'), start + 59 * minute)).toBe(false)
  expect(budget.take(asked('1', '10.0.0.1'), start + 60 * minute)).toBe(true)
  expect(budget.take(asked('1', '10.0.0.1'), start + 61 * minute)).toBe(false)
  expect(budget.take(asked('1', '10.0.0.1'), start + 70 * minute)).toBe(true)
  const late = Array.from({ length: 6 }, () => budget.take(asked('1', '10.0.0.1'), start + 200 * minute))
  expect(late.filter(Boolean)).toHaveLength(5)
})

test('ASVS 2.4.1 a clock set back shuts nobody out', () => {
  const budget = numbers()
  for (let at = 0; at < 5; at += 1) budget.take(asked('1', '10.0.0.1'), 100 * HOUR)
  expect(budget.take(asked('1', '10.0.0.1'), 2 * HOUR)).toBe(true)
})

test('ASVS 2.4.1 one network is one however its address is written', () => {
  expect(prefixOf('::ffff:192.0.2.7')).toBe(prefixOf('192.0.2.200'))
  expect(prefixOf('2001:db8:0:1::5')).toBe(prefixOf('2001:0db8:0000:0001:ffff::1'))
  expect(prefixOf('2001:db8:0:1::5')).not.toBe(prefixOf('2001:db8:0:2::5'))
  expect(prefixOf('2001:db8::5')).toBe(prefixOf('2001:db8:0:0:1::'))
})

test('ASVS 2.4.1 the values have a day from which they hold, and the operator may add later ones', () => {
  const [first] = PORTAL_LIMITS
  const later: PortalLimits = { ...first!, from: '2027-01-01', numbers: { about: 1 } }
  const dated = [later, ...PORTAL_LIMITS]
  expect(limitsAt(dated, Date.parse('2026-12-31T23:59:59+09:00'))).toBe(first)
  expect(limitsAt(dated, Date.parse('2027-01-01T00:00:00+09:00'))).toBe(later)
  expect(limitsAt(dated, Date.parse('2020-01-01T00:00:00+09:00'))).toBe(first)
  const budget = new HourBudget(env, (now) => limitsAt(dated, now).numbers)
  const day = Date.parse('2027-01-01T12:00:00+09:00')
  const taken = Array.from({ length: 3 }, () => budget.take(asked('0012', '10.0.0.1'), day))
  expect(taken).toEqual([true, false, false])
})

test('ASVS 4.1.3 what a header claims counts only from a proxy of the configuration', () => {
  expect(addressOf('203.0.113.5', '198.51.100.1', [])).toBe('203.0.113.5')
  expect(addressOf('::ffff:10.0.0.2', '198.51.100.1', ['10.0.0.2'])).toBe('198.51.100.1')
  expect(addressOf('10.0.0.2', '1.1.1.1, 198.51.100.1', ['10.0.0.2'])).toBe('198.51.100.1')
  expect(addressOf('10.0.0.2', 'nonsense', ['10.0.0.2'])).toBe('10.0.0.2')
  expect(addressOf('10.0.0.2', undefined, ['10.0.0.2'])).toBe('10.0.0.2')
})

test('ASVS 4.1.3 over a real socket: a caller cannot choose the address that is counted', async () => {
  const pages = new Hono()
  pages.get('/as-told', (c) => c.text(callerOf(c, [])))
  pages.get('/behind-proxy', (c) => c.text(callerOf(c, ['127.0.0.1'])))
  const nothing = async () => ({ status: 404, headers: {}, body: new Uint8Array(0) })
  const at = await listen({ host: '127.0.0.1', port: 0 }, nothing, pages)
  try {
    const headers = { 'x-forwarded-for': '198.51.100.1' }
    expect(await (await fetch(`${at.url}/as-told`, { headers })).text()).toBe('127.0.0.1')
    expect(await (await fetch(`${at.url}/behind-proxy`, { headers })).text()).toBe('198.51.100.1')
  } finally {
    await at.close()
  }
})
