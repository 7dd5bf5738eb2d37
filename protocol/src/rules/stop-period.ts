import type { Instant } from '../env.ts'
import type { SourceRecord } from '../records.ts'
import { addDays, addMonths, isLocalDate, startOfDay } from './calendar.ts'
import { stopCovers } from './decide.ts'
import type { LocalDate, StopFact, Track } from './state.ts'

type Dated = Pick<SourceRecord, 'item' | 'mediaType' | 'payload' | 'sourceTime'>

interface Span {
  from: Instant
  to: Instant
}

/**
 * Whether a record is dated inside a stop that was withdrawn since: such records stay out for good, though the person
 * was notified afresh (LAW §2.6, R21). Any date in it counts, of whatever element, and so does a period that spans the
 * stop; one that names no date is dated by the source's own time, and without that it stays out too. Who the person is
 * (item class `identity`) is no record of a time.
 */
export function inStopPeriod(
  record: Dated,
  stops: readonly StopFact[],
  track: Track,
  operator: string,
): boolean {
  const periods = stops.flatMap((stop) => withdrawnPeriod(stop, track, operator) ?? [])
  if (periods.length === 0 || record.item === 'identity') return false
  const dates = datesOf(record)
  if (dates.length === 0) return true
  return dates.some(({ from, to }) => periods.some((stop) => from <= stop.to && to >= stop.from))
}

function withdrawnPeriod(stop: StopFact, track: Track, operator: string): Span | null {
  if (stop.standing !== 'withdrawn' || !stopCovers(stop, track, operator)) return null
  return { from: stop.askedAt, to: stop.withdrawnAt ?? Infinity }
}

function datesOf({ mediaType, payload, sourceTime }: Dated): Span[] {
  const found: Span[] = []
  if (mediaType.includes('json')) {
    const resource = parsed(payload)
    collect(resource, '', isCoverage(resource), found)
  }
  if (found.length > 0 || sourceTime === undefined) return found
  const dated = spanOf(sourceTime, true)
  return dated ? [dated] : []
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload))
  } catch {
    return null
  }
}

/** A cover is valid over years; it is dated by when that begins and ends. */
function isCoverage(resource: unknown): boolean {
  return (resource as { resourceType?: unknown } | null)?.resourceType === 'Coverage'
}

/** Times of the machine, of a person's name or birth, or of a package: none of them dates the record. */
const NO_DATES = new Set([
  'meta',
  'text',
  'birthDate',
  'identifier',
  'name',
  'address',
  'telecom',
  'expirationDate',
])
/** Only under such names is a year or a month alone a date, and not a code. */
const DATE_NAMES = /(?:date|time|period|start|end|authoredOn|issued|onset|abatement|recorded|sent|received)$/i

function collect(node: unknown, name: string, pointsOnly: boolean, found: Span[]): void {
  if (typeof node === 'string') {
    const span = spanOf(node, DATE_NAMES.test(name))
    if (span) found.push(span)
    return
  }
  if (typeof node !== 'object' || node === null) return
  if (Array.isArray(node)) {
    for (const one of node) collect(one, name, pointsOnly, found)
    return
  }
  const { start, end } = node as { start?: unknown; end?: unknown }
  if (!pointsOnly && typeof start === 'string' && typeof end === 'string') {
    const [from, to] = [spanOf(start, true), spanOf(end, true)]
    if (from && to) found.push({ from: from.from, to: to.to })
  }
  for (const [key, value] of Object.entries(node))
    if (!NO_DATES.has(key)) collect(value, key, pointsOnly, found)
}

const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?$/

/** A FHIR date as the time it covers; a day, month or year is one of Tokyo. */
function spanOf(text: string, mayBeCoarse: boolean): Span | null {
  const [, year, month, day, time] = DATE.exec(text) ?? []
  if (year === undefined || (day === undefined && !mayBeCoarse)) return null
  if (time !== undefined) {
    const at = Date.parse(/(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}+09:00`)
    return Number.isNaN(at) ? null : { from: at, to: at }
  }
  const first: LocalDate = `${year}-${month ?? '01'}-${day ?? '01'}`
  if (!isLocalDate(first)) return null
  const next = day === undefined ? addMonths(first, month === undefined ? 12 : 1) : addDays(first, 1)
  return { from: startOfDay(first), to: startOfDay(next) - 1 }
}
