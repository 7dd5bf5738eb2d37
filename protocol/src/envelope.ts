import { readBatchText, writeBatchText } from './batch-text.ts'
import { pack, unpack } from './codec.ts'
import type { Env, Instant } from './env.ts'
import { readHeader, writeHeader, type BatchHeader } from './envelope-header.ts'
import type { AgentId, BatchId, FacilityId, KeyId, OperatorId } from './ids.ts'
import { BATCH_SEALED_BYTES_MAX } from './limits.ts'
import type { BatchContent } from './records.ts'
import { Refused } from './refusals.ts'
import type { Track } from './rules/state.ts'
import {
  fromBase64,
  keyIdOf,
  openSealed,
  sealTo,
  sha256,
  sha256Hex,
  signBytes,
  toBase64,
  verifyBytes,
} from './signing.ts'
import type { BoxKey, SigningKey, Verified } from './signing.ts'
import { openStream, sealStream, STREAM_KEY_BYTES } from './stream.ts'

export type { BatchHeader } from './envelope-header.ts'

export interface BatchAbout {
  batch: BatchId
  agent: AgentId
  facility: FacilityId
  operator: OperatorId
  track: Track
  sequence: number
  ruleVersion: string
  createdAt: Instant
}

export interface SealedBatch {
  header: BatchHeader
  bytes: Uint8Array
  /** SHA-256 (hex) of `bytes`. */
  digest: string
}

const SIGNATURE_BYTES = 64
const DOMAIN = 'batch/1'

/**
 * Packs, seals and signs one batch (suite 1, `ENVELOPE.md`). All randomness is `env`'s. Throws `Refused`
 * (`ENVELOPE_TOO_LARGE`) when content or envelope exceed their limits: split the batch.
 */
export function sealBatch(
  content: BatchContent,
  about: BatchAbout,
  keys: { signing: SigningKey; recipients: { id: KeyId; public: Uint8Array }[] },
  env: Env,
): SealedBatch {
  const text = writeBatchText(content)
  const { codec, packed } = pack(text.bytes)
  const key = env.random(STREAM_KEY_BYTES)
  const header: BatchHeader = {
    suite: 1,
    codec,
    ...pickAbout(about),
    signedBy: keys.signing.id,
    recipients: keys.recipients.map((to) => ({ key: to.id, box: toBase64(sealTo(to.public, key, env)) })),
    counts: text.counts,
    plainBytes: text.bytes.length,
    evidenceDigest: text.evidenceDigest,
  }
  const front = writeHeader(header)
  const stream = sealStream(packed, sha256(front), key, env)
  key.fill(0)
  const signature = signBytes(DOMAIN, signedBytes(front, stream), keys.signing)
  const bytes = new Uint8Array(Buffer.concat([front, stream, signature]))
  if (bytes.length > BATCH_SEALED_BYTES_MAX) throw new Refused('ENVELOPE_TOO_LARGE', 'envelope')
  return { header, bytes, digest: sha256Hex(bytes) }
}

/** The header, believed by nobody yet; `bytes` may be only the front of the envelope. Throws `Refused`. */
export function peekHeader(bytes: Uint8Array): BatchHeader {
  return readHeader(bytes).header
}

/**
 * The header, once the signature over it and every sealed byte verifies. Throws `Refused`: `ENVELOPE_MALFORMED`,
 * `ENVELOPE_TOO_LARGE`, `KEY_UNKNOWN` (another key signed), `SIGNATURE_INVALID`.
 */
export function verifyBatch(bytes: Uint8Array, signingPublic: Uint8Array): Verified<BatchHeader> {
  const { header, front, stream, signature } = partsOf(bytes)
  if (header.signedBy !== keyIdOf(signingPublic)) throw new Refused('KEY_UNKNOWN')
  if (!verifyBytes(DOMAIN, signedBytes(front, stream), signature, signingPublic))
    throw new Refused('SIGNATURE_INVALID')
  return header as Verified<BatchHeader>
}

/**
 * The content of a batch whose signature {@link verifyBatch} has checked. Payloads are views into one buffer.
 * Throws `Refused`: `VAULT_KEY_UNKNOWN`, `ENVELOPE_MALFORMED`, `COUNTS_MISMATCH`, `DIGEST_MISMATCH`.
 */
export function openBatch(bytes: Uint8Array, key: BoxKey): BatchContent {
  const { header, front, stream } = partsOf(bytes)
  const wrapped = header.recipients.find((recipient) => recipient.key === key.id)
  if (!wrapped) throw new Refused('VAULT_KEY_UNKNOWN')
  const batchKey = openSealed(fromBase64(wrapped.box), key)
  if (batchKey?.length !== STREAM_KEY_BYTES) throw new Refused('VAULT_KEY_UNKNOWN', 'box')
  const packed = openStream(stream, sha256(front), batchKey)
  const { content, counts, evidenceDigest } = readBatchText(unpack(header.codec, packed, header.plainBytes))
  const { evidence, records, tombstones } = header.counts
  if (counts.evidence !== evidence || counts.records !== records || counts.tombstones !== tombstones)
    throw new Refused('COUNTS_MISMATCH')
  if (evidenceDigest !== header.evidenceDigest) throw new Refused('DIGEST_MISMATCH', 'evidence')
  return content
}

interface Parts {
  header: BatchHeader
  /** Prefix and header, as signed and as bound to every chunk. */
  front: Uint8Array
  stream: Uint8Array
  signature: Uint8Array
}

function partsOf(bytes: Uint8Array): Parts {
  if (bytes.length > BATCH_SEALED_BYTES_MAX) throw new Refused('ENVELOPE_TOO_LARGE', 'envelope')
  const { header, length } = readHeader(bytes)
  const end = bytes.length - SIGNATURE_BYTES
  if (end <= length) throw new Refused('ENVELOPE_MALFORMED', 'length')
  return {
    header,
    front: bytes.subarray(0, length),
    stream: bytes.subarray(length, end),
    signature: bytes.subarray(end),
  }
}

function signedBytes(front: Uint8Array, stream: Uint8Array): Uint8Array {
  return Buffer.concat([sha256(front), sha256(stream)])
}

function pickAbout(about: BatchAbout): BatchAbout {
  const { batch, agent, facility, operator, track, sequence, ruleVersion, createdAt } = about
  return { batch, agent, facility, operator, track, sequence, ruleVersion, createdAt }
}
