import { erasedChartHash } from '@kakehashi/protocol/erased-chart'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { fromBase64 } from '@kakehashi/protocol/signing'
import type { RegisterReader } from './read.ts'

export interface Restored {
  restoredAt: number
  /** `null`: the hub has not told all stops yet, and the gate is shut. */
  openedAt: number | null
  /** A page of what the hub holds is awaited: the gate is shut until the last one. */
  recordsAwaited: boolean
  /** Lines of our own audit log that the hub has seen and this copy lacks. */
  missingLeaves: number | null
}

export async function restoredOf(db: RegisterReader): Promise<Restored | null> {
  const row = await db.selectFrom('restored').selectAll().executeTakeFirst()
  return row
    ? {
        restoredAt: row.restored_at,
        openedAt: row.opened_at,
        recordsAwaited: row.records_state === 'waits' || row.records_state === 'again',
        missingLeaves: row.missing_leaves,
      }
    : null
}

/** Why nothing of anybody may leave after a restore, if so. */
export async function shutByRestore(db: RegisterReader): Promise<'STOPS_UNKNOWN' | 'RECORDS_UNKNOWN' | null> {
  const restored = await restoredOf(db)
  if (restored === null) return null
  if (restored.openedAt === null) return 'STOPS_UNKNOWN'
  return restored.recordsAwaited ? 'RECORDS_UNKNOWN' : null
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
