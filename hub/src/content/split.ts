import type { SourceRecord } from '@kakehashi/protocol/records'

/** Resources that say who someone is: the identity store takes them, content does not. */
export const IDENTITY_TYPES: ReadonlySet<string> = new Set(['Patient', 'Coverage', 'RelatedPerson', 'Person'])

type Json = Record<string, unknown>

/**
 * What content keeps of a record. Clinical records stay byte for byte; of a Patient only what a release may need
 * (sex, birth date, death, prefecture) stays; of the other identity resources nothing (`null`).
 */
export function contentPart(record: SourceRecord): Uint8Array | null {
  const type = record.key.type
  if (!IDENTITY_TYPES.has(type)) return record.payload
  if (type !== 'Patient') return null
  const patient = parsed(record.payload)
  return new TextEncoder().encode(JSON.stringify(strippedPatient(patient)))
}

function strippedPatient(patient: Json): Json {
  const kept: Json = { resourceType: 'Patient' }
  for (const name of ['gender', 'birthDate', 'deceasedBoolean', 'deceasedDateTime']) {
    const value = patient[name]
    if (typeof value === 'string' || typeof value === 'boolean') kept[name] = value
  }
  if ('modifierExtension' in patient) kept['modifierExtension'] = [{ url: 'urn:kakehashi:present' }]
  const states = (Array.isArray(patient['address']) ? patient['address'] : [])
    .map((a: Json) => a?.['state'])
    .filter((state): state is string => typeof state === 'string')
  if (states.length > 0) kept['address'] = states.map((state) => ({ state }))
  return kept
}

function parsed(bytes: Uint8Array): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null ? (value as Json) : {}
  } catch {
    return {}
  }
}
