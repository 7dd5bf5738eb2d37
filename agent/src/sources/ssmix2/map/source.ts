import type { Composite, Message, Segment } from '../../hl7v2/message.ts'
import { fhirTime } from '../../hl7v2/time.ts'
import type { StoredName } from '../file-name.ts'
import { resourceId } from './resource-id.ts'

/** What every mapping is given. */
export interface Source {
  message: Message
  name: StoredName
  institution: string | null
}

export type Json = Record<string, unknown>

/** One resource and the segments it was made of, whose bytes travel with it. */
export interface Mapped {
  resource: Json & { resourceType: string; id: string }
  segments: readonly Segment[]
  security?: string[]
}

/** Members that say nothing are left out, so that equal content has equal bytes. */
export function filled(members: Json): Json {
  const kept: Json = {}
  for (const name in members) {
    const value = members[name]
    if (value === undefined || value === null || value === '') continue
    if (typeof value === 'object' && isEmpty(value)) continue
    kept[name] = value
  }
  return kept
}

// a number kept as it was written (`JSON.rawJSON`) has no prototype
function isEmpty(value: object): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const _ in value) return false
  return true
}

export function resource(type: string, id: string, members: Json): Mapped['resource'] {
  return { resourceType: type, id, ...filled(members) }
}

/** The id of what is in a message: its storage key, then what names it within. */
export function idOf({ name }: Source, ...within: string[]): string {
  return resourceId(name.patient, name.date, name.kind, name.order, ...within)
}

export function patientIdOf(patient: string): string {
  return resourceId(patient)
}

export function subject(source: Source): Json {
  return { reference: `Patient/${patientIdOf(source.name.patient)}` }
}

/** A name that comes twice in one message gets its turn added; the first keeps its id (S-order, DATA §2.4.9). */
export class Names {
  readonly #turns = new Map<string, number>()
  next(name: string): string {
    const turn = (this.#turns.get(name) ?? 0) + 1
    this.#turns.set(name, turn)
    return turn === 1 ? name : `${name}~${turn}`
  }
}

/** Keeps the zeros of a decimal. `null`: no number. */
export function decimal(text: string): unknown {
  const told = /^\s*\+?(-?\d+(?:\.\d+)?)\s*$/.exec(text)?.[1]?.replace(/^(-?)0+(?=\d)/, '$1')
  if (told === undefined || told.length > 40) return null
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(told)
}

export function quantity(value: string, unit: Composite): Json | null {
  const number = decimal(value)
  if (number === null) return null
  const coded = codeOf(unit)
  return filled({
    value: number,
    unit: unit.text(2) || unit.text(1),
    ...(coded && { system: coded['system'], code: coded['code'] }),
  })
}

const SYSTEMS: Readonly<Record<string, string>> = {
  JC10: 'urn:oid:1.2.392.200119.4.504',
  HOT7: 'http://medis.or.jp/CodeSystem/master-HOT7',
  HOT9: 'urn:oid:1.2.392.200119.4.403.1',
  HOT13: 'http://medis.or.jp/CodeSystem/master-HOT13',
  YJ: 'http://capstandard.jp/iyaku.info/CodeSystem/YJ-code',
  MDCDX2: 'http://medis.or.jp/CodeSystem/master-disease-keyNumber',
  I10: 'http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full',
  MR9P: 'urn:oid:1.2.392.100495.20.2.101',
  JAMISDP01: 'urn:oid:1.2.392.200250.2.2.20',
  JJ1017: 'urn:oid:1.2.392.200250.2.1.3.1.17',
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  'ISO+': 'urn:iso:std:iso-plus',
}

/** JLAC10 of another length than 17 (or its 5-character core) is a code of nobody's list: local (S12). */
export function systemOf(name: string, code: string, institution: string | null): string {
  if (name === 'JC10' && code.length !== 17)
    return code.length === 5 ? 'urn:oid:1.2.392.200119.4.1005' : 'urn:x-ssmix2:JC10'
  const table = /^HL7(\d{4})$/.exec(name.replace(/^HL70*(?=\d{4}$)/, 'HL7'))?.[1]
  if (table !== undefined) return `http://terminology.hl7.org/CodeSystem/v2-${table}`
  if (name.startsWith('99')) return `urn:x-ssmix2:${institution ?? 'local'}:${name}`
  return SYSTEMS[name] ?? `urn:x-ssmix2:${name === '' ? 'none' : name}`
}

/** A coded element's first triple, or its second (`from` 4). */
export function codeOf(coded: Composite, institution: string | null = null, from = 1): Json | null {
  const code = coded.text(from)
  if (code === '') return null
  return filled({
    system: systemOf(coded.text(from + 2), code, institution),
    code,
    display: coded.text(from + 1),
  })
}

export function concept(coded: Composite, institution: string | null): Json | undefined {
  const coding = [codeOf(coded, institution), codeOf(coded, institution, 4)].filter((one) => one !== null)
  const text = coded.text(2) || coded.text(5)
  return coding.length === 0 && text === '' ? undefined : filled({ coding, text })
}

export function time(segment: Segment | undefined, field: number): string | undefined {
  return fhirTime(segment?.text(field) ?? '') ?? undefined
}

export function person(named: Composite): Json | undefined {
  const name = [named.text(2), named.text(3)].filter((part) => part !== '').join(' ')
  const value = named.text(1)
  if (value === '' && name === '') return undefined
  return filled({ identifier: value === '' ? undefined : { value }, display: name })
}
