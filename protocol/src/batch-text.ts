import { z } from 'zod'
import { canonical } from './canonical.ts'
import {
  BATCH_LINE_BYTES_MAX,
  BATCH_PATIENTS_MAX,
  BATCH_PLAIN_BYTES_MAX,
  BATCH_RECORDS_MAX,
  RECORD_BYTES_MAX,
} from './limits.ts'
import type { BatchContent, Evidence, SourceRecord, Tombstone } from './records.ts'
import { Refused } from './refusals.ts'
import { readDescription, readTombstone } from './record-shapes.ts'
import type { FacilityState, OperatorState, PatientState } from './rules/state.ts'
import { COUNT, FACILITY_STATE, INSTANT, OPERATOR_STATE, PATIENT_STATE, TEXT } from './shapes.ts'
import { sha256Hex } from './signing.ts'

/**
 * The plaintext of a batch: a line of counts, then the evidence (each facility and operator state once, then a line
 * per patient), then each record as a line that describes it, its payload bytes untouched and a line feed, then a line
 * per tombstone. `ENVELOPE.md` has the layout.
 */
export interface BatchText {
  bytes: Uint8Array
  counts: { evidence: number; records: number; tombstones: number }
  evidenceDigest: string
}

interface Counts {
  format: 1
  facilities: number
  operators: number
  evidence: number
  records: number
  tombstones: number
}

const COUNTS: z.ZodType<Counts> = z.strictObject({
  format: z.literal(1),
  facilities: COUNT.max(BATCH_PATIENTS_MAX),
  operators: COUNT.max(BATCH_PATIENTS_MAX),
  evidence: COUNT.max(BATCH_PATIENTS_MAX),
  records: COUNT.max(BATCH_RECORDS_MAX),
  tombstones: COUNT.max(BATCH_RECORDS_MAX),
})

interface EvidenceLine {
  facility: number
  operator: number
  patient: PatientState
  latestSeen: number
  decidedAt: number
  ruleVersion: string
}

const EVIDENCE_LINE: z.ZodType<EvidenceLine> = z.strictObject({
  facility: COUNT,
  operator: COUNT,
  patient: PATIENT_STATE,
  latestSeen: INSTANT,
  decidedAt: INSTANT,
  ruleVersion: TEXT,
})

const LINE_FEED = 10

/**
 * Throws `Refused`: `ENVELOPE_TOO_LARGE` when a count or size is over its limit, `ENVELOPE_MALFORMED` when the reader
 * would refuse a part, which it names by its place.
 */
export function writeBatchText(content: BatchContent): BatchText {
  const { evidence, records, tombstones } = content
  if (evidence.length > BATCH_PATIENTS_MAX || records.length > BATCH_RECORDS_MAX)
    throw new Refused('ENVELOPE_TOO_LARGE', 'counts')
  if (tombstones.length > BATCH_RECORDS_MAX) throw new Refused('ENVELOPE_TOO_LARGE', 'counts')
  const facilities = new Interned<FacilityState>(FACILITY_STATE)
  const operators = new Interned<OperatorState>(OPERATOR_STATE)
  const lines = evidence.map(({ state, decidedAt, ruleVersion }, i) => {
    const line: EvidenceLine = {
      facility: facilities.indexOf(state.facility),
      operator: operators.indexOf(state.operator),
      patient: state.patient,
      latestSeen: state.latestSeen,
      decidedAt,
      ruleVersion,
    }
    if (!EVIDENCE_LINE.safeParse(line).success) throw new Refused('ENVELOPE_MALFORMED', `evidence ${i}`)
    return canonical(line)
  })
  const section = Buffer.from([...facilities.texts, ...operators.texts, ...lines, ''].join('\n'))
  const counts = { evidence: evidence.length, records: records.length, tombstones: tombstones.length }
  const first: Counts = {
    format: 1,
    facilities: facilities.texts.length,
    operators: operators.texts.length,
    ...counts,
  }
  const parts: Uint8Array[] = [Buffer.from(`${canonical(first)}\n`), section]
  for (const [i, record] of records.entries()) parts.push(describe(record, i), record.payload, FEED)
  for (const [i, tombstone] of tombstones.entries()) {
    if (!readTombstone(tombstone)) throw new Refused('ENVELOPE_MALFORMED', `tombstone ${i}`)
    parts.push(Buffer.from(`${canonical(tombstone)}\n`))
  }
  const bytes = Buffer.concat(parts)
  if (bytes.length > BATCH_PLAIN_BYTES_MAX) throw new Refused('ENVELOPE_TOO_LARGE', 'plaintext')
  return { bytes, counts, evidenceDigest: sha256Hex(section) }
}

const FEED = new Uint8Array([LINE_FEED])

function describe({ payload, ...record }: SourceRecord, index: number): Uint8Array {
  const description = { ...record, bytes: payload.length }
  if (payload.length > RECORD_BYTES_MAX) throw new Refused('ENVELOPE_TOO_LARGE', `record ${index}`)
  if (!readDescription(description)) throw new Refused('ENVELOPE_MALFORMED', `record ${index}`)
  return Buffer.from(`${JSON.stringify(description)}\n`)
}

/** Gives each distinct state a number; the state of a facility is the same for every patient of a batch. */
class Interned<T extends object> {
  readonly texts: string[] = []
  readonly #byObject = new Map<T, number>()
  readonly #byText = new Map<string, number>()
  readonly #shape: z.ZodType<T>
  constructor(shape: z.ZodType<T>) {
    this.#shape = shape
  }
  indexOf(value: T): number {
    const known = this.#byObject.get(value)
    if (known !== undefined) return known
    if (!this.#shape.safeParse(value).success) throw new Refused('ENVELOPE_MALFORMED', 'evidence')
    const text = canonical(value)
    const index = this.#byText.get(text) ?? this.texts.push(text) - 1
    this.#byText.set(text, index)
    this.#byObject.set(value, index)
    return index
  }
}

/** Strict: throws `Refused` on anything but what {@link writeBatchText} writes. */
export function readBatchText(bytes: Uint8Array): BatchText & { content: BatchContent } {
  const reader = new Reader(bytes)
  const first = reader.shaped(COUNTS)
  const from = reader.position
  const facilities = times(first.facilities, () => reader.shaped(FACILITY_STATE))
  const operators = times(first.operators, () => reader.shaped(OPERATOR_STATE))
  const evidence = times(first.evidence, () => readEvidence(reader, facilities, operators))
  const evidenceDigest = sha256Hex(bytes.subarray(from, reader.position))
  const records = times(first.records, () => readRecord(reader))
  const tombstones = times(first.tombstones, (): Tombstone => readTombstone(reader.json()) ?? reader.refuse())
  if (reader.position !== bytes.length) reader.refuse()
  const counts = { evidence: first.evidence, records: first.records, tombstones: first.tombstones }
  return { bytes, counts, evidenceDigest, content: { evidence, records, tombstones } }
}

function times<T>(count: number, read: () => T): T[] {
  const list: T[] = []
  for (let i = 0; i < count; i++) list.push(read())
  return list
}

function readEvidence(
  reader: Reader,
  facilities: readonly FacilityState[],
  operators: readonly OperatorState[],
): Evidence {
  const line = reader.shaped(EVIDENCE_LINE)
  const facility = facilities[line.facility] ?? reader.refuse()
  const operator = operators[line.operator] ?? reader.refuse()
  const { patient, latestSeen, decidedAt, ruleVersion } = line
  return { state: { facility, patient, operator, latestSeen }, decidedAt, ruleVersion }
}

function readRecord(reader: Reader): SourceRecord {
  const read = readDescription(reader.json()) ?? reader.refuse()
  const { bytes, ...described } = read
  return { ...described, payload: reader.payload(bytes) }
}

/** A cursor over the plaintext that never looks further than a limit. */
class Reader {
  readonly #bytes: Buffer
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #line = 0
  position = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  refuse(): never {
    throw new Refused('ENVELOPE_MALFORMED', `line ${this.#line}`)
  }
  json(): unknown {
    this.#line++
    const end = this.#bytes.indexOf(LINE_FEED, this.position)
    if (end < 0 || end - this.position > BATCH_LINE_BYTES_MAX) this.refuse()
    const line = this.#bytes.subarray(this.position, end)
    this.position = end + 1
    try {
      return JSON.parse(this.#decoder.decode(line))
    } catch {
      return this.refuse()
    }
  }
  shaped<T>(shape: z.ZodType<T>): T {
    const read = shape.safeParse(this.json())
    return read.success ? read.data : this.refuse()
  }
  payload(size: number): Uint8Array {
    const end = this.position + size
    if (this.#bytes[end] !== LINE_FEED) this.refuse()
    const payload = new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.position, size)
    this.position = end + 1
    return payload
  }
}
