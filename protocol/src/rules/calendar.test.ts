import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addDays,
  addMonths,
  birthdayAt,
  compareDates,
  dayNumber,
  fromDayNumber,
  isLocalDate,
  NotADate,
  startOfDay,
  tokyoDate,
  weekday,
} from './calendar.ts'
import { HOLIDAYS_KNOWN_UNTIL, isPublicHoliday } from './holidays.ts'

const TOKYO = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Asia/Tokyo',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
})
const instants = fc.integer({ min: Date.UTC(1952, 0, 1), max: Date.UTC(2200, 0, 1) })

test('the day in Tokyo is the one the time-zone database gives', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      expect(tokyoDate(instant)).toBe(TOKYO.format(instant))
    }),
  )
  expect(tokyoDate(Date.UTC(2026, 2, 31, 14, 59, 59, 999))).toBe('2026-03-31')
  expect(tokyoDate(Date.UTC(2026, 2, 31, 15))).toBe('2026-04-01')
})

test('day numbers and dates are each other’s inverse over 400 years, and weekdays follow', () => {
  for (let day = -25_000; day < 121_000; day += 61) {
    const date = fromDayNumber(day)
    expect(date).toBe(new Date(day * 86_400_000).toISOString().slice(0, 10))
    expect(dayNumber(date)).toBe(day)
    expect(weekday(day)).toBe(new Date(day * 86_400_000).getUTCDay())
  }
})

test('a day starts at 00:00 in Tokyo and lasts until the next one', () => {
  fc.assert(
    fc.property(instants, (instant) => {
      const date = tokyoDate(instant)
      expect(startOfDay(date)).toBeLessThanOrEqual(instant)
      expect(startOfDay(addDays(date, 1))).toBeGreaterThan(instant)
    }),
  )
})

test.each([
  ['2027-01-31', 1, '2027-02-28'],
  ['2028-01-31', 1, '2028-02-29'],
  ['2026-12-15', 1, '2027-01-15'],
  ['2026-03-31', -1, '2026-02-28'],
  ['2026-01-31', 13, '2027-02-28'],
  ['2026-05-31', 0, '2026-05-31'],
])('%s and %i months: %s', (date, months, result) => {
  expect(addMonths(date, months)).toBe(result)
})

test('a birthday on 29 February falls on 1 March in a common year', () => {
  expect(birthdayAt('2012-02-29', 16)).toBe('2028-02-29')
  expect(birthdayAt('2012-02-29', 15)).toBe('2027-03-01')
  expect(birthdayAt('2010-06-15', 16)).toBe('2026-06-15')
})

test.each([
  '2026-02-29',
  '2026-13-01',
  '2026-00-10',
  '2026-04-31',
  '2026-4-1',
  '20260401',
  '2026-04-01T00:00',
  '令和8年',
  '',
  '-026-01-01',
])('%j is no day', (text) => {
  expect(isLocalDate(text)).toBe(false)
  expect(() => dayNumber(text)).toThrow(NotADate)
})

test('years of four digits only, and nothing but text is a day', () => {
  expect(isLocalDate('0001-01-01')).toBe(true)
  expect(() => addDays('9999-12-31', 1)).toThrow(NotADate)
  for (const value of [null, undefined, 20_260_401, new Date(0)]) expect(isLocalDate(value)).toBe(false)
})

test('dates compare as days do', () => {
  expect(compareDates('2026-09-30', '2026-10-01')).toBe(-1)
  expect(compareDates('2026-10-01', '2026-10-01')).toBe(0)
  expect(compareDates('2027-01-01', '2026-12-31')).toBe(1)
})

test.each([
  ['2026-07-20', true],
  ['2026-05-06', true],
  ['2026-05-07', false],
  ['2026-09-22', true],
  ['2027-03-22', true],
  ['2026-12-29', false],
])('public holiday on %s: %s', (date, holiday) => {
  expect(isPublicHoliday(dayNumber(date))).toBe(holiday)
})

test('the holidays reach as far as they are said to', () => {
  const last = [...Array(366).keys()].findLast((back) => isPublicHoliday(HOLIDAYS_KNOWN_UNTIL - back))
  expect(last).toBeDefined()
  expect(isPublicHoliday(dayNumber('2050-11-23'))).toBe(true)
})
