import type { PatientKey } from '@kakehashi/protocol/ids'
import type { ExpressionBuilder } from 'kysely'
import {
  type IndexedPatient,
  type IndexRow,
  type PatientsReader,
  type PatientsTables,
  readPatient,
  readPatients,
  shownOf,
} from './store.ts'
import { kanaKey, type Query, queryOf } from './words.ts'

export const SEARCH_ROWS_MAX = 8

export interface Found {
  people: IndexedPatient[]
  /** The number typed is exactly this one person's. */
  exact: boolean
  /** There were more than fit. */
  more: boolean
}

/** The counter's search: a number first, then names and birth dates; never more than {@link SEARCH_ROWS_MAX} people. */
export async function searchPatients(
  db: PatientsReader,
  typed: string,
  limit: number = SEARCH_ROWS_MAX,
): Promise<Found> {
  const query = queryOf(typed)
  const most = Math.min(limit, SEARCH_ROWS_MAX)
  const numbered = await byNumbers(db, query, most + 1)
  const others = named(query) ? await byNameAndDate(db, query, most + 1) : []
  const rows = [...new Map([...numbered, ...others].map((row) => [row.patient, row])).values()]
  const [only] = numbered
  const exact =
    rows.length === 1 && only !== undefined && [query.number, query.framed].includes(only.number_key)
  return { people: rows.slice(0, most).map(shownOf), exact, more: rows.length > most }
}

/** As typed first; a number between a barcode's own signs only when there is none of the whole. */
async function byNumbers(db: PatientsReader, query: Query, limit: number): Promise<IndexRow[]> {
  const whole = query.number === null ? [] : await byNumber(db, query.number, limit)
  if (whole.length > 0 || query.framed === null) return whole
  return byNumber(db, query.framed, limit)
}

function named(query: Query): boolean {
  return query.birthDate !== null || query.kana !== null || query.kanji !== null
}

async function byNumber(db: PatientsReader, number: string, limit: number): Promise<IndexRow[]> {
  const same = await db
    .selectFrom('patient_index')
    .selectAll()
    .where('number_key', '=', number)
    .orderBy('number')
    .limit(limit)
    .execute()
  if (same.length > 0 || number.length < 3) return same
  return db
    .selectFrom('patient_index')
    .selectAll()
    .where((e) => begins(e, 'number_key', number))
    .orderBy('number')
    .limit(limit)
    .execute()
}

async function byNameAndDate(db: PatientsReader, query: Query, limit: number): Promise<IndexRow[]> {
  const { birthDate, kana, kanji } = query
  let select = db.selectFrom('patient_index').selectAll()
  if (birthDate !== null) select = select.where('birth_date', '=', birthDate)
  if (kana !== null) select = select.where((e) => begins(e, 'kana_key', kana))
  if (kanji !== null) select = select.where((e) => begins(e, 'kanji_key', kanji))
  return select.orderBy('kana_key').orderBy('birth_date').orderBy('number').limit(limit).execute()
}

function begins(
  e: ExpressionBuilder<PatientsTables, 'patient_index'>,
  column: 'number_key' | 'kana_key' | 'kanji_key',
  start: string,
) {
  return e.and([e(column, '>=', start), e(column, '<', `${start}\u{10ffff}`)])
}

/** Other charts that look like the same person's: same kana, birth date and sex (LAW trap 27). */
export async function chartsLike(db: PatientsReader, patient: PatientKey): Promise<IndexedPatient[]> {
  const one = await readPatient(db, patient)
  const kana = one === null ? '' : kanaKey(one.kana.reveal())
  if (one === null || one.birthDate === null || kana === '') return []
  const rows = await db
    .selectFrom('patient_index')
    .selectAll()
    .where('kana_key', '=', kana)
    .where('birth_date', '=', one.birthDate)
    .where('sex', '=', one.sex)
    .where('patient', '!=', patient)
    .limit(SEARCH_ROWS_MAX)
    .execute()
  return rows.map(shownOf)
}

/** Whether somebody else's chart bears the same kana: then the name alone says nothing. */
export async function hasNamesake(db: PatientsReader, person: IndexedPatient): Promise<boolean> {
  const kana = kanaKey(person.kana.reveal())
  if (kana === '') return false
  const other = await db
    .selectFrom('patient_index')
    .select('patient')
    .where('kana_key', '=', kana)
    .where('patient', '!=', person.patient)
    .limit(1)
    .executeTakeFirst()
  return other !== undefined
}

/** What the counter needs of the index. */
export function patientFinder(db: PatientsReader): {
  search(typed: string, limit: number): Promise<Found>
  read(patient: PatientKey): Promise<IndexedPatient | null>
  readAll(patients: readonly PatientKey[]): Promise<Map<PatientKey, IndexedPatient>>
  hasNamesake(person: IndexedPatient): Promise<boolean>
} {
  return {
    search: (typed, limit) => searchPatients(db, typed, limit),
    read: (patient) => readPatient(db, patient),
    readAll: (patients) => readPatients(db, patients),
    hasNamesake: (person) => hasNamesake(db, person),
  }
}
