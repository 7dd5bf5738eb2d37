import type { ErasureDone } from '@kakehashi/protocol/messages'
import type { AgentContext } from '../context.ts'
import { haltPatients } from '../outbox/halt.ts'
import { patientStateOf } from '../register/read.ts'
import { appendEvent } from '../register/store.ts'
import { forgetSent } from '../sources/store.ts'
import type { AgentTx } from '../store/store.ts'

/**
 * The hub erased these charts: what was sent is forgotten, what waits is dropped, and nothing is sent again before
 * staff say so. The register's own evidence stays (LAW trap 35).
 */
export async function applyErasure(tx: AgentTx, context: AgentContext, done: ErasureDone): Promise<void> {
  const now = context.env.now()
  await haltPatients(tx, done.patients, now)
  await forgetSent(tx, done.patients)
  for (const patient of done.patients) {
    await tx.deleteFrom('refused_record').where('patient', '=', patient).execute()
    await tx.deleteFrom('outbox_record').where('patient', '=', patient).execute()
    await tx.deleteFrom('patient_index').where('patient', '=', patient).execute()
    await tx.deleteFrom('patient_identifier').where('patient', '=', patient).execute()
    await tx.deleteFrom('to_read').where('patient', '=', patient).execute()
    const { stops, holds } = await patientStateOf(tx, patient)
    const held =
      holds.length > 0 || stops.some((s) => s.standing === 'confirmed' || s.standing === 'provisional')
    if (!held)
      await appendEvent(tx, {
        type: 'hold-set',
        event: context.env.id(),
        recordedAt: now,
        by: 'operator',
        patient,
        reason: 'other',
      })
  }
}
