import type { Instant } from './env.ts'
import type {
  EntityId,
  FacilityId,
  FilingId,
  NoticeId,
  OperatorId,
  PatientKey,
  StopHandle,
  StopId,
} from './ids.ts'
import type { NoticeContent, NoticeLanguage } from './notice-content.ts'
import type { RuleFile } from './rules/rule-file.ts'
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
  /** The legal person that notifies, and the filing in force then; older events lack them. */
  entity?: EntityId
  filing?: FilingId | null
  /** The language of the paper; Japanese when it is not said. */
  language?: NoticeLanguage
  /** `other`: somebody who is neither; the paper is kept account of and never counts. */
  recipient: RecipientRole | 'other'
  /** Who took it, when it was not the person. Names somebody: never in a log. */
  recipientName?: string
  relation?: string
  recipientState: 'able' | 'unable'
  /** As known when it was recorded; the gate reckons anew. */
  ageAtNotice?: number | null
  capacityAtNotice?: 'able' | 'unable' | 'unknown'
  method: NoticeMethod
  issuedAt: Instant
  deliveredAt: Instant
  /** The earlier time that was entered, while no second person has approved it; it counts for nothing. */
  saidDeliveredAt?: Instant
  /** Kiosk job, postal tracking number: never a name. */
  evidence?: string
  device?: string
  /** The notice recorded for the wrong person or with a wrong date, void now, in whose place this stands. */
  correctionOf?: NoticeId
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

/** The second person saw the evidence: the notice counts from the earlier time that was entered (LAW trap 15). */
export interface NoticeBackdated extends AboutPatient {
  type: 'notice-backdated'
  notice: NoticeId
  deliveredAt: Instant
  evidence: string
}

/** The post knows when the letter arrived: that day stands in place of the assumed one. */
export interface NoticeArrived extends AboutPatient {
  type: 'notice-arrived'
  notice: NoticeId
  arrivedAt: Instant
  /** Tracking number or slip of delivery. */
  evidence: string
  /** The second person; without one an arrival earlier than assumed changes nothing. */
  approvedBy?: string
}

/** The letter came back: void from the beginning. */
export interface NoticeReturned extends AboutPatient {
  type: 'notice-returned'
  notice: NoticeId
  /** When the letter was back in the house; recorded later perhaps. */
  returnedAt?: Instant
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
  /** Who judged, when it was not who recorded it. */
  judgedBy?: string
  /** To be asked again from this day on; at each visit when it is not said. */
  askAgainOn?: LocalDate | null
}

/** The hospital learned of a death by itself; `null` takes an error of its own back, not what a source says. */
export interface DeathRecorded extends AboutPatient {
  type: 'death-recorded'
  deceasedOn: LocalDate | null
  ground?: string
  /** The second person, who takes it back with the first. */
  approvedBy?: string
}

export interface StopAsked extends AboutPatient {
  type: 'stop-asked'
  stop: StopId
  tracks: Track[] | null
  operators: OperatorId[] | null
  /** `this`: this hospital; `all`: every hospital that feeds the operator. Older events mean this one. */
  hospitals?: 'this' | 'all' | FacilityId[]
  /** Also hospitals that join later, as far as that can be done. */
  futureHospitals?: boolean
  /** Where it was said, and when; recorded later perhaps, but in force from the recording on. */
  channel?: StopChannelUsed
  receivedAt?: Instant
  requester: StopFact['requester']
  /** Names somebody: never in a log. */
  requesterName?: string
  relation?: string
  identityCheckedBy?: string
  device?: string
  /** How identity was established at the counter: card, document, acquaintance; `token` through the portal. */
  identityCheck: 'card' | 'document' | 'known' | 'token' | 'none'
  standing: 'provisional' | 'confirmed'
  origin: StopFact['origin']
  /** Ask also that data already given be erased. */
  erasureAsked: boolean
}

export type StopChannelUsed = 'window' | 'operator-desk' | 'phone' | 'post' | 'web'

/** Who asked provisionally is who they said they were. */
export interface StopConfirmed extends AboutPatient {
  type: 'stop-confirmed'
  stop: StopId
  identityCheck: StopAsked['identityCheck']
}

/** A provisional stop that somebody else had asked for, under this person's name; found out by two people. */
export interface StopDismissed extends AboutPatient {
  type: 'stop-dismissed'
  stop: StopId
  reason: 'not-this-person' | 'impostor'
  approvedBy: string
}

export interface StopWithdrawn extends AboutPatient {
  type: 'stop-withdrawn'
  stop: StopId
  requester: StopFact['requester']
  requesterName?: string
  identityCheck?: StopAsked['identityCheck']
  /** Also what other hospitals were asked to stop. */
  elsewhere?: true
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
  /** The second person, where there was one. */
  approvedBy?: string
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
  approvedBy?: string
}

/** 支援措置 (violence, stalking): no letter goes to the address in the chart. */
export interface ProtectionSet extends AboutPatient {
  type: 'protection-set'
  protected: boolean
}

/** The requester agreed to have the document of Art. 53 as an electronic record; or took that back. */
export interface ElectronicSlipAgreed extends AboutPatient {
  type: 'electronic-slip-agreed'
  stop: StopId
  agreed: boolean
}

/** The document of Art. 53 was made (`opened`), went out, or came back undelivered. */
export interface SlipMoved extends AboutPatient {
  type: 'slip-moved'
  stop: StopId
  document: string
  move: 'opened' | 'handed' | 'posted' | 'electronic' | 'bounced' | 'undone'
}

/** Somebody asked to stop whose chart was not found: held against every chart of that name and birth date. */
export interface NameStopAsked extends Base {
  type: 'name-stop-asked'
  stop: StopId
  /** As said. Names somebody: never in a log. */
  name: string
  kana: string
  birthDate: LocalDate | null
  requester: StopFact['requester']
  relation?: string
  /** How the requester can be told. */
  contact?: string
  /** As in {@link StopAsked}. */
  hospitals?: StopAsked['hospitals']
  futureHospitals?: boolean
  erasureAsked: boolean
}

/** Staff found the chart, which is stopped by an event of its own; or made sure that there is none. */
export interface NameStopSettled extends Base {
  type: 'name-stop-settled'
  stop: StopId
  outcome: 'found' | 'nobody'
  /** It was an error: what the other hospitals were asked is taken back, too. By two people. */
  elsewhere?: true
  approvedBy?: string
}

export interface EntityRecorded extends Base {
  type: 'entity-recorded'
  entity: EntityFacts
}

export interface TemplatePublished extends Base {
  type: 'template-published'
  template: TemplateFact
  /** What was published, item by item, and the exact Japanese text whose hash the template bears. */
  content?: NoticeContent
  text?: string
}

/** The text in another language; the Japanese one governs. */
export interface TemplateTranslated extends Base {
  type: 'template-translated'
  track: Track
  templateVersion: number
  language: NoticeLanguage
  text: string
  /** SHA-256 of the text, hex. */
  hash: string
}

export interface FilingAccepted extends Base {
  type: 'filing-accepted'
  filing: FilingFact
  filedOn?: LocalDate
  /** The ministers' number of receipt. */
  receipt?: string
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

/** One person wrote down other legal values; nothing changes yet. */
export interface RulesProposed extends Base {
  type: 'rules-proposed'
  hash: string
  rules: RuleFile
}

/** Another person agreed: the rule file decides from its own first day on. `hash` pins its text. */
export interface RulesChanged extends Base {
  type: 'rules-changed'
  version: string
  hash: string
  proposedBy?: string
}

export type PatientEvent =
  | PatientSeen
  | NoticeGiven
  | NoticeConfirmed
  | NoticeBackdated
  | NoticeArrived
  | NoticeReturned
  | NoticeVoided
  | CapacityJudged
  | DeathRecorded
  | StopAsked
  | StopConfirmed
  | StopDismissed
  | StopWithdrawn
  | StopUndone
  | HoldSet
  | HoldCleared
  | ChartsMerged
  | ChartsUnmerged
  | ProtectionSet
  | ElectronicSlipAgreed
  | SlipMoved

export type FacilityEvent =
  | EntityRecorded
  | TemplatePublished
  | TemplateTranslated
  | FilingAccepted
  | FilingEnded
  | FacilitySettings
  | RulesProposed
  | RulesChanged
  | NameStopAsked
  | NameStopSettled

export type RegisterEvent = PatientEvent | FacilityEvent
