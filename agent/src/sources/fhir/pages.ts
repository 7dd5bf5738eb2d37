import { Refused } from '@kakehashi/protocol/refusals'
import type { Answer, FhirClient } from './client.ts'
import { linkOf, nextUrl } from './links.ts'

export interface Page {
  answer: Answer
  /** Where to go on; `null` at the end. */
  next: string | null
  entries: number
  /** The question as the server understood it; `null`: it does not say. */
  self: string | null
  /** Latest `meta.lastUpdated` on the page, as written. */
  latest: string | null
}

/** The server forgot the search (410): begin the window again. */
export class PagesExpired extends Error {
  override name = 'PagesExpired'
}

const PAGES_MAX = 100_000

/** Follows `next` from `url` on. Stops with {@link Refused} at a loop, at endless empty pages, at anything but a Bundle. */
export async function* pagesOf(
  client: FhirClient,
  url: string,
  place: string,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const asked = new Set<string>()
  let empty = 0
  let at: string | null = url
  while (at !== null) {
    if (asked.has(at) || asked.size >= PAGES_MAX)
      throw new Refused('SOURCE_ANSWER_BAD', `${place} (next link repeats)`)
    asked.add(at)
    const answer: Answer = await client.get(at, place, signal)
    if (answer.status === 410 && asked.size > 0) throw new PagesExpired(place)
    const page = pageOf(answer, client.base, place)
    empty = page.entries === 0 ? empty + 1 : 0
    yield page
    at = empty >= 2 ? null : page.next
    if (empty >= 2 && page.next !== null)
      throw new Refused('SOURCE_ANSWER_BAD', `${place} (only empty pages)`)
  }
}

interface Entry {
  resource?: { meta?: { lastUpdated?: unknown } }
  search?: { mode?: unknown }
}

export function pageOf(answer: Answer, base: string, place: string): Page {
  const bundle = answer.value as { resourceType?: unknown; entry?: Entry[] } | null
  if (answer.status >= 400 || bundle?.resourceType !== 'Bundle')
    throw new Refused('SOURCE_ANSWER_BAD', `${place} (${answer.status})`)
  const entries = Array.isArray(bundle.entry) ? bundle.entry : []
  const link = linkOf(bundle, 'next')
  let latest: string | null = null
  for (const entry of entries) {
    const told = entry?.resource?.meta?.lastUpdated
    if (typeof told !== 'string') continue
    if (latest === null || Date.parse(told) > Date.parse(latest)) latest = told
  }
  return {
    answer,
    next: link === null ? null : nextUrl(link, answer.url, base),
    self: linkOf(bundle, 'self'),
    entries: entries.filter((entry) => entry?.search?.mode !== 'outcome').length,
    latest,
  }
}
