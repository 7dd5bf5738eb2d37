import type { PatientKey } from '@kakehashi/protocol/ids'
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

/** One line of `audit/leaves.ndjson`. */
export interface LeafLine {
  seq: number
  leaf: string
  proof: string[]
}
