import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { recordKeyText, type SourceRecord } from '@kakehashi/protocol/records'
import type { Store } from '@kakehashi/store/store'
import { type Kysely, sql } from 'kysely'
import type { SourceConnector } from './connector.ts'
import { markAllToRead, type SourcesTables } from './store.ts'

/** Kinds that show one version of each record: an older one than before can only have been put back. */
const ONE_VERSION: ReadonlySet<SourceConnector['kind']> = new Set(['fhir-rest', 'fhir-bulk'])

export function showsOneVersion({ kind }: SourceConnector): boolean {
  return ONE_VERSION.has(kind)
}

interface Known {
  hash: string
  code: string | null
  told_at: number | null
}

/**
 * DATA T38: a server put back from a backup shows older versions than it did. The same content is never older,
 * whatever its time says.
 */
export function isRegressed({ hash, time }: { hash: string; time: Instant | null }, before: Known): boolean {
  if (time === null || before.told_at === null || time >= before.told_at) return false
  return before.hash !== hash || before.code === 'SOURCE_REGRESSED'
}

/** When the source says this version was written; `null`: it does not say. */
export function timeOf({ sourceTime }: Pick<SourceRecord, 'sourceTime'>): Instant | null {
  const at = Date.parse(sourceTime ?? '')
  return Number.isNaN(at) ? null : at
}

/**
 * Of these records, keys (as text) of those that are older than what was seen before, and whether a pass has noted it:
 * whatever ends it marks the patient to be read anew.
 */
export async function regressedAmong(
  db: Kysely<SourcesTables>,
  records: readonly SourceRecord[],
): Promise<Map<string, boolean>> {
  const dated = new Map<string, SourceRecord>()
  for (const record of records) if (timeOf(record) !== null) dated.set(recordKeyText(record.key), record)
  if (dated.size === 0) return new Map()
  const keys = [...dated.values()].map(({ key }) => [key.source, key.type, key.id])
  const { rows } = await sql<Known & SourceRecord['key']>`
    SELECT l.source, l.type, l.id, l.hash, l.code, l.told_at
    FROM json_each(${JSON.stringify(keys)}) AS k CROSS JOIN source_ledger AS l
    ON l.source = k.value ->> 0 AND l.type = k.value ->> 1 AND l.id = k.value ->> 2
    WHERE l.told_at IS NOT NULL`.execute(db)
  const older = rows.filter((row) => {
    const record = dated.get(recordKeyText(row)) as SourceRecord
    return isRegressed({ hash: record.contentHash, time: timeOf(record) }, row)
  })
  return new Map(older.map((row) => [recordKeyText(row), row.code === 'SOURCE_REGRESSED']))
}

/** A person says that the older versions are what counts now; answers how many records that was. */
export async function acceptOlder(
  store: Store<SourcesTables>,
  { source, by }: { source: string; by: string },
): Promise<number> {
  const now = store.env.now()
  return store.transact(
    (records) =>
      records > 0 ? { act: 'source.older-accepted', actor: by, detail: { source, records } } : null,
    async (tx) => {
      const accepted = await tx
        .updateTable('source_ledger')
        .set({ state: 'active', code: null, told_at: null, since: now })
        .where('source', '=', source)
        .where('code', '=', 'SOURCE_REGRESSED')
        .returning('patients')
        .execute()
      const patients = new Set(accepted.flatMap((row) => JSON.parse(row.patients) as PatientKey[]))
      await markAllToRead(tx, [...patients], now)
      return accepted.length
    },
  )
}
