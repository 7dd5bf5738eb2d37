import type { AgentStore } from '../store/store.ts'
import { OPEN_LEGS } from './store.ts'

/**
 * What the hub has of these records, or will have when the queue is done: hash of the newest queued version, else of
 * the one the vault accepted. `''`: a tombstone is queued. Absent: never sent.
 */
export async function knownHashes(
  db: AgentStore['db'],
  keys: readonly string[],
): Promise<Map<string, string>> {
  const known = new Map<string, string>()
  if (keys.length === 0) return known
  const sent = await db
    .selectFrom('sent_record')
    .select(['key', 'hash'])
    .where('key', 'in', [...keys])
    .execute()
  for (const row of sent) known.set(row.key, row.hash)
  const queued = await db
    .selectFrom('outbox_record as r')
    .innerJoin('outbox_batch as b', 'b.batch', 'r.batch')
    .select(['r.key', 'r.hash'])
    .where('r.key', 'in', [...keys])
    .where('b.leg', 'in', [...OPEN_LEGS])
    .orderBy('b.sequence')
    .execute()
  for (const row of queued) known.set(row.key, row.hash)
  return known
}
