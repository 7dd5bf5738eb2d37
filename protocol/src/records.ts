import type { Instant } from './env.ts'
import type { PatientKey } from './ids.ts'
import type { GateState, ItemClass } from './rules/state.ts'

export interface RecordKey {
  /** Stable id of the source within the facility. */
  source: string
  type: string
  id: string
}

/**
 * One clinical record as it travels (DATA §6.1): what it is, whose it is, and the payload bytes exactly as the source
 * gave them. `payload` is never parsed and printed again on the way: FHIR decimals keep their zeros.
 */
export interface SourceRecord {
  key: RecordKey
  /** SHA-256 (hex) of the canonical content without `meta.versionId` and `meta.lastUpdated`. */
  contentHash: string
  sourceVersion?: string
  sourceTime?: string
  /** Every patient the record is about; all must be cleared by the gate. Empty only for shared resources. */
  patients: PatientKey[]
  item: ItemClass
  labels: { security: string[]; tags: string[] }
  mediaType: string
  payload: Uint8Array
  provenance: { url?: string; file?: string; line?: number; run: string }
}

/** A record that was forwarded before and is no more. */
export interface Tombstone {
  key: RecordKey
  patients: PatientKey[]
  /** `not-restored`: known only from what the vault told an agent put back from a backup, and not at the source. */
  reason: 'deleted' | 'vanished' | 'superseded' | 'cancelled' | 'not-restored'
  at?: string
}

/** The proof that one patient's records may be in this batch: the state the agent decided on, and its answer. */
export interface Evidence {
  state: GateState
  decidedAt: Instant
  ruleVersion: string
}

/** The plaintext of one batch: evidence first, then records in order. */
export interface BatchContent {
  evidence: Evidence[]
  records: SourceRecord[]
  tombstones: Tombstone[]
}

export function recordKeyText(key: RecordKey): string {
  return `${key.source}|${key.type}|${key.id}`
}

/** Back from its text; members in the order of the text. */
export function recordKeyOf(text: string): RecordKey {
  const [source = '', type = '', ...id] = text.split('|')
  return { source, type, id: id.join('|') }
}
