import { createHmac } from 'node:crypto'
import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import type { AskedPerson } from '@kakehashi/protocol/messages'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { chartIdentity } from '../identity/chart.ts'
import type { Reading } from '../content/reading.ts'
import type { IdentityTables } from '../identity/store.ts'
import { kanaCode, kanjiFold } from '../linkage/normalise.ts'

const EVERYWHERE = '*'

interface Bearer {
  kana: string | null
  kanji: string | null
  birthDate: string | null
}

/** Without a birth date a name alone would hold too many: then only the hospital, which can ask, matches it. */
function hashesOf(key: Uint8Array, facility: string, { kana, kanji, birthDate }: Bearer): string[] {
  if (birthDate === null) return []
  const keyed = (kind: string, name: string | null): string[] =>
    name === null || name === ''
      ? []
      : [
          createHmac('sha256', key)
            .update(`kakehashi/named\0${facility}\0${kind}\0${name}\0${birthDate}`)
            .digest('hex'),
        ]
  return [...keyed('kana', kana), ...keyed('kanji', kanji)]
}

function bearerOf(person: Pick<AskedPerson, 'name' | 'kana' | 'birthDate'>): Bearer {
  return { kana: kanaCode(person.kana), kanji: kanjiFold(person.name), birthDate: person.birthDate }
}

/** By what the second gate knows a person stopped by name again: keyed hashes, nothing that names anybody. */
export function namesAsked(
  key: Uint8Array,
  person: Pick<AskedPerson, 'name' | 'kana' | 'birthDate'>,
  facilities: readonly FacilityId[] | null,
): string[] {
  return (facilities ?? [EVERYWHERE]).flatMap((facility) => hashesOf(key, facility, bearerOf(person)))
}

/** The same for each chart of a batch whose Patient resource is in it. */
export function namesInBatch(
  key: Uint8Array,
  facility: FacilityId,
  records: readonly SourceRecord[],
): Map<PatientKey, string[]> {
  const names = new Map<PatientKey, string[]>()
  for (const record of records) {
    const [patient] = record.patients
    const resource = patient === undefined ? null : patientResource(record)
    if (!patient || !resource) continue
    const { kanaFamily, kanaGiven, kanjiFamily, kanjiGiven, birthDate } = chartIdentity([resource])
    const bearer = { kana: joined(kanaFamily, kanaGiven), kanji: joined(kanjiFamily, kanjiGiven), birthDate }
    const hashes = [facility, EVERYWHERE].flatMap((place) => hashesOf(key, place, bearer))
    names.set(patient, [...(names.get(patient) ?? []), ...hashes])
  }
  return names
}

function joined(family: string | null, given: string | null): string {
  return `${family ?? ''}${given ?? ''}`
}

const PATIENT = Buffer.from('"Patient"')

function patientResource(record: SourceRecord): Record<string, unknown> | null {
  const bytes = Buffer.from(record.payload)
  if (!bytes.includes(PATIENT)) return null
  try {
    const resource = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
    return resource['resourceType'] === 'Patient' ? resource : null
  } catch {
    return null
  }
}

/** Charts already here that bear the name and the birth date. For the vault's own use: shown to nobody unverified. */
export async function chartsNamed(
  db: Reading<IdentityTables>,
  person: Pick<AskedPerson, 'name' | 'kana' | 'birthDate'>,
  facilities: readonly FacilityId[] | null,
): Promise<PatientKey[]> {
  const { kana, kanji, birthDate } = bearerOf(person)
  if (birthDate === null) return []
  const rows = await db
    .selectFrom('identity_patient')
    .select(['patient', 'facility', 'kana_family', 'kana_given', 'kanji_family', 'kanji_given'])
    .where('birth_date', '=', birthDate)
    .execute()
  return rows
    .filter((row) => facilities === null || facilities.some((one) => one === row.facility))
    .filter(
      (row) =>
        (kana !== null && joined(row.kana_family, row.kana_given) === kana) ||
        (kanji !== null && joined(row.kanji_family, row.kanji_given) === kanji),
    )
    .map((row) => row.patient as PatientKey)
}

/** Charts already here under exactly this number, however padded, and birth date. Shown to nobody unverified. */
export async function chartsNumbered(
  db: Reading<IdentityTables>,
  facility: FacilityId,
  number: string,
  birthDate: string,
): Promise<PatientKey[]> {
  const rows = await db
    .selectFrom('identity_patient')
    .select('patient')
    .where('facility', '=', facility)
    .where('birth_date', '=', birthDate)
    .execute()
  const bare = (text: string): string =>
    text
      .toUpperCase()
      .replaceAll('-', '')
      .replace(/^0+(?=.)/, '')
  return rows
    .map((row) => row.patient as PatientKey)
    .filter((patient) => bare(patient.slice(facility.length + 1)) === bare(number))
}
