import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { FETCH_BYTES_MAX, type Span } from '../connector.ts'

export type PatientSpan = Span & { patient: PatientKey }

/** Less than this is kept as it is: packing it costs more than the room it saves. */
const PACKED_BYTES_MIN = 4096
const FASTEST = { chunkSize: 2048, params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/**
 * What was unpacked of a packed file for patients whose turn comes later, in memory and packed anew, so that the file
 * need not be unpacked for each of them. When it holds more than `FETCH_BYTES_MAX`, the last patients are put off.
 */
export class Hold {
  #patients: readonly PatientKey[]
  readonly #bytes: number
  readonly #turns: ReadonlyMap<PatientKey, number>
  readonly #held = new Map<PatientSpan, Buffer>()
  readonly #heldBytes: number[]
  #sum = 0

  constructor(patients: readonly PatientKey[], bytesMax = FETCH_BYTES_MAX) {
    this.#patients = patients
    this.#bytes = bytesMax
    this.#turns = new Map(patients.map((patient, turn) => [patient, turn]))
    this.#heldBytes = patients.map(() => 0)
  }

  /** Those for whom there is room: at least the first. */
  get patients(): readonly PatientKey[] {
    return this.#patients
  }

  wants(patient: PatientKey): boolean {
    return (this.#turns.get(patient) ?? this.#patients.length) < this.#patients.length
  }

  /** Copies what it keeps. */
  keep(span: PatientSpan, bytes: Buffer): void {
    if (!this.wants(span.patient)) return
    const fewer = bytes.length < PACKED_BYTES_MIN ? bytes : zstdCompressSync(bytes, FASTEST)
    // what zlib gives is the front of a larger buffer
    const packed = Buffer.allocUnsafeSlow(fewer.length)
    packed.set(fewer)
    this.#held.set(span, packed)
    this.#count(span.patient, packed.length)
    while (this.#sum > this.#bytes && this.#patients.length > 1) this.#putOff()
  }

  /** Its file broke: what was read of it is not to be believed. */
  drop(span: PatientSpan): void {
    const packed = this.#held.get(span)
    if (!packed) return
    this.#count(span.patient, -packed.length)
    this.#held.delete(span)
  }

  /** Once: the room is free again afterwards. */
  take(span: PatientSpan): Buffer | null {
    const packed = this.#held.get(span)
    if (!packed) return null
    this.drop(span)
    return span.length < PACKED_BYTES_MIN ? packed : zstdDecompressSync(packed, { chunkSize: span.length })
  }

  #count(patient: PatientKey, bytes: number): void {
    const turn = this.#turns.get(patient) as number
    this.#heldBytes[turn] = (this.#heldBytes[turn] as number) + bytes
    this.#sum += bytes
  }

  #putOff(): void {
    const last = this.#patients.length - 1
    const patient = this.#patients[last]
    this.#patients = this.#patients.slice(0, last)
    if (this.#heldBytes[last] === 0) return
    for (const span of [...this.#held.keys()]) if (span.patient === patient) this.drop(span)
  }
}
