import { recordKeyText } from '@kakehashi/protocol/records'
import { Refused } from '@kakehashi/protocol/refusals'
import type { SourceEvent } from '../connector.ts'
import { entryTexts } from './bundle.ts'
import type { FhirClient } from './client.ts'
import { deletionsIn } from './deletions.ts'
import { type Page, PagesExpired, pagesOf } from './pages.ts'
import { type FhirReading, tell } from './telling.ts'

export interface HistoryReading {
  type: string
  since: string
  count: number
  run: string
}

/** The server announced a history and does not give one that can be used. */
export class NoHistory extends Error {
  override name = 'NoHistory'
  /** It will not do so in a minute either. */
  readonly lasting: boolean
  constructor(type: string, lasting: boolean) {
    super(type)
    this.lasting = lasting
  }
}

/**
 * What happened to one type since an instant, deletions included, page by page. Of each resource only its newest version
 * counts. The standard puts older versions last (R4 http.html#history), which is not relied upon: a version is told
 * when it is later than the one told before. Pages are no snapshot (HAPI issue 4109): what is written meanwhile moves
 * the rest to later pages, which shows it twice and never hides it.
 */
export async function* readHistory(
  client: FhirClient,
  reading: FhirReading,
  { type, since, count, run }: HistoryReading,
  signal: AbortSignal,
): AsyncGenerator<SourceEvent[]> {
  const url = `${type}/_history?_count=${count}&_since=${encodeURIComponent(since)}`
  const told = new Map<string, Pick<Version, 'at'>>()
  try {
    for await (const page of pagesOf(client, url, `${type}/_history`, signal)) {
      if (page.self !== null && !/[?&]_since=/.test(page.self)) throw new NoHistory(type, true)
      const events: SourceEvent[] = []
      for (const version of newestOf(page, reading)) {
        if (!isLater(version, told.get(version.of))) continue
        told.set(version.of, { at: version.at })
        events.push(...(await version.tell({ provenance: { url: client.base, run }, place: type })))
      }
      yield events
    }
  } catch (error) {
    if (error instanceof PagesExpired) throw new NoHistory(type, false)
    if (!(error instanceof Refused) || error.refusal.code === 'SOURCE_UNREACHABLE') throw error
    throw new NoHistory(type, !/\(5\d\d\)/.test(error.message))
  }
}

interface Entry {
  resource?: { resourceType?: unknown; id?: unknown; meta?: { lastUpdated?: unknown } }
  response?: { lastModified?: unknown }
}

interface Version {
  /** The resource's key; of what has none, its place. */
  of: string
  /** `null`: it does not say. */
  at: number | null
  tell(place: Parameters<typeof tell>[2]): Promise<SourceEvent[]>
}

/** The newest entry of each resource on a page; of two without a time the first. */
function newestOf({ answer }: Page, reading: FhirReading): Version[] {
  const bundle = answer.value as { entry?: Entry[]; meta?: unknown }
  const texts = entryTexts(Buffer.from(answer.body).toString('utf8'))
  const newest = new Map<string, Version>()
  for (const [n, entry] of (bundle.entry ?? []).entries()) {
    const version = versionOf(entry, texts[n] ?? null, reading, { n, meta: bundle.meta })
    if (version && isLater(version, newest.get(version.of))) newest.set(version.of, version)
  }
  return [...newest.values()]
}

/** Where times do not tell, what comes first is the newest. */
function isLater(one: Pick<Version, 'at'>, before: Pick<Version, 'at'> | undefined): boolean {
  return !before || (one.at !== null && before.at !== null && one.at > before.at)
}

function versionOf(
  entry: Entry,
  text: string | null,
  reading: FhirReading,
  { n, meta }: { n: number; meta: unknown },
): Version | null {
  const [deletion] = deletionsIn({ entry: [entry], meta }, reading.source, reading.bases)
  if (deletion)
    return {
      of: recordKeyText(deletion.key),
      at: timeOf(deletion.at),
      tell: async () => [{ t: 'tombstone', tombstone: deletion }],
    }
  if (text === null) return null
  const { resourceType, id, meta: own } = entry.resource ?? {}
  const named = typeof resourceType === 'string' && typeof id === 'string'
  return {
    of: named ? recordKeyText({ source: reading.source, type: resourceType, id }) : `entry ${n}`,
    at: timeOf(own?.lastUpdated ?? entry.response?.lastModified),
    tell: (place) => tell(reading, Buffer.from(text, 'utf8'), place),
  }
}

function timeOf(told: unknown): number | null {
  const at = typeof told === 'string' ? Date.parse(told) : Number.NaN
  return Number.isNaN(at) ? null : at
}
