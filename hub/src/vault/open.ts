import { openBatch, peekHeader, verifyBatch, type BatchHeader } from '@kakehashi/protocol/envelope'
import type { BatchContent } from '@kakehashi/protocol/records'
import { Refused, type RefusalCode } from '@kakehashi/protocol/refusals'
import { fromBase64, sha256Hex, type Verified } from '@kakehashi/protocol/signing'
import type { OpsTables } from './ops.ts'
import type { VaultParts } from './parts.ts'

/** A batch as the gateway lists it; believed in nothing but its number. */
export interface Waiting {
  seq: number
  batch: string
  agent: string
  size: number
  digest: string
}

export interface Opened {
  header: Verified<BatchHeader>
  content: BatchContent
}

export type Unopened = { code: RefusalCode; place: string }

/** Signature by a living key of that agent, digest, box, counts, evidence digest: in this order, or the refusal. */
export async function openWaiting(
  parts: VaultParts,
  waiting: Waiting,
  bytes: Uint8Array,
): Promise<Opened | Unopened> {
  try {
    const claimed = peekHeader(bytes)
    const key = await parts.ops.db
      .selectFrom('agent_key')
      .selectAll()
      .where('key_id', '=', claimed.signedBy)
      .executeTakeFirst()
    const refusal = keyRefusal(claimed, key, waiting)
    if (refusal) return refusal
    const header = verifyBatch(bytes, fromBase64(key?.public_key ?? ''))
    if (sha256Hex(bytes) !== waiting.digest || header.batch !== waiting.batch)
      return { code: 'DIGEST_MISMATCH', place: 'envelope' }
    if (header.operator !== parts.operator.operator) return { code: 'OPERATOR_NOT_NOTIFIED', place: 'header' }
    return { header, content: openWithAny(parts, header, bytes) }
  } catch (error) {
    if (error instanceof Refused)
      return { code: error.refusal.code, place: error.refusal.place ?? 'envelope' }
    throw error
  }
}

function keyRefusal(
  claimed: BatchHeader,
  key: OpsTables['agent_key'] | undefined,
  waiting: Waiting,
): Unopened | null {
  if (!key || key.agent !== claimed.agent || key.agent !== waiting.agent)
    return { code: 'KEY_UNKNOWN', place: 'header' }
  if (key.retired_at !== null) return { code: 'KEY_RETIRED', place: 'header' }
  return key.facility === claimed.facility ? null : { code: 'FACILITY_UNKNOWN', place: 'header' }
}

function openWithAny(parts: VaultParts, header: BatchHeader, bytes: Uint8Array): BatchContent {
  const keys = [parts.keys.box, ...parts.keys.formerBoxes]
  const held = keys.find((key) => header.recipients.some((to) => to.key === key.id)) ?? parts.keys.box
  return openBatch(bytes, held)
}
