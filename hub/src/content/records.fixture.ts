import { facilityId, parsePatientKey, type PatientKey } from '@kakehashi/protocol/ids'
import type { SourceRecord } from '@kakehashi/protocol/records'
import type { ItemClass } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'

type Json = Record<string, unknown>

const ITEMS: Record<string, ItemClass> = {
  Patient: 'identity',
  Coverage: 'insurance',
  Condition: 'diagnosis',
  Observation: 'laboratory',
  MedicationRequest: 'medication',
  Encounter: 'encounter',
}

/** A record as an agent would send it, for tests beside the code. */
export function sourceRecord(patients: string | string[], resource: Json, source = 'emr'): SourceRecord {
  const keys: PatientKey[] = (Array.isArray(patients) ? patients : [patients]).map((p) => parsePatientKey(p))
  const payload = new TextEncoder().encode(JSON.stringify(resource))
  const type = String(resource['resourceType'])
  return {
    key: { source, type, id: String(resource['id']) },
    contentHash: sha256Hex(payload),
    patients: keys,
    item: ITEMS[type] ?? 'other',
    labels: { security: [], tags: [] },
    mediaType: 'application/fhir+json',
    payload,
    provenance: { run: 'test' },
  }
}

export const HOSPITAL_A = facilityId('hospital-a')
