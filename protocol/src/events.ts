import type { Instant } from './env.ts'
import type { NoticeId, OperatorId, PatientKey, StopHandle, StopId } from './ids.ts'
import type {
  EntityFacts,
  FilingFact,
  HoldReason,
  LocalDate,
  NoticeMethod,
  RecipientRole,
  StopFact,
  TemplateFact,
  Track,
} from './rules/state.ts'

/**
 * The register (通知・停止の登録簿) is these events, append-only; the present state is a fold over them
 * (`rules/fold.ts`). A correction is a new event. `recordedAt` is the agent's time of writing; `by` names the
 * member of staff or the machine by an id of the hospital's own, never by name.
 */
interface Base {
  event: string
  recordedAt: Instant
  by: string
}

interface AboutPatient extends Base {
  patient: PatientKey
}

export interface PatientSeen extends AboutPatient {
  type: 'patient-seen'
  birthDate: LocalDate | null
  deceasedOn: LocalDate | null
}

export interface NoticeGiven extends AboutPatient {
  type: 'notice-given'
  notice: NoticeId
  track: Track
  templateVersion: number
  templateHash: string
  operators: OperatorId[]
  recipient: RecipientRole
  relation?: string
  recipientState: 'able' | 'unable'
  method: NoticeMethod
  issuedAt: Instant
  deliveredAt: Instant
  /** Kiosk job, postal tracking number, device: never a name. */
  evidence?: string
  /** The second person who approved a notice dated before the day of recording (LAW trap 15). */
  backdateApprovedBy?: string
  /** A kiosk print counts only after `notice-confirmed`. */
  confirmed: boolean
  handle?: StopHandle
}

export interface NoticeConfirmed extends AboutPatient {
  type: 'notice-confirmed'
  notice: NoticeId
}

/** The letter came back: void from the beginning. */
export interface NoticeReturned extends AboutPatient {
  type: 'notice-returned'
  notice: NoticeId
}

/** Wrong patient, undone within ten minutes, visit cancelled: void from the beginning. */
export interface NoticeVoided extends AboutPatient {
  type: 'notice-voided'
  notice: NoticeId
  reason: 'wrong-patient' | 'undone' | 'visit-cancelled' | 'other'
}

export interface CapacityJudged extends AboutPatient {
  type: 'capacity-judged'
  capacity: 'able' | 'unable'
  ground?: string
}

export interface StopAsked extends AboutPatient {
  type: 'stop-asked'
  stop: StopId
  tracks: Track[] | null
  operators: OperatorId[] | null
  requester: StopFact['requester']
  relation?: string
  /** How identity was established at the counter: card, document, acquaintance; `token` through the portal. */
  identityCheck: 'card' | 'document' | 'known' | 'token' | 'none'
  standing: 'provisional' | 'confirmed'
  origin: StopFact['origin']
  /** Ask also that data already given be erased. */
  erasureAsked: boolean
}

export interface StopWithdrawn extends AboutPatient {
  type: 'stop-withdrawn'
  stop: StopId
  requester: StopFact['requester']
}

/** Wrong patient chosen, taken back within ten minutes. */
export interface StopUndone extends AboutPatient {
  type: 'stop-undone'
  stop: StopId
}

export interface HoldSet extends AboutPatient {
  type: 'hold-set'
  reason: HoldReason
}

export interface HoldCleared extends AboutPatient {
  type: 'hold-cleared'
  reason: HoldReason
}

/** `patient` and `other` are charts of one person from now on: stops are the union over both. */
export interface ChartsMerged extends AboutPatient {
  type: 'charts-merged'
  other: PatientKey
  /** Doubtful: the other chart is held and listed, its notices do not count. */
  certain: boolean
}

export interface ChartsUnmerged extends AboutPatient {
  type: 'charts-unmerged'
  other: PatientKey
}

export interface EntityRecorded extends Base {
  type: 'entity-recorded'
  entity: EntityFacts
}

export interface TemplatePublished extends Base {
  type: 'template-published'
  template: TemplateFact
}

export interface FilingAccepted extends Base {
  type: 'filing-accepted'
  filing: FilingFact
}

export interface FilingEnded extends Base {
  type: 'filing-ended'
  filing: FilingFact['filing']
  endedOn: LocalDate
}

export interface FacilitySettings extends Base {
  type: 'facility-settings'
  waitDays: number
  deathPolicy: 'hold' | 'allow'
  closedDays: LocalDate[]
  endedOn: LocalDate | null
}

/** The dated rule file in force changed; `hash` pins its text. */
export interface RulesChanged extends Base {
  type: 'rules-changed'
  version: string
  hash: string
}

export type PatientEvent =
  | PatientSeen
  | NoticeGiven
  | NoticeConfirmed
  | NoticeReturned
  | NoticeVoided
  | CapacityJudged
  | StopAsked
  | StopWithdrawn
  | StopUndone
  | HoldSet
  | HoldCleared
  | ChartsMerged
  | ChartsUnmerged

export type FacilityEvent =
  | EntityRecorded
  | TemplatePublished
  | FilingAccepted
  | FilingEnded
  | FacilitySettings
  | RulesChanged

export type RegisterEvent = PatientEvent | FacilityEvent
