import { Refused } from '@kakehashi/protocol/refusals'
import type { FhirClient } from './client.ts'
import { type Page, PagesExpired, pagesOf } from './pages.ts'

export interface TypeReading {
  type: string
  /** `null`: everything. */
  since: string | null
  /** A `next` link kept from before an interruption. */
  resume: string | null
  count: number
}

const COUNT_LARGE = 1000

/**
 * All pages of one type, changed since an instant or from the beginning. An expired search begins again; a page that
 * the server cannot give is asked for in two other ways before it is a fault. Nothing is ever skipped: going on starts
 * at the last instant that was seen, which is read again as a whole (DATA T1, T5).
 */
export async function* readType(
  client: FhirClient,
  reading: TypeReading,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const { type, count } = reading
  const seen = { latest: reading.since, ordered: reading.since !== null }
  const watch = (pages: AsyncIterable<Page>) => watched(pages, seen)
  try {
    yield* watch(pagesOf(client, reading.resume ?? firstUrl(reading), type, signal))
    return
  } catch (error) {
    if (error instanceof PagesExpired) {
      yield* watch(again(client, { ...reading, since: from(seen) }, signal))
      return
    }
    if (isTooLarge(error) && count > 1) {
      // DATA T31: fewer of what is so large
      yield* readType(client, { ...reading, since: from(seen), resume: null, count: count >> 1 }, signal)
      return
    }
    if (!isServerFault(error) || signal.aborted) throw error
  }
  const larger = { ...reading, since: from(seen), count: Math.max(COUNT_LARGE, count) }
  try {
    yield* watch(pagesOf(client, firstUrl(larger), type, signal))
  } catch (error) {
    if (!isServerFault(error) && !(error instanceof PagesExpired)) throw error
    yield* byId(client, { ...reading, since: from(seen) }, signal)
  }
}

/** Only an order by time lets a reading go on from the last time seen. */
function from(seen: { latest: string | null; ordered: boolean }): string | null {
  return seen.ordered ? seen.latest : null
}

async function* watched(pages: AsyncIterable<Page>, seen: { latest: string | null }): AsyncGenerator<Page> {
  for await (const page of pages) {
    yield page
    if (page.latest !== null) seen.latest = page.latest
  }
}

async function* again(client: FhirClient, reading: TypeReading, signal: AbortSignal): AsyncGenerator<Page> {
  try {
    yield* pagesOf(client, firstUrl(reading), reading.type, signal)
  } catch (error) {
    if (error instanceof PagesExpired)
      throw new Refused('SOURCE_ANSWER_BAD', `${reading.type} (search expires)`)
    throw error
  }
}

/** Where many resources share one timestamp, some servers cannot page by time; by id they can. */
async function* byId(client: FhirClient, reading: TypeReading, signal: AbortSignal): AsyncGenerator<Page> {
  const { type, since, count } = reading
  for (let offset = 0; ; offset += count) {
    const query = `_count=${count}&_offset=${offset}&_sort=_id${bound(since)}`
    let more = false
    for await (const page of pagesOf(client, `${type}?${query}`, type, signal)) {
      yield page
      more = page.entries >= count && page.next === null
    }
    if (!more) return
  }
}

function firstUrl({ type, since, count }: TypeReading): string {
  return since === null
    ? `${type}?_count=${count}`
    : `${type}?_count=${count}&_sort=_lastUpdated${bound(since)}`
}

function bound(since: string | null): string {
  return since === null ? '' : `&_lastUpdated=ge${encodeURIComponent(since)}`
}

/** DATA T11 T12: a server that refuses to filter by time, or overlooks that it was asked to. */
export function overlooksTime(page: Page): boolean {
  return page.self !== null && !/[?&]_lastUpdated=/.test(page.self)
}

export function refusesTime(error: unknown): boolean {
  return error instanceof Refused && / \(400\)$/.test(error.refusal.place ?? '')
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Refused && /answer too large|\(413\)/.test(error.message)
}

function isServerFault(error: unknown): boolean {
  return (
    error instanceof Refused && error.refusal.code === 'SOURCE_ANSWER_BAD' && /\(5\d\d\)/.test(error.message)
  )
}
