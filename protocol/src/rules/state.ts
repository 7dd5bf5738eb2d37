import type {
  EntityId,
  FacilityId,
  FilingId,
  NoticeId,
  OperatorId,
  PatientKey,
  StopHandle,
  StopId,
} from '../ids.ts'
import type { Instant } from '../env.ts'

/** Calendar day in Asia/Tokyo, `YYYY-MM-DD`. */
export type LocalDate = string

/** 匿名加工 (Art. 52) or 仮名加工 (Art. 57): separate notice, filing, waiting period and stop. */
export type Track = 'ANON' | 'PSEUDO'

/** Classes of information (医療情報の項目) as a notice lists them. */
export const ITEM_CLASSES = [
  'identity',
  'insurance',
  'encounter',
  'diagnosis',
  'laboratory',
  'medication',
  'procedure',
  'observation',
  'document',
  'image',
  'care',
  'other',
] as const
export type ItemClass = (typeof ITEM_CLASSES)[number]

export interface EntityFacts {
  entity: EntityId
  name: string
  address: string
  representative: string
}

/** One immutable version of a notice's text. `version` counts up per facility and track. */
export interface TemplateFact {
  version: number
  track: Track
  /** SHA-256 of the exact text and language, hex. */
  hash: string
  items: ItemClass[]
  operators: OperatorId[]
  publishedAt: Instant
  /** The notice says 「1か月」: wait at least a calendar month too. */
  saysOneMonth: boolean
  /** The planned start of provision that the notice names: nothing is provided on it before. */
  startsOn?: LocalDate
  /** What it changes of the version before; `from` is the day of the change itself. */
  change?: { items: NoticeItem[]; from: LocalDate }
}

/** The items of Art. 52(1), for the pseudonymized track of Art. 57(1). */
export const NOTICE_ITEMS = ['i', 'ii', 'iii', 'iv', 'v', 'vi', 'vii', 'viii'] as const
export type NoticeItem = (typeof NOTICE_ITEMS)[number]

export interface FilingFact {
  filing: FilingId
  track: Track
  /** Highest template version this filing covers. */
  templateVersion: number
  acceptedOn: LocalDate
  endedOn: LocalDate | null
  /** Who filed; another legal person's filing covers nobody here. Older facts: this facility's own. */
  entity?: EntityId
  /** The facilities it names; every facility of the legal person when it names none. */
  facilities?: FacilityId[]
}

export interface FacilityState {
  facility: FacilityId
  entity: EntityFacts
  templates: TemplateFact[]
  filings: FilingFact[]
  /** The hospital's own waiting period in days; the rule file's minimum prevails when longer. */
  waitDays: number
  /** Default when someone died after the notice, inside the period or later (LAW trap 21). */
  deathPolicy: 'hold' | 'allow'
  /** Days on which the window where a stop can be asked is closed, beside weekends and public holidays. */
  closedDays: LocalDate[]
  /** The hospital left the scheme on this day. */
  endedOn: LocalDate | null
}

export type NoticeMethod = 'handed' | 'kiosk' | 'post' | 'electronic' | 'other'
export type RecipientRole = 'person' | 'guardian'

/** One hand-over of one notice to one recipient, after corrections, returns and confirmations were folded in. */
export interface NoticeFact {
  notice: NoticeId
  track: Track
  templateVersion: number
  templateHash: string
  operators: OperatorId[]
  recipient: RecipientRole
  /** `unable`: unconscious or unable to read it; never starts the clock. */
  recipientState: 'able' | 'unable'
  method: NoticeMethod
  /** When it reached the recipient (post: arrival). The clock starts here. */
  deliveredAt: Instant
  /** Recorded when; a notice dated before this day counts from here unless a second person approved. */
  recordedAt: Instant
  /** The second person, other than the recorder, who approved an earlier date on evidence (LAW trap 15). */
  backdateApprovedBy?: string
  /** `pending`: a kiosk printed it and nobody confirmed; `void`: returned, corrected or undone. */
  standing: 'effective' | 'pending' | 'void'
}

export interface StopFact {
  stop: StopId
  /** `null`: every track. */
  tracks: Track[] | null
  /** `null`: every operator. */
  operators: OperatorId[] | null
  requester: 'person' | 'guardian' | 'family' | 'agent'
  /** A provisional stop holds exactly as a confirmed one does. */
  standing: 'provisional' | 'confirmed' | 'withdrawn' | 'undone'
  askedAt: Instant
  withdrawnAt: Instant | null
  origin: 'counter' | 'operator'
}

export type HoldReason = 'identity' | 'merge' | 'death-review' | 'capacity' | 'other'

export interface PatientState {
  patient: PatientKey
  /** `null`: missing, unreadable or a placeholder (1900-01-01 …): age unknown, which denies. */
  birthDate: LocalDate | null
  deceasedOn: LocalDate | null
  /** Staff reviewed the death and cleared the hold that the facility's death policy asks for. */
  deathReviewedAt?: Instant
  capacity: 'able' | 'unable' | 'unknown'
  /** When capacity was last judged to have returned after being `unable`. */
  capacityReturnedAt: Instant | null
  notices: NoticeFact[]
  /** Stops over every chart of the person. */
  stops: StopFact[]
  holds: HoldReason[]
  /** Handles of the tokens on this patient's papers. */
  handles: StopHandle[]
}

export interface OperatorState {
  operator: OperatorId
  tracks: Track[]
  standing: 'certified' | 'revoked' | 'ended'
  /** Time of the signed status list this comes from. */
  asOf: Instant
}

/** All that a decision depends on. Travels inside a batch as the evidence of each patient. */
export interface GateState {
  facility: FacilityState
  patient: PatientState
  operator: OperatorState
  /** Latest time this side has ever seen; a clock behind it denies. */
  latestSeen: Instant
}

export interface GateRequest {
  track: Track
  item: ItemClass
}
