import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import type { SourceRecord } from '@kakehashi/protocol/records'
import type { SourceEvent, SourceIndex, Span } from '../connector.ts'
import { type LabelPolicy, ruleOf } from '../labels.ts'
import type { ParsedResource } from './resource.ts'
import { readUnit } from './unit.ts'

/** How one FHIR source understands what it reads. */
export interface FhirReading {
  source: string
  facility: FacilityId
  bases: readonly string[]
  labels: LabelPolicy
  index: SourceIndex
}

export interface Place {
  provenance: SourceRecord['provenance']
  /** For people: a file and a line, or a type; names nobody. */
  place: string
  span?: Span
}

/** Everything one JSON text tells, in order. */
export async function tell(reading: FhirReading, bytes: Uint8Array, place: Place): Promise<SourceEvent[]> {
  const events: SourceEvent[] = []
  for (const one of readUnit(bytes, reading)) {
    if (one.t === 'refused') {
      const at = one.entry === null ? place.place : `${place.place} entry ${one.entry}`
      const file = place.span ? { file: place.span.file } : {}
      events.push({ t: 'quarantined', code: one.code, place: at, hash: one.hash, ...file })
    } else events.push(...(await told(reading, one.parsed, place)))
  }
  return events
}

async function told(reading: FhirReading, parsed: ParsedResource, place: Place): Promise<SourceEvent[]> {
  const { key, contentHash, labels } = parsed.record
  const { patients, unresolved } =
    parsed.named.length === 0 ? resolvedOf(parsed) : await resolve(reading, parsed)
  const where = place.span ? { span: place.span } : {}
  const { sourceTime } = parsed.record
  const when = sourceTime === undefined ? {} : { sourceTime }
  const code = unresolved
    ? 'PATIENT_UNRESOLVED'
    : ruleOf(labels, reading.labels) === 'forward'
      ? null
      : 'LABEL_HELD'
  if (code !== null) return [{ t: 'held', key, contentHash, patients, code, ...when, ...where }]
  const record = { ...parsed.record, patients, provenance: place.provenance }
  const events: SourceEvent[] = [{ t: 'record', record, ...where }]
  for (const link of parsed.links)
    events.push({ t: 'patient-link', from: patients[0] as PatientKey, to: link.to, kind: link.kind })
  return events
}

function resolvedOf(parsed: ParsedResource): { patients: PatientKey[]; unresolved: boolean } {
  return { patients: parsed.record.patients, unresolved: parsed.unresolved }
}

/** One identifier that fits nobody holds the whole record: all of its patients must be known. */
async function resolve(
  { index }: FhirReading,
  parsed: ParsedResource,
): Promise<{ patients: PatientKey[]; unresolved: boolean }> {
  const patients = new Set(parsed.record.patients)
  let unresolved = parsed.unresolved
  for (const { system, value } of parsed.named) {
    const patient = await index.patientByIdentifier(system, value)
    if (patient === null) unresolved = true
    else patients.add(patient)
  }
  return { patients: [...patients], unresolved }
}
