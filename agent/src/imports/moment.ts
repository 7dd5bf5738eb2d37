import type { Instant } from '@kakehashi/protocol/env'
import { isLocalDate, startOfDay } from '@kakehashi/protocol/rules/calendar'
import { dateTyped } from '../patients/words.ts'

const MINUTE_MS = 60_000

/** `9:12`, `09:12:30`, `0912`, `091230`, `9時12分`, `午後1時5分` in milliseconds after midnight. */
export function timeTyped(text: string): number | null {
  const typed = text.normalize('NFKC').replaceAll(/\s/g, '').toUpperCase()
  const half = /^(午前|午後|AM|PM)/.exec(typed)?.[1] ?? /(AM|PM)$/.exec(typed)?.[1] ?? null
  const bare = typed.replace(/^(午前|午後|AM|PM)/, '').replace(/(AM|PM)$/, '')
  const read =
    /^(\d{1,2})[:時](\d{1,2})(?:[:分](?:(\d{1,2})(?:\.\d{1,9})?秒?)?)?$/.exec(bare) ??
    /^(\d{2})(\d{2})(\d{2})?(?:\.\d{1,9})?$/.exec(bare)
  if (!read) return null
  const hour = Number(read[1]) + ((half === '午後' || half === 'PM') && Number(read[1]) < 12 ? 12 : 0)
  const [minute, second] = [Number(read[2]), Number(read[3] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59) return null
  return (hour * 60 + minute) * MINUTE_MS + second * 1000
}

/** A day and a time of day in Tokyo, in one cell: `2026-11-25 09:12`, `R8.11.25 9:12`, `20261125091200`, ISO 8601. */
export function momentTyped(text: string): Instant | null {
  const typed = text.normalize('NFKC').trim().slice(0, 64)
  const digits = /^(\d{8})(\d{4}|\d{6})(?:\.\d{1,6})?$/.exec(typed)
  if (digits) return momentOf(digits[1] ?? '', digits[2] ?? '')
  const zoned = /^\d{4}-\d{2}-\d{2}T[\d:.]{5,18}(Z|[+-]\d{2}:?\d{2})$/i.test(typed)
  if (zoned) {
    const instant = Date.parse(typed)
    return Number.isNaN(instant) || !isLocalDate(typed.slice(0, 10)) ? null : instant
  }
  const [day = '', ...rest] = typed.split(/[\sT]+/)
  return rest.length === 0 ? null : momentOf(day, rest.join(''))
}

export function momentOf(day: string, time: string): Instant | null {
  const date = dateTyped(day)
  const ms = timeTyped(time)
  return date === null || ms === null ? null : startOfDay(date) + ms
}

/** HL7 v2 TS: `YYYYMMDDHHMM[SS[.S…]][±ZZZZ]`, Tokyo without a zone. */
export function momentOfHl7(text: string): Instant | null {
  const read = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?:\.\d{1,4})?([+-]\d{4})?$/.exec(text.trim())
  if (!read) return null
  const [, year, month, day, hour, minute, second = '00', zone] = read
  const local = momentOf(`${year}${month}${day}`, `${hour}${minute}${second}`)
  if (local === null || zone === undefined) return local
  const ahead = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3))
  return local + (9 * 60 - (zone.startsWith('-') ? -ahead : ahead)) * MINUTE_MS
}
