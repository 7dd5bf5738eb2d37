import type { PatientKey, PersonKey } from '@kakehashi/protocol/ids'
import type { Migration } from '@kakehashi/store/migrate'
import type { Reading } from '../content/reading.ts'
import type { IdentityTables } from '../identity/store.ts'

export interface LinkageTables {
  /** The link map: it lives here and nowhere else. */
  link: { patient: string; person: string; decision: string }
  /** Append-only. `chart` is the patient key, or its keyed hash once the chart was erased. */
  link_decision: {
    id: string
    at: number
    kind: 'attach' | 'new-person' | 'review' | 'unlink' | 'join' | 'keep'
    chart: string
    person: string
    /** The chart whose agreement decided. */
    via: string | null
    reasons: string
    engine: string
    actor: string
  }
  link_review: {
    id: string
    chart: string
    persons: string
    reasons: string
    opened_at: number
    closed_at: number | null
    outcome: string | null
    actor: string | null
  }
  /** A human said these two charts are not one person; outlives every relinking. */
  link_never: { a: string; b: string; by_whom: string; at: number }
}

export type LinkingTables = IdentityTables & LinkageTables

export const linkageMigrations: readonly Migration[] = [
  {
    name: '210-linkage',
    up: (w) => [
      `CREATE TABLE link_decision (id ${w.text} PRIMARY KEY, at ${w.int} NOT NULL, kind ${w.text} NOT NULL, chart ${w.text} NOT NULL, person ${w.text} NOT NULL, via ${w.text}, reasons ${w.text} NOT NULL, engine ${w.text} NOT NULL, actor ${w.text} NOT NULL)${w.strict}`,
      `CREATE INDEX link_decision_chart ON link_decision (chart, at)`,
      `CREATE TABLE link (patient ${w.text} PRIMARY KEY, person ${w.text} NOT NULL, decision ${w.text} NOT NULL REFERENCES link_decision (id))${w.strict}`,
      `CREATE INDEX link_person ON link (person)`,
      `CREATE TABLE link_review (id ${w.text} PRIMARY KEY, chart ${w.text} NOT NULL, persons ${w.text} NOT NULL, reasons ${w.text} NOT NULL, opened_at ${w.int} NOT NULL, closed_at ${w.int}, outcome ${w.text}, actor ${w.text})${w.strict}`,
      `CREATE INDEX link_review_open ON link_review (closed_at, opened_at)`,
      `CREATE TABLE link_never (a ${w.text} NOT NULL, b ${w.text} NOT NULL, by_whom ${w.text} NOT NULL, at ${w.int} NOT NULL, PRIMARY KEY (a, b))${w.strict}`,
    ],
  },
]

/** Every chart of one person. */
export async function chartsOf(db: Reading<LinkageTables>, person: PersonKey): Promise<PatientKey[]> {
  const rows = await db.selectFrom('link').select('patient').where('person', '=', person).execute()
  return rows.map((r) => r.patient as PatientKey)
}

export async function personOf(db: Reading<LinkageTables>, patient: PatientKey): Promise<PersonKey | null> {
  const row = await db.selectFrom('link').select('person').where('patient', '=', patient).executeTakeFirst()
  return (row?.person as PersonKey | undefined) ?? null
}

/** The whole link map, page by page. */
export async function* links(
  db: Reading<LinkageTables>,
  page = 5000,
): AsyncGenerator<{ patient: PatientKey; person: PersonKey }> {
  for (let after = ''; ;) {
    const rows = await db
      .selectFrom('link')
      .select(['patient', 'person'])
      .where('patient', '>', after)
      .orderBy('patient')
      .limit(page)
      .execute()
    for (const row of rows) yield row as { patient: PatientKey; person: PersonKey }
    const last = rows.at(-1)
    if (!last) return
    after = last.patient
  }
}
