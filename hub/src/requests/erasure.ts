import type { PatientKey } from '@kakehashi/protocol/ids'
import type { OpsTx } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import { chartHash, slices } from './charts.ts'
import { erasedOf, keepErased } from './told-stops.ts'

/**
 * From this commit on nothing of these charts is admitted; the erasing itself follows outside the transaction and
 * is taken up again after a crash.
 */
export async function askErasure(
  tx: OpsTx,
  parts: VaultParts,
  ask: { patients: PatientKey[]; by: string; stop: string | null },
): Promise<string> {
  const erasure = parts.env.id()
  const now = parts.env.now()
  const patients = [...new Set(ask.patients)].toSorted()
  await tx
    .insertInto('erasure')
    .values({
      erasure,
      state: 'asked',
      asked_at: now,
      asked_by: ask.by,
      stop: ask.stop,
      patients: JSON.stringify(patients),
      done_at: null,
      certificate: null,
    })
    .execute()
  const rows = patients.map((patient) => ({
    hash: chartHash(parts.keys.tombstone, patient),
    erasure,
    at: now,
    hits: 0,
  }))
  for (const part of slices(rows))
    await tx
      .insertInto('tombstone')
      .values(part)
      .onConflict((c) => c.doNothing())
      .execute()
  await keepErased(
    tx,
    patients.map((patient) => erasedOf(parts.keys.tombstone, patient)),
  )
  return erasure
}
