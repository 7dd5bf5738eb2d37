import type { PatientKey, PersonKey } from '@kakehashi/protocol/ids'
import type { Insurance } from './normalise.ts'

/** What linkage knows of one chart: normalised values only, of accepted patients only. Names a person: never log. */
export interface LinkRecord {
  patient: PatientKey
  kanaFamily: string | null
  kanaGiven: string | null
  kanjiFamily: string | null
  kanjiGiven: string | null
  birthDate: string | null
  sex: 'male' | 'female' | null
  phones: string[]
  postal: string | null
  insurances: Insurance[]
  /** ベビー, 不明, テスト …: a name that names nobody. */
  placeholder: boolean
  multipleBirth: boolean
}

/** A chart that has its person already. */
export interface Candidate extends LinkRecord {
  person: PersonKey
}

export type Reason =
  | 'insurance-agrees'
  | 'insurance-agrees-branch-missing'
  | 'branch-differs'
  | 'insurance-differs'
  | 'insurance-missing'
  | 'kana-agrees'
  | 'kanji-differs'
  | 'family-name-differs'
  | 'birth-date-differs'
  | 'sex-differs'
  | 'contact-agrees'
  | 'no-second-evidence'
  | 'possible-twin'
  | 'several-persons'
  | 'too-many-candidates'
  | 'placeholder-name'
  | 'sparse-record'
  | 'nobody-alike'
  | 'evidence-was-erased'
  | 'contradicts-its-person'
  | 'decided-by-person'

export type Decision =
  | { kind: 'attach'; person: PersonKey; via: PatientKey; reasons: Reason[] }
  | { kind: 'new-person'; reasons: Reason[] }
  /** Nobody but a human may say: a person of its own meanwhile, and a task. */
  | { kind: 'review'; persons: PersonKey[]; reasons: Reason[] }

/** Pure: places one chart among candidates found by blocking. The probabilistic engine takes this place later. */
export interface LinkageEngine {
  readonly name: string
  readonly version: string
  place(record: LinkRecord, candidates: readonly Candidate[]): Decision
}
