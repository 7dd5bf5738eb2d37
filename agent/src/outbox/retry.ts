import type { PatientKey } from '@kakehashi/protocol/ids'
import type { AgentContext } from '../context.ts'
import { markAllToRead } from '../sources/store.ts'

/** Refusals whose reason may have passed: whoever was in them is read again. */
export async function retryRefused(context: AgentContext): Promise<void> {
  const now = context.env.now()
  await context.store.bookkeep(async (tx) => {
    const due = await tx
      .selectFrom('refused_record')
      .select(['batch', 'patient'])
      .where('retry_at', '<=', now)
      .execute()
    if (due.length === 0) return
    const patients = new Set<string>()
    for (const { batch, patient } of due) {
      if (patient !== null) patients.add(patient)
      else
        for (const row of await tx
          .selectFrom('outbox_patient')
          .select('patient')
          .where('batch', '=', batch)
          .execute())
          patients.add(row.patient)
    }
    await markAllToRead(tx, [...patients] as PatientKey[], now)
    await tx.updateTable('refused_record').set({ retry_at: null }).where('retry_at', '<=', now).execute()
  })
}
