import type { Tombstone } from '@kakehashi/protocol/records'
import { targetOf } from './reference.ts'

interface Entry {
  fullUrl?: unknown
  request?: { method?: unknown; url?: unknown }
  response?: { lastModified?: unknown }
}

/**
 * What a Bundle of deletions (`deleted[]` of an export) or of history says has gone. Such an entry has no resource: its
 * id is in `request.url`, or in `fullUrl`; its time is its own, or the Bundle's (DATA T14).
 */
export function deletionsIn(bundle: unknown, source: string, bases: readonly string[]): Tombstone[] {
  const { entry, meta } = (bundle ?? {}) as { entry?: unknown; meta?: { lastUpdated?: unknown } }
  if (!Array.isArray(entry)) return []
  return (entry as Entry[]).flatMap((one): Tombstone[] => {
    if (one?.request?.method !== 'DELETE') return []
    const found = [one.request.url, one.fullUrl]
      .map((reference) => targetOf({ reference }, { bases }))
      .find((target) => target.t === 'local')
    if (found?.t !== 'local') return []
    const at = [one.response?.lastModified, meta?.lastUpdated].find(isTime)
    const key = { source, type: found.type, id: found.id }
    return [{ key, patients: [], reason: 'deleted', ...(at === undefined ? {} : { at }) }]
  })
}

function isTime(told: unknown): told is string {
  return typeof told === 'string' && !Number.isNaN(Date.parse(told))
}
