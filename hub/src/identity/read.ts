import { Personal, type PatientKey } from '@kakehashi/protocol/ids'
import type { Reading } from '../content/reading.ts'
import type { IdentityTables } from './store.ts'

/** A chart's names as received, for the screen of whoever must decide. Printed anywhere else they are redacted. */
export interface NamedChart {
  patient: PatientKey
  name: Personal
  kana: Personal
  birthDate: Personal
  sex: string | null
  address: Personal
  phone: Personal
}

type Json = Record<string, unknown>

export async function namedChart(
  db: Reading<IdentityTables>,
  patient: PatientKey,
): Promise<NamedChart | null> {
  const row = await db
    .selectFrom('identity_source')
    .select('payload')
    .where('patient', '=', patient)
    .where('type', '=', 'Patient')
    .orderBy('received_at', 'desc')
    .executeTakeFirst()
  if (!row) return null
  const resource = JSON.parse(row.payload) as Json
  const names = all(resource['name'])
  const kana = names.find((n) => all(n['extension']).some((e) => e['valueCode'] === 'SYL'))
  const kanji = names.find((n) => n !== kana) ?? kana
  return {
    patient,
    name: new Personal(nameText(kanji)),
    kana: new Personal(nameText(kana)),
    birthDate: new Personal(String(resource['birthDate'] ?? '')),
    sex: typeof resource['gender'] === 'string' ? resource['gender'] : null,
    address: new Personal(String(all(resource['address'])[0]?.['text'] ?? '')),
    phone: new Personal(String(all(resource['telecom'])[0]?.['value'] ?? '')),
  }
}

function nameText(name: Json | undefined): string {
  if (!name) return ''
  if (typeof name['text'] === 'string') return name['text']
  const given = Array.isArray(name['given']) ? name['given'].join('') : ''
  return `${String(name['family'] ?? '')} ${given}`.trim()
}

function all(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : []
}
