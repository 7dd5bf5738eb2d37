import type { Instant } from '@kakehashi/protocol/env'
import type { BatchId, PatientKey } from '@kakehashi/protocol/ids'
import { markToRead } from '../sources/store.ts'
import type { AgentTx } from '../store/store.ts'
import { forgetBytes, moveBatch, openBatchesWith, patientsOfBatch, type BatchRow } from './store.ts'

export interface Halted {
  /** Batches that never left and now never will. */
  dropped: number
  /** Batches already under way or at the gateway: the vault is told, and refuses. */
  sent: number
}

/**
 * Takes these patients out of everything that has not left, in the caller's transaction. The other patients of such a
 * batch are read again. A batch in flight gets no further byte; whether it arrived is asked of the gateway.
 */
export async function haltPatients(
  tx: AgentTx,
  patients: readonly PatientKey[],
  now: Instant,
): Promise<Halted> {
  const halted: Halted = { dropped: 0, sent: 0 }
  for (const batch of await openBatchesWith(tx, patients)) {
    if (batch.leg === 'queued' || batch.leg === 'claimed') {
      await dropBatch(tx, batch, now)
      halted.dropped += 1
    } else {
      if (batch.leg === 'in-flight') await haltFlight(tx, batch.batch)
      halted.sent += 1
    }
  }
  return halted
}

/** No further byte of it leaves; what the gateway has of it decides whether it is dropped. */
export async function haltFlight(tx: AgentTx, batch: BatchId): Promise<void> {
  await tx.updateTable('outbox_batch').set({ halted: 1 }).where('batch', '=', batch).execute()
}

/**
 * Nothing of the batch is sent; whoever was in it is read again when the gate allows. If it was in flight once, a gateway
 * that lost its store may have handed it on before: what it held is kept for the receipt that would say so.
 */
export async function dropBatch(tx: AgentTx, batch: BatchRow, now: Instant): Promise<void> {
  if (!(await moveBatch(tx, batch.batch, batch.leg, 'dropped', now)))
    throw new Error('the batch moved within its own transaction')
  for (const { patient } of await patientsOfBatch(tx, batch.batch)) await markToRead(tx, patient, now)
  await forgetBytes(tx, batch.batch)
  if (!batch.flown) await tx.deleteFrom('outbox_record').where('batch', '=', batch.batch).execute()
}

/** Whether anything of these patients left the hospital: bytes under way, stored, or provided; made before then. */
export async function wasSent(
  tx: AgentTx,
  patients: readonly PatientKey[],
  before: Instant = Infinity,
): Promise<boolean> {
  const row = await tx
    .selectFrom('outbox_patient as p')
    .innerJoin('outbox_batch as b', 'b.batch', 'p.batch')
    .select('b.batch')
    .where('p.patient', 'in', [...patients])
    .where('b.leg', 'in', ['in-flight', 'at-gateway', 'done'])
    .where('b.created_at', '<', Math.min(before, Number.MAX_SAFE_INTEGER))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
