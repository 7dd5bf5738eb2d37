import type { Store } from '@kakehashi/store/store'
import { type Kysely, sql } from 'kysely'
import type { SourcesTables } from './store.ts'

/** Where a source stands before a round. */
export interface Standing {
  checkpoint: string | null
  /** Number of its last full pass. */
  run: number
  /** A person confirmed deletions: they are applied by a full pass. */
  confirmed: boolean
  /** Files with records that named nobody known, read before somebody new became known. */
  again: string[]
}

export async function standingOf(store: Store<SourcesTables>, source: string): Promise<Standing> {
  const { db } = store
  const at = await db
    .selectFrom('source_checkpoint')
    .selectAll()
    .where('source', '=', source)
    .executeTakeFirst()
  const confirmed = await db
    .selectFrom('source_brake')
    .select('type')
    .where('source', '=', source)
    .where('confirmed', '=', 1)
    .executeTakeFirst()
  // of its own accord SQLite would read the whole ledger for the few that are held
  const { rows: held } = await sql<{ file: string; tried: number }>`
    SELECT file, min(tried) AS tried FROM source_ledger INDEXED BY source_ledger_held
    WHERE source = ${source} AND state = 'held' AND code = 'PATIENT_UNRESOLVED' AND file <> ''
    GROUP BY file`.execute(db)
  const known = held.length === 0 ? 0 : await lastPatientAt(db, source)
  return {
    checkpoint: at?.checkpoint || null,
    run: at?.run ?? 0,
    confirmed: confirmed !== undefined,
    again: held.filter((row) => Number(row.tried) <= known).map((row) => row.file),
  }
}

async function lastPatientAt(db: Kysely<SourcesTables>, source: string): Promise<number> {
  const row = await db
    .selectFrom('source_ledger')
    .select((e) => e.fn.max('since').as('since'))
    .where('source', '=', source)
    .where('type', '=', 'Patient')
    .executeTakeFirst()
  return Number(row?.since ?? 0)
}
