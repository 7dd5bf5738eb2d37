import type { Tombstone } from '@kakehashi/protocol/records'
import { targetOf } from './reference.ts'

interface Entry {
  fullUrl?: unknown
  resource?: unknown
  request?: { method?: unknown; url?: unknown }
  response?: { status?: unknown; lastModified?: unknown }
}

/**
 * What a Bundle of deletions (`deleted[]` of an export) or of history says has gone. Such an entry has no resource: its
 * id is in `request.url`, or in `fullUrl`; its time is its own, or the Bundle's (DATA T14). Medplum writes it as a GET
 * that was answered by 410.
 */
export function deletionsIn(bundle: unknown, source: string, bases: readonly string[]): Tombstone[] {
  const { entry, meta } = (bundle ?? {}) as { entry?: unknown; meta?: { lastUpdated?: unknown } }
  if (!Array.isArray(entry)) return []
  return (entry as Entry[]).flatMap((one): Tombstone[] => {
    if (!isDeletion(one)) return []
    const found = [one.request?.url, one.fullUrl]
      .map((reference) => targetOf({ reference }, { bases }))
      .find((target) => target.t === 'local')
    if (found?.t !== 'local') return []
    const at = [one.response?.lastModified, meta?.lastUpdated].find(isTime)
    const key = { source, type: found.type, id: found.id }
    return [{ key, patients: [], reason: 'deleted', ...(at === undefined ? {} : { at }) }]
  })
}

function isDeletion(entry: Entry | null): entry is Entry {
  if (entry?.request?.method === 'DELETE') return true
  return entry?.resource === undefined && /^410\b/.test(String(entry?.response?.status))
}

function isTime(told: unknown): told is string {
  return typeof told === 'string' && !Number.isNaN(Date.parse(told))
}
