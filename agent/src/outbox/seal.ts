import { sealBatch } from '@kakehashi/protocol/envelope'
import { batchId, type BatchId } from '@kakehashi/protocol/ids'
import { UPLOAD_PART_BYTES_MAX } from '@kakehashi/protocol/limits'
import { recordKeyText } from '@kakehashi/protocol/records'
import type { AgentContext } from '../context.ts'
import { sequenceFrom } from '../register/restored-state.ts'
import type { AgentTx } from '../store/store.ts'
import { vaultKeyAt } from '../uplink/store.ts'
import { lastSequence } from './store.ts'
import type { Packed } from './pack.ts'

export interface Sealed {
  batch: BatchId
  size: number
  patients: number
  records: number
}

async function nextSequence(tx: AgentTx): Promise<number> {
  return Math.max(await lastSequence(tx), await sequenceFrom(tx)) + 1
}

async function keepMembers(tx: AgentTx, batch: BatchId, packed: Packed): Promise<void> {
  for (const [patient, items] of packed.items)
    await tx
      .insertInto('outbox_patient')
      .values({ batch, patient, items: JSON.stringify([...items]) })
      .execute()
  const first = packed.evidence[0]?.state.patient.patient ?? ''
  const rows = [
    ...packed.records.map((r) => ({ key: r.key, hash: r.contentHash, patients: r.patients, tombstone: 0 })),
    ...packed.tombstones.map((t) => ({ key: t.key, hash: '', patients: t.patients, tombstone: 1 })),
  ].map(({ key, hash, patients, tombstone }) => ({
    batch,
    key: recordKeyText(key),
    hash,
    patient: patients[0] ?? first,
    tombstone,
  }))
  for (let i = 0; i < rows.length; i += 500)
    await tx
      .insertInto('outbox_record')
      .values(rows.slice(i, i + 500))
      .execute()
}

/** Seals one batch and queues it durably. From here on nothing on this machine can open it. */
export async function enqueueBatch(context: AgentContext, packed: Packed): Promise<Sealed> {
  const createdAt = context.env.now()
  const batch = batchId(context.env.id())
  return context.store.transact(
    (sealed: Sealed) => ({ act: 'batch.sealed', actor: 'outbox', detail: { ...sealed } }),
    async (tx) => {
      const sequence = await nextSequence(tx)
      const about = {
        batch,
        agent: context.keys.agent,
        facility: context.facility,
        operator: context.hub.operator,
        track: context.track,
        sequence,
        ruleVersion: packed.ruleVersion,
        createdAt,
      }
      const { bytes, digest } = sealBatch(
        { evidence: packed.evidence, records: packed.records, tombstones: packed.tombstones },
        about,
        { signing: context.keys.signing, recipients: [await vaultKeyAt(tx, context, createdAt)] },
        context.env,
      )
      const records = packed.records.length + packed.tombstones.length
      await tx
        .insertInto('outbox_batch')
        .values({
          batch,
          sequence,
          leg: 'queued',
          outcome: 'none',
          halted: 0,
          flown: 0,
          track: context.track,
          operator: context.hub.operator,
          digest,
          size: bytes.length,
          records,
          rule_version: packed.ruleVersion,
          created_at: createdAt,
          moved_at: createdAt,
        })
        .execute()
      for (let start = 0; start < bytes.length; start += UPLOAD_PART_BYTES_MAX)
        await tx
          .insertInto('outbox_part')
          .values({ batch, start, bytes: bytes.subarray(start, start + UPLOAD_PART_BYTES_MAX) })
          .execute()
      await keepMembers(tx, batch, packed)
      return { batch, size: bytes.length, patients: packed.items.size, records }
    },
  )
}
