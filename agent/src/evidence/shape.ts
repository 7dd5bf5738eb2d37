import type { PatientKey } from '@kakehashi/protocol/ids'
import type { KeptReceipt } from './store.ts'
import type { Decision } from '@kakehashi/protocol/rules/decide'
import type { ItemClass, LocalDate, OperatorState, Track } from '@kakehashi/protocol/rules/state'

export const EVIDENCE_FORMAT = 'kakehashi/evidence/1'
export const MANIFEST = 'manifest.json'

export type EvidenceScope =
  | { kind: 'person'; patient: PatientKey }
  | { kind: 'period'; from: LocalDate; to: LocalDate }

export interface Manifest {
  format: typeof EVIDENCE_FORMAT
  facility: string
  agent: string
  /** Ed25519 public key of the agent, base64: who verifies holds it against the one the operator enrolled. */
  publicKey: string
  auditOrigin: string
  /** The vault's, as enrolment told it: its receipts are signed with it. */
  vaultKey: string
  madeAt: number
  madeBy: string
  scope: EvidenceScope
  files: { path: string; bytes: number; sha256: string }[]
}

/** One line of `decisions.ndjson`: what the gate answers, from the events in this package alone. */
export interface DecisionLine {
  patient: PatientKey
  /** Only events recorded up to here are known to this answer. */
  at: number
  why: 'now' | 'provision'
  batch: string | null
  track: Track
  operator: OperatorState
  answers: { item: ItemClass; answer: Decision }[]
}

/** One line of `receipts.ndjson`: the agent's own record of a batch, and the vault's word on it. */
export interface ReceiptLine {
  batch: string
  digest: string
  outcome: string
  /** `null`: from before receipts were kept, or it names people this package is not about. */
  receipt: KeptReceipt | null
}

/** One line of `audit/leaves.ndjson`. */
export interface LeafLine {
  seq: number
  leaf: string
  proof: string[]
}
