import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Store } from '@kakehashi/store/store'
import { sql } from 'kysely'
import type { SourceIndex, Span } from './connector.ts'
import type { SourcesTables } from './store.ts'

/** What connectors may ask of the agent's tables; `findByIdentifier` is the patient index's. */
export function sourceIndex(
  store: Store<SourcesTables>,
  findByIdentifier: (system: string | null, value: string) => Promise<PatientKey | null>,
): SourceIndex {
  return {
    async checkpoint(source) {
      const row = await store.db
        .selectFrom('source_checkpoint')
        .select('checkpoint')
        .where('source', '=', source)
        .executeTakeFirst()
      return row?.checkpoint || null
    },
    async spans(source, patients) {
      const { rows } = await sql<Span & { patient: PatientKey }>`
        SELECT s.patient, s.file, s.start, s.length, s.line
        FROM json_each(${JSON.stringify(patients)}) AS p CROSS JOIN source_span AS s
        ON s.source = ${source} AND s.patient = p.value`.execute(store.db)
      return rows
    },
    patientByIdentifier: findByIdentifier,
  }
}
