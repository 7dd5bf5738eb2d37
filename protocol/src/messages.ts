import type { Instant } from './env.ts'
import type {
  AgentId,
  BatchId,
  FacilityId,
  KeyId,
  MessageId,
  OperatorId,
  PatientKey,
  StopHandle,
  StopId,
} from './ids.ts'
import type { NoticeLanguage } from './notice-content.ts'
import type { RecordKey } from './records.ts'
import type { RefusalCode } from './refusals.ts'
import type { EntityFacts, FilingFact, LocalDate, StopFact, TemplateFact, Track } from './rules/state.ts'

/**
 * Control messages between an agent and the vault. Each is canonical JSON, signed by its sender, then sealed to its
 * receiver; the gateway between them sees a {@link ControlEnvelope} and nothing else. Delivery is at least once;
 * a receiver applies a message id once and acknowledges it after the commit.
 *
 * An agent and a hub one version apart understand each other. A reader ignores members it does not know, so a new one
 * may only add to what the message means without it; what would change its meaning is a new type. A type the reader
 * does not know is no forgery: an agent acknowledges it and does nothing, the vault leaves it unanswered, so that it is
 * said again when the vault has become newer. The vault uses what came with a version only towards an agent whose
 * heartbeat names that version or a later one, and an agent only in answer to what came with the same version.
 */
export const CONTROL_VERSION = 1

export interface ControlEnvelope {
  version: typeof CONTROL_VERSION
  message: MessageId
  /** Which agent's conversation this belongs to. */
  agent: AgentId
  direction: 'up' | 'down'
  /** Key the box is sealed to. */
  sealedTo: KeyId
  /** Sealed box over canonical `Signed<Control>`, base64. */
  box: string
}

interface Base {
  version: typeof CONTROL_VERSION
  message: MessageId
  /** When the sender wrote it. */
  at: Instant
}

// up: agent → vault

/** What the vault must know of a facility to check evidence: its legal person, notice texts and filings. */
export interface FacilityDeclared extends Base {
  type: 'facility-declared'
  facility: FacilityId
  entity: EntityFacts
  templates: TemplateFact[]
  filings: FilingFact[]
  endedOn: LocalDate | null
  waitDays: number
  deathPolicy: 'hold' | 'allow'
  closedDays: LocalDate[]
}

/**
 * The words of a published notice in one language, for the hub's own pages. Beside the declaration, which holds without
 * it: a hub that does not know this message has the facility's facts all the same.
 */
export interface NoticeTextDeclared extends Base {
  type: 'notice-text-declared'
  facility: FacilityId
  track: Track
  templateVersion: number
  language: NoticeLanguage
  /** SHA-256 of `text`, hex; in Japanese the one of the declared template. */
  hash: string
  text: string
}

export interface StopReported extends Base {
  type: 'stop-reported'
  stop: StopId
  /** Every chart of the person at this facility. */
  patients: PatientKey[]
  handles: StopHandle[]
  tracks: Track[] | null
  operators: OperatorId[] | null
  requester: StopFact['requester']
  askedAt: Instant
  erasureAsked: boolean
}

/**
 * At the counter the person asked that other hospitals stop too. A message of its own, beside the stop it tells of: a hub
 * that does not know it yet has the stop all the same.
 */
export interface StopElsewhereAsked extends Base {
  type: 'stop-elsewhere-asked'
  stop: StopId
  /** The charts of the asking hospital, of which it speaks. */
  patients: PatientKey[]
  hospitals: 'all' | FacilityId[]
  person: AskedPerson
  tracks: Track[] | null
  requester: StopFact['requester']
  askedAt: Instant
  /** What the others gave already is to be erased, too. */
  erasureAsked?: true
}

/**
 * A hospital ends a stop for its own charts. Of the stop that the operator made out of its {@link StopElsewhereAsked}
 * (`elsewhereStop`) it says so when the person took back that too; the operator's desk then ends it.
 */
export interface StopWithdrawnReported extends Base {
  type: 'stop-withdrawn-reported'
  stop: StopId
  patients: PatientKey[]
  withdrawnAt: Instant
  /** It never was this person's stop (undone, un-merged, dismissed): no fresh notice is due. */
  undone?: true
}

/**
 * Two people at the hospital settled that these charts only bear the name of whom a stop at the operator means. It ends
 * for them alone, as if they had never been meant, and holds for everybody else.
 */
export interface ChartsFreed extends Base {
  type: 'charts-freed'
  stop: StopId
  patients: PatientKey[]
  freedAt: Instant
}

/** Evidence that was relied on turned out void (returned mail, wrong patient): LAW traps 7 and §6.4. */
export interface NoticeVoidedReported extends Base {
  type: 'notice-voided-reported'
  patients: PatientKey[]
  voidedAt: Instant
}

export interface ErasureRequested extends Base {
  type: 'erasure-requested'
  patients: PatientKey[]
  stop: StopId | null
  askedAt: Instant
}

export interface Heartbeat extends Base {
  type: 'heartbeat'
  software: string
  pendingBatches: number
  oldestPendingAt: Instant | null
  /** The agent's own audit checkpoint (C2SP signed note), for the hub to keep as witness. */
  checkpoint: string | null
}

/** What became at the hospital of the document of Art. 53 for a stop: it went out, or came back undelivered. */
export interface SlipHanded extends Base {
  type: 'slip-handed'
  stop: StopId
  /** The stopped charts of this hospital; empty while none was found. */
  patients: PatientKey[]
  /** Number of the document. */
  document: string
  move: 'handed' | 'posted' | 'electronic' | 'bounced'
  movedAt: Instant
}

/** After a restore: the register lacks what was recorded since the backup. The gate stays shut until the answer. */
export interface StopsAsked extends Base {
  type: 'stops-asked'
}

/** The next page of a {@link RecordList}: said when the one before is applied, so that one page is under way at a time. */
export interface RecordsAsked extends Base {
  type: 'records-asked'
  asked: MessageId
  after: string
}

// down: vault → agent

/** The vault has applied these messages of the agent; until then the agent keeps them and says them again. */
export interface ReportsTaken extends Base {
  type: 'reports-taken'
  messages: MessageId[]
}

/** One stop as the vault knows it; the charts are those of the asking agent's facility. */
export interface ListedStop {
  stop: StopId
  patients: PatientKey[]
  handles: StopHandle[]
  tracks: Track[] | null
  operators: OperatorId[] | null
  requester: StopFact['requester']
  standing: 'provisional' | 'confirmed' | 'withdrawn'
  askedAt: Instant
  withdrawnAt: Instant | null
  origin: StopFact['origin']
  erasureAsked: boolean
}

/** A part of the answer to {@link StopsAsked}; only all parts together are one. */
export interface StopList extends Base {
  type: 'stop-list'
  /** The question. */
  asked: MessageId
  /** From 0. */
  part: number
  parts: number
  stops: ListedStop[]
  /** Erased charts of the facility, which the vault itself can no longer name: HMAC-SHA-256 under `erasedKey`, hex. */
  erased: string[]
  /** Key of this facility alone, base64: tells nothing of another's charts. */
  erasedKey: string
  /** Highest batch sequence number the vault has from this agent. */
  sequence: number
  /** The agent's own audit log as its last heartbeat showed it: what is missing since the backup. */
  checkpoint: string | null
}

/** A record of the facility as the vault holds it; `hash` is `null` when a tombstone has taken it back. */
export interface HeldRecord {
  key: RecordKey
  patient: PatientKey
  hash: string | null
}

/**
 * One page of what the vault holds of the asking agent's facility, unasked with the answer to {@link StopsAsked}: an
 * agent put back from a backup has forgotten what it sent since, and could never take it back. Nothing of the facility
 * is sent between the first page and the last. In order of arrival and of removal, so that what came later is at its end: a
 * batch of before the backup's time may still have been on its way to the vault.
 */
export interface RecordList extends Base {
  type: 'record-list'
  /** The question of the restore. */
  asked: MessageId
  /** `null`: the first page. */
  after: string | null
  /** Where to go on: with the next page, or, after the last, with what came since. Meaningful to the vault alone. */
  next: string
  /** The last page, as of now. */
  whole: boolean
  records: HeldRecord[]
}

/**
 * The newest declaration the vault has of the agent's facility. A vault put back from a backup names an older one than
 * the agent has said, and is told again.
 */
export interface DeclarationKnown extends Base {
  type: 'declaration-known'
  declared: { message: MessageId; at: Instant } | null
}

/** The vault was put back from a backup: the agent asks again for what that still knows, and sends what it lacks. */
export interface VaultRestored extends Base {
  type: 'vault-restored'
}

/** Only this lets the agent drop a batch. */
export interface Receipt extends Base {
  type: 'receipt'
  batch: BatchId
  /** Digest of the sealed batch, hex. */
  digest: string
  outcome: 'accepted' | 'partly' | 'refused'
  accepted: number
  refusals: { code: RefusalCode; patient: PatientKey | null; record: string | null }[]
}

/** Who is meant, as said by somebody who shows no paper. Names people: travels sealed, and in no log. */
export interface AskedPerson {
  name: string
  kana: string
  birthDate: LocalDate | null
  /** Patient number at this hospital, if it was said. */
  number: string | null
  requesterName: string
  relation: string | null
  /** Where the requester wants the document of Art. 53: what they say now, never the chart's address. */
  contact: string | null
}

/** A stop made at the operator: by paper token (handle), resolved to a chart of this agent, or by name. */
export interface StopOrdered extends Base {
  type: 'stop-ordered'
  stop: StopId
  handle: StopHandle | null
  patients: PatientKey[]
  tracks: Track[] | null
  requester: StopFact['requester']
  askedAt: Instant
  erasureAsked: boolean
  /** Omitted: confirmed. The same stop said again without it is the confirmation. */
  standing?: 'provisional'
  person?: AskedPerson
}

/** The hub erased these charts: forget what was sent, refuse to send again. */
export interface ErasureDone extends Base {
  type: 'erasure-done'
  patients: PatientKey[]
  erasedAt: Instant
  /** SHA-256 of the certificate, hex. */
  certificate: string
}

/** Signed status list of operators; freshness counts from `asOf`. */
export interface OperatorStatus extends Base {
  type: 'operator-status'
  operator: OperatorId
  name: string
  address: string
  tracks: Track[]
  standing: 'certified' | 'revoked' | 'ended'
  asOf: Instant
}

export interface KeyChanged extends Base {
  type: 'key-changed'
  /** The vault's new sealing key, base64, in force from `from`. */
  vaultKey: string
  from: Instant
}

export interface CheckpointShown extends Base {
  type: 'checkpoint-shown'
  checkpoint: string
}

/** Asks the agent to read everything of these charts again (after a restore, a refused batch). */
export interface ResendAsked extends Base {
  type: 'resend-asked'
  patients: PatientKey[]
}

export type UpControl =
  | FacilityDeclared
  | StopReported
  | StopWithdrawnReported
  | NoticeVoidedReported
  | ErasureRequested
  | Heartbeat
  | StopsAsked
  | StopElsewhereAsked
  | RecordsAsked
  | ChartsFreed
  | NoticeTextDeclared
  | SlipHanded

export type DownControl =
  | Receipt
  | ReportsTaken
  | StopList
  | RecordList
  | DeclarationKnown
  | VaultRestored
  | StopOrdered
  | ErasureDone
  | OperatorStatus
  | KeyChanged
  | CheckpointShown
  | ResendAsked

export type Control = UpControl | DownControl

// between an agent and the gateway, in the clear but signed per request

export interface EnrolmentRequest {
  code: string
  agent: AgentId
  facility: FacilityId
  /** Ed25519 public key, base64. */
  signingKey: string
  /** X25519 public key of the agent's inbox, base64. */
  inboxKey: string
}

export interface EnrolmentAnswer {
  operator: OperatorId
  operatorName: string
  operatorAddress: string
  vaultKey: string
  /** Ed25519 public key with which the vault signs receipts and orders, base64. */
  vaultSigningKey: string
  gatewayKey: string
}

/** "Stored durably at the gateway": moves a batch on, drops nothing. */
export interface GatewayAck {
  batch: BatchId
  digest: string
  storedAt: Instant
}
