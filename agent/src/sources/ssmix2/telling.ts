import { hash } from 'node:crypto'
import { type FacilityId, MalformedId, patientKey } from '@kakehashi/protocol/ids'
import { RECORD_BYTES_MAX } from '@kakehashi/protocol/limits'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import { itemClassOf } from '@kakehashi/protocol/rules/item-class'
import type { SourceEvent } from '../connector.ts'
import { FHIR_JSON } from '../fhir/resource.ts'
import { decodeStored } from '../hl7v2/decode.ts'
import { firstSegment, isMessage, type Message, readMessage, type Segment } from '../hl7v2/message.ts'
import { fhirTime } from '../hl7v2/time.ts'
import { type LabelPolicy, ruleOf } from '../labels.ts'
import { type DocumentFile, documentOf } from './document.ts'
import { type Placed, placedFault } from './listing.ts'
import { placeOf, type StoredName } from './file-name.ts'
import { mapMessage, MAPPING } from './map/message.ts'
import type { Mapped } from './map/source.ts'

export interface StorageReading {
  source: string
  facility: FacilityId
  labels: LabelPolicy
}

/** What one file tells. */
export interface Telling {
  events: SourceEvent[]
  /** `type/id` of everything that is in it. */
  ids: Set<string>
  quarantined: boolean
  /** It was in another encoding than the standard's. */
  deviates: boolean
}

/** Which message a kind of data is; another one in its place is not believed. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  ADT: ['ADT'],
  PPR: ['PPR'],
  OMD: ['OMD'],
  'OMP-0': ['RDE'],
  'OMP-1': ['RAS'],
  'OML-0': ['OML'],
  'OML-1': ['OUL', 'ORU'],
  'OMG-0': ['OMG'],
  'OMG-1': ['OMI', 'ORU'],
}

/** Reads one valid file. Never throws for what it reads; puts nothing of it into a refusal. */
export function tellFile(
  reading: StorageReading,
  bytes: Uint8Array,
  placed: Placed,
  about: { institution: string | null; run: string },
): Telling {
  const name = placed.name as StoredName
  const read = messageIn(bytes, name)
  if (typeof read.found === 'string') return refusedFile(placed, read.found, hash('sha256', bytes, 'hex'))
  const { found: message, deviates } = read
  const mapped = mapMessage({ message, name, institution: about.institution })
  if (mapped === null) return refusedFile(placed, 'KIND_UNKNOWN', hash('sha256', bytes, 'hex'))
  const lines = rawLines(bytes)
  withUnknown(message, mapped)
  const telling: Telling = { events: [], ids: new Set(), quarantined: false, deviates }
  const where = { placed, name, lines, run: about.run }
  for (const one of mapped) {
    const event = tellOne(reading, one, where)
    telling.events.push(event)
    if (event.t === 'quarantined') telling.quarantined = true
    telling.ids.add(`${one.resource.resourceType}/${one.resource.id}`)
  }
  return telling
}

function messageIn(bytes: Uint8Array, name: StoredName): { found: Message | RefusalCode; deviates: boolean } {
  if (bytes.length === 0) return { found: 'FILE_EMPTY', deviates: false }
  const decoded = decodeStored(bytes)
  if (decoded === null) return { found: 'ENCODING_UNKNOWN', deviates: false }
  const deviates = decoded.encoding !== 'iso-2022-jp'
  const message = readMessage(decoded.text)
  if (!isMessage(message))
    return { found: message === 'empty' ? 'FILE_EMPTY' : 'MESSAGE_UNREADABLE', deviates }
  const type = firstSegment(message, 'MSH')?.text(9, 1)
  const expected = MESSAGES[name.kind.slice(0, 5)] ?? MESSAGES[name.kind.slice(0, 3)]
  if (expected && !expected.includes(type ?? '')) return { found: 'MESSAGE_UNREADABLE', deviates }
  // the number in the message must be the folder's and the file's, to the digit: never guessed (S1)
  if (firstSegment(message, 'PID')?.text(3, 1).trim() !== name.patient)
    return { found: 'PATIENT_MISMATCH', deviates }
  return { found: message, deviates }
}

/** What one document of the extension storage tells. */
export function tellDocument(
  reading: StorageReading,
  files: readonly DocumentFile[],
  placed: Placed,
  about: { institution: string | null; run: string },
): Telling {
  const name = placed.name as StoredName
  const kind = placed.path.split('/')[1] ?? ''
  const document = documentOf(name, kind, files, about.institution)
  if (typeof document === 'string') return refusedFile(placed, document, hash('sha256', placed.path, 'hex'))
  const event = tellOne(reading, document, { placed, name, lines: [], run: about.run })
  const { resourceType, id } = document.resource
  return {
    events: [event],
    ids: new Set([`${resourceType}/${id}`]),
    quarantined: event.t === 'quarantined',
    deviates: false,
  }
}

export function refusedFile(placed: Placed, code: RefusalCode, digest: string): Telling {
  const event: SourceEvent = {
    t: 'quarantined',
    code,
    place: placeOf(placed.path),
    hash: digest,
    file: placed.key,
  }
  return { events: [event], ids: new Set(), quarantined: true, deviates: false }
}

/** What is where or named as it must not be was not even opened. */
export function refusedPlace(placed: Placed): Telling {
  return refusedFile(placed, placedFault(placed), hash('sha256', placed.path, 'hex'))
}

interface Where {
  placed: Placed
  name: StoredName
  lines: readonly Uint8Array[]
  run: string
}

function tellOne(reading: StorageReading, one: Mapped, { placed, name, lines, run }: Where): SourceEvent {
  const { resource } = one
  const payload = Buffer.from(JSON.stringify({ ...resource, extension: extensionsOf(one, lines) }), 'utf8')
  const digest = hash('sha256', payload, 'hex')
  if (payload.length > RECORD_BYTES_MAX) {
    const place = placeOf(placed.path)
    return { t: 'quarantined', code: 'LINE_TOO_LONG', place, hash: digest, file: placed.key }
  }
  const key = { source: reading.source, type: resource.resourceType, id: resource.id }
  const patients = [patientKeyOf(reading.facility, name.patient)]
  const labels = { security: one.security ?? [], tags: [] }
  // nothing of the file's bytes is found by it again: a patient is read through the folder
  const span = { file: placed.key, start: 0, length: 0, line: 0 }
  if (ruleOf(labels, reading.labels) !== 'forward')
    return { t: 'held', key, contentHash: digest, patients, code: 'LABEL_HELD', span }
  const sourceTime = fhirTime(name.at)
  const record = {
    key,
    contentHash: digest,
    sourceVersion: name.at,
    ...(sourceTime !== null && { sourceTime }),
    patients,
    item: itemClassOf(resource.resourceType, categoriesOf(resource)),
    labels,
    mediaType: FHIR_JSON,
    payload,
    provenance: { file: placeOf(placed.path), line: (one.segments[0]?.line ?? 0) + 1, run },
  }
  return { t: 'record', record, span }
}

export function patientKeyOf(facility: FacilityId, number: string) {
  return patientKey(facility, number)
}

export function isPatientNumber(facility: FacilityId, number: string): boolean {
  try {
    patientKey(facility, number)
    return true
  } catch (error) {
    if (error instanceof MalformedId) return false
    throw error
  }
}

const RAW = 'urn:kakehashi:hl7v2-segments'

/**
 * The bytes of the segments that the resource was made of travel inside it, untouched: the whole message would carry
 * what the notice of one item class does not allow for another, and the person's name with every result.
 */
function extensionsOf(one: Mapped, lines: readonly Uint8Array[]): unknown[] {
  const told = one.resource['extension']
  if (one.segments.length === 0) return [{ url: RAW, extension: [{ url: 'mapping', valueString: MAPPING }] }]
  const raw = one.segments.map((segment) => lines[segment.line] ?? new Uint8Array(0))
  const bytes = Buffer.concat(raw.flatMap((line, n) => (n === 0 ? [line] : [Uint8Array.of(0x0d), line])))
  return [
    ...(Array.isArray(told) ? told : []),
    {
      url: RAW,
      extension: [
        { url: 'mapping', valueString: MAPPING },
        { url: 'segments', valueBase64Binary: bytes.toString('base64') },
      ],
    },
  ]
}

/** In every encoding that is read, the bytes CR and LF mean nothing else. */
export function rawLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = []
  let from = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte !== 0x0d && byte !== 0x0a) continue
    lines.push(bytes.subarray(from, at))
    if (byte === 0x0d && bytes[at + 1] === 0x0a) at++
    from = at + 1
  }
  lines.push(bytes.subarray(from))
  return lines
}

/** Insurance in a list of problems is another item class. */
const NOT_WITH_OTHERS = new Set(['ZI1'])

/** A hospital's own segments stay with what they follow (S14). */
function withUnknown(message: Message, mapped: Mapped[]): void {
  const used = new Set(mapped.flatMap((one) => one.segments))
  for (const segment of message.segments) {
    if (!segment.name.startsWith('Z') || used.has(segment) || NOT_WITH_OTHERS.has(segment.name)) continue
    const above = mapped.filter((one) => lineOf(one.segments) < segment.line)
    const owner = above.toSorted((a, b) => lineOf(b.segments) - lineOf(a.segments))[0]
    if (owner && owner.resource.resourceType !== 'Patient') owner.segments = [...owner.segments, segment]
  }
}

function lineOf(segments: readonly Segment[]): number {
  return Math.min(...segments.map((segment) => segment.line))
}

function categoriesOf(resource: Mapped['resource']): string[] {
  const categories = resource['category']
  if (!Array.isArray(categories)) return []
  return categories.flatMap((one: { coding?: { code?: unknown }[] }) =>
    (one.coding ?? []).flatMap(({ code }) => (typeof code === 'string' ? [code] : [])),
  )
}
