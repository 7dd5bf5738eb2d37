import type { AgentContext } from '../context.ts'
import { enterRestored } from '../register/restored.ts'
import { markToRead } from '../sources/store.ts'
import { forgetBytes, batchesOnLeg, OPEN_LEGS, patientsOfBatch } from './store.ts'

/**
 * A restored outbox tells of the past: what it calls waiting may long be done, and its receipts are spent. All of it is
 * dropped and the patients are read again; what the hub has already, it recognises and does not take twice. The gate is
 * shut until the hub has told the stops it knows.
 */
export async function dropForRestore(
  context: AgentContext,
  act: 'backup.restored' | 'keys.rotated' = 'backup.restored',
): Promise<{ batches: number; patients: number }> {
  const now = context.env.now()
  return context.store.transact(
    (done: { batches: number; patients: number }) => ({
      act,
      actor: 'office',
      detail: { ...done },
    }),
    async (tx) => {
      const open = await batchesOnLeg(tx, OPEN_LEGS)
      const patients = new Set<string>()
      for (const { batch } of open) {
        for (const { patient } of await patientsOfBatch(tx, batch)) {
          patients.add(patient)
          await markToRead(tx, patient, now)
        }
        await forgetBytes(tx, batch)
        await tx.deleteFrom('outbox_record').where('batch', '=', batch).execute()
        await tx
          .updateTable('outbox_batch')
          .set({ leg: 'dropped', moved_at: now })
          .where('batch', '=', batch)
          .execute()
      }
      await enterRestored(tx, context)
      return { batches: open.length, patients: patients.size }
    },
  )
}
