import { hash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import { type FacilityId, MalformedId, patientKey, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { itemClassOf } from '@kakehashi/protocol/rules/item-class'
import { canonicalText } from './canonical-text.ts'
import { PATIENT_ELEMENTS, SHARED_TYPES, valuesAt } from './compartment.ts'
import { type ReferenceScope, targetOf } from './reference.ts'

export const FHIR_JSON = 'application/fhir+json'

export interface ResourceScope extends ReferenceScope {
  source: string
  facility: FacilityId
}

export interface Resource {
  resourceType: string
  id: string
  [element: string]: unknown
}

/** One resource, read and understood as far as the gate needs; its bytes are untouched. */
export interface ParsedResource {
  resource: Resource
  record: Omit<SourceRecord, 'provenance'>
  /** Patients named by an identifier only; the caller must resolve every one of them. */
  named: { system: string | null; value: string }[]
  /** A patient is named in a way that cannot be followed, or none is named where one must be. */
  unresolved: boolean
  links: { to: PatientKey; kind: 'replaced-by' | 'replaces' | 'refer' | 'seealso' }[]
}

/**
 * Throws {@link Refused}: `NOT_UTF8`, `LINE_NOT_JSON` (also for a key given twice and for too many levels) or
 * `NOT_A_RESOURCE`. Never puts content into the error.
 */
export function parseResource(bytes: Uint8Array, scope: ResourceScope): ParsedResource {
  if (!isUtf8(bytes)) throw new Refused('NOT_UTF8')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return understand(readJson(text), bytes, scope)
}

export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refused('LINE_NOT_JSON')
  }
}

const ID = /^[A-Za-z0-9.-]{1,64}$/
const TYPE = /^[A-Z][A-Za-z]{1,63}$/

/** `bytes` are the JSON of `value`, as the source wrote it. */
export function understand(value: unknown, bytes: Uint8Array, scope: ResourceScope): ParsedResource {
  const contentHash = hash('sha256', canonicalText(bytes), 'hex')
  const resource = asResource(value)
  const { resourceType: type, id } = resource
  const found = patientsOf(resource, scope)
  const meta = resource['meta'] as { versionId?: unknown; lastUpdated?: unknown } | undefined
  const record: ParsedResource['record'] = {
    key: { source: scope.source, type, id },
    contentHash,
    patients: found.patients,
    item: itemClassOf(type, categoriesOf(resource)),
    labels: { security: securityOf(resource), tags: codes(valuesAt(resource, 'meta.tag')) },
    mediaType: FHIR_JSON,
    payload: bytes,
  }
  if (typeof meta?.versionId === 'string') record.sourceVersion = meta.versionId
  if (typeof meta?.lastUpdated === 'string') record.sourceTime = meta.lastUpdated
  return {
    resource,
    record,
    named: found.named,
    unresolved: found.unresolved,
    links: linksOf(resource, scope),
  }
}

function asResource(value: unknown): Resource {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused('NOT_A_RESOURCE')
  const { resourceType, id } = value as Partial<Resource>
  if (typeof resourceType !== 'string' || !TYPE.test(resourceType)) throw new Refused('NOT_A_RESOURCE')
  if (typeof id !== 'string' || !ID.test(id)) throw new Refused('NOT_A_RESOURCE')
  return value as Resource
}

interface Found {
  patients: PatientKey[]
  named: ParsedResource['named']
  unresolved: boolean
}

function patientsOf(resource: Resource, scope: ResourceScope): Found {
  const { resourceType: type } = resource
  if (type === 'Patient')
    return { patients: [keyOf(scope.facility, resource.id)], named: [], unresolved: false }
  const elements = PATIENT_ELEMENTS[type]
  if (elements === undefined) return { patients: [], named: [], unresolved: !SHARED_TYPES.has(type) }
  const patients = new Set<PatientKey>()
  const named: ParsedResource['named'] = []
  let foreign = false
  for (const [n, element] of elements.entries()) {
    for (const reference of valuesAt(resource, element)) {
      const told = whose(reference, resource, scope, n === 0)
      if (told === 'foreign') foreign ||= n === 0
      else if (typeof told === 'string') patients.add(told)
      else if (told !== null) named.push(told)
    }
  }
  const nobody = patients.size === 0 && named.length === 0
  return { patients: [...patients], named, unresolved: foreign || (nobody && !SHARED_TYPES.has(type)) }
}

/** `null`: somebody or something that is no patient. Identifiers are followed only where a patient must stand. */
function whose(
  reference: unknown,
  owner: Resource,
  scope: ResourceScope,
  leading: boolean,
): PatientKey | ParsedResource['named'][number] | 'foreign' | null {
  const target = targetOf(reference, scope)
  if (target.t === 'local') return target.type === 'Patient' ? keyOf(scope.facility, target.id) : null
  if (target.t === 'identifier') {
    const patient = target.type === 'Patient' || (target.type === null && leading)
    return patient ? { system: target.system, value: target.value } : null
  }
  if (target.t === 'contained') return containedPatient(owner, target.id)
  return target.t === 'foreign' && leading ? 'foreign' : null
}

/** A patient inside the resource has no number of its own here: only an identifier can say who it is. */
function containedPatient(owner: Resource, id: string): ParsedResource['named'][number] | 'foreign' | null {
  const inside = valuesAt(owner, 'contained').find((c) => (c as Partial<Resource> | null)?.id === id)
  if (inside === undefined) return 'foreign'
  if ((inside as Partial<Resource>).resourceType !== 'Patient') return null
  const [identifier] = valuesAt(inside, 'identifier') as { system?: unknown; value?: unknown }[]
  if (typeof identifier?.value !== 'string') return 'foreign'
  return { system: typeof identifier.system === 'string' ? identifier.system : null, value: identifier.value }
}

function keyOf(facility: FacilityId, id: string): PatientKey {
  try {
    return patientKey(facility, id)
  } catch (error) {
    if (error instanceof MalformedId) throw new Refused('NOT_A_RESOURCE')
    throw error
  }
}

function linksOf(resource: Resource, scope: ResourceScope): ParsedResource['links'] {
  if (resource.resourceType !== 'Patient') return []
  return valuesAt(resource, 'link').flatMap((link) => {
    const { other, type } = link as { other?: unknown; type?: unknown }
    const target = targetOf(other, scope)
    if (target.t !== 'local' || target.type !== 'Patient') return []
    if (type !== 'replaced-by' && type !== 'replaces' && type !== 'refer' && type !== 'seealso') return []
    return [{ to: keyOf(scope.facility, target.id), kind: type }]
  })
}

function securityOf(resource: Resource): string[] {
  const labels = codes(valuesAt(resource, 'meta.security'))
  if (resource.resourceType === 'DocumentReference')
    labels.push(...codes(valuesAt(resource, 'securityLabel.coding')))
  if (resource.resourceType === 'Composition' && typeof resource['confidentiality'] === 'string')
    labels.push(`http://terminology.hl7.org/CodeSystem/v3-Confidentiality|${resource['confidentiality']}`)
  return labels
}

function categoriesOf(resource: Resource): string[] {
  const codings = valuesAt(resource, 'category.coding') as { code?: unknown }[]
  return codings.flatMap((coding) => (typeof coding?.code === 'string' ? [coding.code] : []))
}

function codes(codings: unknown[]): string[] {
  return codings.flatMap((coding) => {
    if (typeof coding !== 'object' || coding === null) return []
    const { system, code } = coding as Record<string, unknown>
    return typeof code === 'string' ? [`${typeof system === 'string' ? system : ''}|${code}`] : []
  })
}
