import { parsePatientKey, type PatientKey, Personal } from '@kakehashi/protocol/ids'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'
import type { PatientFacts } from './rules.ts'
import { kanaKey, kanjiKey, numberKey } from './words.ts'

export interface PatientsTables {
  patient_index: {
    patient: string
    number: string
    number_key: string
    kanji: string
    kanji_key: string
    kana: string
    kana_key: string
    birth_date: string | null
    sex: string
    deceased_on: string | null
    active: number
    source: string
    seen_at: number
  }
  patient_identifier: { system: string; value: string; patient: string }
  /** What a source says of two charts (`Patient.link`); whether they are merged is the register's to say. */
  patient_link: { chart: string; other: string; kind: string; seen_at: number }
}

export const patientsMigrations: readonly Migration[] = [
  {
    name: 'patients-001',
    up: (w) => [
      `CREATE TABLE patient_index (patient ${w.text} PRIMARY KEY, number ${w.text} NOT NULL, number_key ${w.text} NOT NULL, kanji ${w.text} NOT NULL, kanji_key ${w.text} NOT NULL, kana ${w.text} NOT NULL, kana_key ${w.text} NOT NULL, birth_date ${w.text}, sex ${w.text} NOT NULL, deceased_on ${w.text}, active ${w.int} NOT NULL, source ${w.text} NOT NULL, seen_at ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX patient_index_number ON patient_index (number_key)`,
      `CREATE INDEX patient_index_kana ON patient_index (kana_key, birth_date, number)`,
      `CREATE INDEX patient_index_kanji ON patient_index (kanji_key)`,
      `CREATE INDEX patient_index_birth ON patient_index (birth_date)`,
      `CREATE TABLE patient_identifier (system ${w.text} NOT NULL, value ${w.text} NOT NULL, patient ${w.text} NOT NULL, PRIMARY KEY (value, system, patient))${w.strict}`,
      `CREATE INDEX patient_identifier_patient ON patient_identifier (patient)`,
      `CREATE TABLE patient_link (chart ${w.text} NOT NULL, other ${w.text} NOT NULL, kind ${w.text} NOT NULL, seen_at ${w.int} NOT NULL, PRIMARY KEY (chart, other, kind))${w.strict}`,
    ],
  },
]

export type PatientsTx = Tx<PatientsTables>
export type PatientsReader = Kysely<PatientsTables>

/** One person as the counter shows them. */
export interface IndexedPatient {
  patient: PatientKey
  number: string
  kanji: Personal
  kana: Personal
  birthDate: LocalDate | null
  sex: PatientFacts['sex']
  deceasedOn: LocalDate | null
}

export async function keepPatient(
  tx: PatientsTx,
  patient: PatientKey,
  facts: PatientFacts,
  source: string,
  now: number,
): Promise<void> {
  const row = {
    number: facts.number,
    number_key: numberKey(facts.number),
    kanji: facts.kanji,
    kanji_key: kanjiKey(facts.kanji),
    kana: facts.kana,
    kana_key: kanaKey(facts.kana),
    birth_date: facts.birthDate,
    sex: facts.sex,
    deceased_on: facts.deceasedOn,
    active: facts.active ? 1 : 0,
    source,
    seen_at: now,
  }
  await tx
    .insertInto('patient_index')
    .values({ patient, ...row })
    .onConflict((c) => c.column('patient').doUpdateSet(row))
    .execute()
  await tx.deleteFrom('patient_identifier').where('patient', '=', patient).execute()
  if (facts.identifiers.length > 0)
    await tx
      .insertInto('patient_identifier')
      .values(facts.identifiers.map(({ system, value }) => ({ system, value, patient })))
      .onConflict((c) => c.doNothing())
      .execute()
}

export async function keepLink(
  tx: PatientsTx,
  link: { from: PatientKey; to: PatientKey; kind: string },
  now: number,
): Promise<void> {
  await tx
    .insertInto('patient_link')
    .values({ chart: link.from, other: link.to, kind: link.kind, seen_at: now })
    .onConflict((c) => c.columns(['chart', 'other', 'kind']).doNothing())
    .execute()
}

export type IndexRow = PatientsTables['patient_index']

export function shownOf(row: IndexRow): IndexedPatient {
  return {
    patient: parsePatientKey(row.patient),
    number: row.number,
    kanji: new Personal(row.kanji),
    kana: new Personal(row.kana),
    birthDate: row.birth_date,
    sex: row.sex as PatientFacts['sex'],
    deceasedOn: row.deceased_on,
  }
}

export async function readPatient(db: PatientsReader, patient: PatientKey): Promise<IndexedPatient | null> {
  const row = await db
    .selectFrom('patient_index')
    .selectAll()
    .where('patient', '=', patient)
    .executeTakeFirst()
  return row ? shownOf(row) : null
}

/** Of a list that is shown at once: one read for all of it. */
export async function readPatients(
  db: PatientsReader,
  patients: readonly PatientKey[],
): Promise<Map<PatientKey, IndexedPatient>> {
  const wanted = [...new Set(patients)]
  if (wanted.length === 0) return new Map()
  const rows = await db.selectFrom('patient_index').selectAll().where('patient', 'in', wanted).execute()
  return new Map(rows.map(shownOf).map((one) => [one.patient, one]))
}

/** The one patient who bears this identifier; `null` when none or several do. */
export async function patientByIdentifier(
  db: PatientsReader,
  system: string | null,
  value: string,
): Promise<PatientKey | null> {
  let query = db
    .selectFrom('patient_identifier')
    .select('patient')
    .distinct()
    .where('value', '=', value)
    .limit(2)
  if (system !== null) query = query.where('system', '=', system)
  const [first, second] = await query.execute()
  return first && !second ? parsePatientKey(first.patient) : null
}
