import { erasedChartHash } from '@kakehashi/protocol/erased-chart'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { fromBase64 } from '@kakehashi/protocol/signing'
import type { RegisterReader } from './read.ts'

export interface Restored {
  restoredAt: number
  /** `null`: the hub has not told all stops yet, and the gate is shut. */
  openedAt: number | null
  /** Lines of our own audit log that the hub has seen and this copy lacks. */
  missingLeaves: number | null
}

export async function restoredOf(db: RegisterReader): Promise<Restored | null> {
  const row = await db.selectFrom('restored').selectAll().executeTakeFirst()
  return row
    ? { restoredAt: row.restored_at, openedAt: row.opened_at, missingLeaves: row.missing_leaves }
    : null
}

/** No batch is numbered at or below this. */
export async function sequenceFrom(db: RegisterReader): Promise<number> {
  const row = await db.selectFrom('restored').select('sequence_from').executeTakeFirst()
  return row?.sequence_from ?? 0
}

/** Charts the hub erased and this copy may know nothing of: refused at the gate. */
export async function isErasedChart(db: RegisterReader): Promise<(patient: PatientKey) => boolean> {
  const rows = await db.selectFrom('erased_chart').selectAll().execute()
  const [first] = rows
  if (!first) return () => false
  const key = fromBase64(first.key)
  const hashes = new Set(rows.map((row) => row.hash))
  return (patient) => hashes.has(erasedChartHash(key, patient))
}
