import { sql } from 'kysely'
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
  if (keys.length === 0) return new Map()
  const asked = JSON.stringify(keys)
  // @NOTE first the queue: a receipt between the two reads moves a record from there to what was accepted
  const { rows: queued } = await sql<Known>`
    SELECT r.key, r.hash FROM json_each(${asked}) AS k
    CROSS JOIN outbox_record AS r ON r.key = k.value CROSS JOIN outbox_batch AS b ON b.batch = r.batch
    WHERE b.leg IN (${sql.join(OPEN_LEGS)}) ORDER BY b.sequence`.execute(db)
  const { rows: sent } = await sql<Known>`
    SELECT s.key, s.hash FROM json_each(${asked}) AS k CROSS JOIN sent_record AS s ON s.key = k.value`.execute(
    db,
  )
  return new Map([...sent, ...queued].map(({ key, hash }) => [key, hash]))
}

interface Known {
  key: string
  hash: string
}
