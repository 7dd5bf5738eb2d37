import { peekHeader } from '@kakehashi/protocol/envelope'
import { Refused } from '@kakehashi/protocol/refusals'
import type { OpsStore } from './ops.ts'

/** Longer than this nobody should need to look: then the bytes are erased by themselves. */
export const QUARANTINE_MS_MAX = 90 * 24 * 3600 * 1000
/** From here on the doctor asks for a decision. */
export const QUARANTINE_MS_EXPECTED = 14 * 24 * 3600 * 1000

export interface Quarantined {
  batch: string
  digest: string
  agent: string
  code: string
  at: number
  ageMs: number
  bytes: number
}

/** What the envelope says of itself; nothing of it is believed, and nothing of it names a patient. */
export interface Inspected {
  facility: string
  agent: string
  signedBy: string
  keyKnown: boolean
  createdAt: number
  records: number
}

/** Batches whose sealed bytes are still here, the oldest first. */
export async function quarantined(ops: OpsStore): Promise<Quarantined[]> {
  const rows = await ops.db
    .selectFrom('quarantine')
    .select(['batch', 'digest', 'agent', 'code', 'at', 'sealed'])
    .where('sealed', 'is not', null)
    .orderBy('at')
    .execute()
  const now = ops.env.now()
  return rows.map(({ sealed, ...row }) => ({
    ...row,
    at: Number(row.at),
    ageMs: Math.max(0, now - Number(row.at)),
    bytes: sealed?.length ?? 0,
  }))
}

export async function inspect(
  ops: OpsStore,
  about: { batch: string; digest: string },
): Promise<Inspected | null> {
  const row = await ops.db
    .selectFrom('quarantine')
    .select('sealed')
    .where('batch', '=', about.batch)
    .where('digest', '=', about.digest)
    .executeTakeFirst()
  if (!row?.sealed) return null
  try {
    const header = peekHeader(row.sealed)
    const key = await ops.db
      .selectFrom('agent_key')
      .select('key_id')
      .where('key_id', '=', header.signedBy)
      .executeTakeFirst()
    return {
      facility: header.facility,
      agent: header.agent,
      signedBy: header.signedBy,
      keyKnown: key !== undefined,
      createdAt: header.createdAt,
      records: header.counts.records,
    }
  } catch (error) {
    if (error instanceof Refused) return null
    throw error
  }
}

/**
 * The way out: the sealed bytes are erased, the row stays as evidence. Two people and a reason, as for the incident it
 * belongs to. A batch is never let in from here: its agent seals anew what it may send.
 */
export async function clearQuarantine(
  ops: OpsStore,
  about: { batch: string; digest: string; by: [string, string]; reason: string },
): Promise<boolean> {
  const [first, second] = about.by
  if (first === second || about.reason.trim() === '') return false
  const { batch, digest, reason } = about
  const done = await ops.transact(
    (cleared: boolean) =>
      cleared ? { act: 'quarantine.cleared', actor: first, detail: { batch, digest, second } } : null,
    async (tx) => {
      const changed = await tx
        .updateTable('quarantine')
        .set({ sealed: null, erased_at: ops.env.now(), cleared_by: `${first} ${second}`, reason })
        .where('batch', '=', batch)
        .where('digest', '=', digest)
        .where('sealed', 'is not', null)
        .executeTakeFirst()
      return Number(changed.numUpdatedRows) > 0
    },
  )
  if (done) await ops.scrub()
  return done
}

/** What nobody decided about in all that time is erased; the row stays. */
export async function expireQuarantine(ops: OpsStore): Promise<number> {
  const before = ops.env.now() - QUARANTINE_MS_MAX
  const due = await ops.db
    .selectFrom('quarantine')
    .select('batch')
    .where('sealed', 'is not', null)
    .where('at', '<', before)
    .executeTakeFirst()
  if (!due) return 0
  return ops.transact(
    (batches: number) => ({ act: 'quarantine.expired', actor: 'vault', detail: { batches } }),
    async (tx) => {
      const changed = await tx
        .updateTable('quarantine')
        .set({ sealed: null, erased_at: ops.env.now() })
        .where('sealed', 'is not', null)
        .where('at', '<', before)
        .executeTakeFirst()
      return Number(changed.numUpdatedRows)
    },
  )
}
