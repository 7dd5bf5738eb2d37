import { z } from 'zod'
import { canonical } from './canonical.ts'
import type { Codec } from './codec.ts'
import type { Instant } from './env.ts'
import type { AgentId, BatchId, FacilityId, KeyId, OperatorId } from './ids.ts'
import { BATCH_PLAIN_BYTES_MAX, BATCH_RECIPIENTS_MAX, HEADER_BYTES_MAX } from './limits.ts'
import { Refused } from './refusals.ts'
import type { Track } from './rules/state.ts'
import { AGENT, BATCH, COUNT, DIGEST, FACILITY, INSTANT, KEY, OPERATOR, TRACK } from './shapes.ts'

/** What anybody who holds a sealed batch can read of it. Names a hospital, never a patient. */
export interface BatchHeader {
  suite: 1
  codec: Codec
  batch: BatchId
  agent: AgentId
  facility: FacilityId
  operator: OperatorId
  track: Track
  /** Counts up per agent. */
  sequence: number
  createdAt: Instant
  /** Rule file the sender decided under. */
  ruleVersion: string
  /** Key that signed the envelope. */
  signedBy: KeyId
  /** The batch key in a sealed box for each who may open it, base64. */
  recipients: { key: KeyId; box: string }[]
  counts: { evidence: number; records: number; tombstones: number }
  /** Size of the plaintext before packing. */
  plainBytes: number
  /** SHA-256 (hex) of the evidence section of the plaintext. */
  evidenceDigest: string
}

export const PREFIX_BYTES = 12
const MAGIC = 0x4b4b4853
const VERSION = 1
const SUITE = 1
const CODECS: readonly Codec[] = ['none', 'zstd']

type WrittenHeader = Omit<BatchHeader, 'suite' | 'codec'>

const HEADER: z.ZodType<WrittenHeader> = z.strictObject({
  batch: BATCH,
  agent: AGENT,
  facility: FACILITY,
  operator: OPERATOR,
  track: TRACK,
  sequence: COUNT,
  createdAt: INSTANT,
  ruleVersion: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  signedBy: KEY,
  recipients: z
    .array(z.strictObject({ key: KEY, box: z.string().regex(/^[A-Za-z0-9+/]{107}=$/) }))
    .min(1)
    .max(BATCH_RECIPIENTS_MAX),
  counts: z.strictObject({ evidence: COUNT, records: COUNT, tombstones: COUNT }),
  plainBytes: COUNT.max(BATCH_PLAIN_BYTES_MAX),
  evidenceDigest: DIGEST,
})

/** Prefix and header: all of the envelope before the sealed stream. */
export function writeHeader({ suite, codec, ...written }: BatchHeader): Uint8Array {
  if (!HEADER.safeParse(written).success) throw new Refused('ENVELOPE_MALFORMED', 'header')
  const text = Buffer.from(canonical(written), 'utf8')
  if (text.length > HEADER_BYTES_MAX) throw new Refused('ENVELOPE_TOO_LARGE', 'header')
  const bytes = Buffer.alloc(PREFIX_BYTES + text.length)
  bytes.writeUInt32BE(MAGIC, 0)
  bytes.writeUInt8(VERSION, 4)
  bytes.writeUInt8(suite, 5)
  bytes.writeUInt8(CODECS.indexOf(codec), 6)
  bytes.writeUInt32BE(text.length, 8)
  bytes.set(text, PREFIX_BYTES)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Reads the header at the front of `bytes`, of which more may be missing. Throws `Refused`. */
export function readHeader(bytes: Uint8Array): { header: BatchHeader; length: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.length < PREFIX_BYTES) throw new Refused('ENVELOPE_MALFORMED', 'prefix')
  if (view.readUInt32BE(0) !== MAGIC) throw new Refused('ENVELOPE_MALFORMED', 'magic')
  if (view.readUInt8(4) !== VERSION) throw new Refused('ENVELOPE_MALFORMED', 'version')
  if (view.readUInt8(5) !== SUITE) throw new Refused('ENVELOPE_MALFORMED', 'suite')
  const codec = CODECS[view.readUInt8(6)]
  if (codec === undefined) throw new Refused('ENVELOPE_MALFORMED', 'codec')
  if (view.readUInt8(7) !== 0) throw new Refused('ENVELOPE_MALFORMED', 'reserved')
  const size = view.readUInt32BE(8)
  if (size > HEADER_BYTES_MAX) throw new Refused('ENVELOPE_TOO_LARGE', 'header')
  const length = PREFIX_BYTES + size
  if (view.length < length) throw new Refused('ENVELOPE_MALFORMED', 'header length')
  return { header: { suite: SUITE, codec, ...parseHeader(view.subarray(PREFIX_BYTES, length)) }, length }
}

/** One header has one spelling: anything but its canonical text is refused. */
function parseHeader(bytes: Uint8Array): WrittenHeader {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    const read = HEADER.safeParse(value)
    if (read.success && canonical(value) === text) return read.data
  } catch {
    throw new Refused('ENVELOPE_MALFORMED', 'header')
  }
  throw new Refused('ENVELOPE_MALFORMED', 'header')
}
