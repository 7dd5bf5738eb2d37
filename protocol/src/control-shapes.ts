import { z } from 'zod'
import {
  CONTROL_VERSION,
  type ChartsFreed,
  type CheckpointShown,
  type Control,
  type DeclarationKnown,
  type ErasureDone,
  type ErasureRequested,
  type FacilityDeclared,
  type Heartbeat,
  type HeldRecord,
  type KeyChanged,
  type ListedStop,
  type NoticeTextDeclared,
  type NoticeVoidedReported,
  type OperatorStatus,
  type Receipt,
  type RecordList,
  type RecordsAsked,
  type ReportsTaken,
  type ResendAsked,
  type SlipHanded,
  type StopList,
  type StopOrdered,
  type StopReported,
  type StopWithdrawnReported,
  type StopElsewhereAsked,
  type StopsAsked,
  type VaultRestored,
} from './messages.ts'
import { CONTROL_IDS_MAX, NOTICE_TEXT_MAX, STOP_LIST_PARTS_MAX } from './limits.ts'
import { NOTICE_LANGUAGES } from './notice-content.ts'
import {
  BATCH,
  CLOSED_DAYS,
  COUNT,
  DATE,
  DEATH_POLICY,
  DIGEST,
  ENTITY_FACTS,
  FACILITY,
  FILINGS,
  HANDLE,
  HANDLES,
  INSTANT,
  MESSAGE,
  OPERATOR,
  OPERATORS,
  OPERATOR_STANDING,
  PATIENT,
  PATIENTS,
  RECORD_KEY,
  REFUSAL,
  REQUESTER,
  STOP,
  TEMPLATES,
  TEXT,
  TRACK,
  TRACKS,
  WAIT_DAYS,
} from './shapes.ts'

const CHECKPOINT = z.string().max(4096)
const REFUSALS_MAX = 20_000
/** 32 bytes in base64: a public key, or the key of a keyed hash. */
const PUBLIC_KEY = z.string().regex(/^[A-Za-z0-9+/]{43}=$/)

const base = { version: z.literal(CONTROL_VERSION), message: MESSAGE, at: INSTANT }

const FACILITY_DECLARED = z.looseObject({
  ...base,
  type: z.literal('facility-declared'),
  facility: FACILITY,
  entity: ENTITY_FACTS,
  templates: TEMPLATES,
  filings: FILINGS,
  endedOn: DATE.nullable(),
  waitDays: WAIT_DAYS,
  deathPolicy: DEATH_POLICY,
  closedDays: CLOSED_DAYS,
}) satisfies z.ZodType<FacilityDeclared>

const NOTICE_TEXT_DECLARED = z.looseObject({
  ...base,
  type: z.literal('notice-text-declared'),
  facility: FACILITY,
  track: TRACK,
  templateVersion: COUNT,
  language: z.enum(NOTICE_LANGUAGES),
  hash: DIGEST,
  text: z.string().min(1).max(NOTICE_TEXT_MAX),
}) satisfies z.ZodType<NoticeTextDeclared>

const SLIP_HANDED = z.looseObject({
  ...base,
  type: z.literal('slip-handed'),
  stop: STOP,
  patients: PATIENTS,
  document: z.string().min(1).max(64),
  move: z.enum(['handed', 'posted', 'electronic', 'bounced']),
  movedAt: INSTANT,
}) satisfies z.ZodType<SlipHanded>

const STOP_REPORTED = z.looseObject({
  ...base,
  type: z.literal('stop-reported'),
  stop: STOP,
  patients: PATIENTS,
  handles: HANDLES,
  tracks: TRACKS.nullable(),
  operators: OPERATORS.nullable(),
  requester: REQUESTER,
  askedAt: INSTANT,
  erasureAsked: z.boolean(),
}) satisfies z.ZodType<StopReported>

const STOP_WITHDRAWN_REPORTED = z.looseObject({
  ...base,
  type: z.literal('stop-withdrawn-reported'),
  stop: STOP,
  patients: PATIENTS,
  withdrawnAt: INSTANT,
  undone: z.literal(true).exactOptional(),
}) satisfies z.ZodType<StopWithdrawnReported>

const CHARTS_FREED = z.looseObject({
  ...base,
  type: z.literal('charts-freed'),
  stop: STOP,
  patients: PATIENTS,
  freedAt: INSTANT,
}) satisfies z.ZodType<ChartsFreed>

const NOTICE_VOIDED_REPORTED = z.looseObject({
  ...base,
  type: z.literal('notice-voided-reported'),
  patients: PATIENTS,
  voidedAt: INSTANT,
}) satisfies z.ZodType<NoticeVoidedReported>

const ERASURE_REQUESTED = z.looseObject({
  ...base,
  type: z.literal('erasure-requested'),
  patients: PATIENTS,
  stop: STOP.nullable(),
  askedAt: INSTANT,
}) satisfies z.ZodType<ErasureRequested>

const HEARTBEAT = z.looseObject({
  ...base,
  type: z.literal('heartbeat'),
  software: TEXT,
  pendingBatches: COUNT,
  oldestPendingAt: INSTANT.nullable(),
  checkpoint: CHECKPOINT.nullable(),
}) satisfies z.ZodType<Heartbeat>

const STOPS_ASKED = z.looseObject({
  ...base,
  type: z.literal('stops-asked'),
}) satisfies z.ZodType<StopsAsked>

const REPORTS_TAKEN = z.looseObject({
  ...base,
  type: z.literal('reports-taken'),
  messages: z.array(MESSAGE).max(CONTROL_IDS_MAX),
}) satisfies z.ZodType<ReportsTaken>

const LISTED_STOP: z.ZodType<ListedStop> = z.looseObject({
  stop: STOP,
  patients: PATIENTS,
  handles: HANDLES,
  tracks: TRACKS.nullable(),
  operators: OPERATORS.nullable(),
  requester: REQUESTER,
  standing: z.enum(['provisional', 'confirmed', 'withdrawn']),
  askedAt: INSTANT,
  withdrawnAt: INSTANT.nullable(),
  origin: z.enum(['counter', 'operator']),
  erasureAsked: z.boolean(),
})

const STOP_LIST = z.looseObject({
  ...base,
  type: z.literal('stop-list'),
  asked: MESSAGE,
  part: COUNT.max(STOP_LIST_PARTS_MAX - 1),
  parts: COUNT.min(1).max(STOP_LIST_PARTS_MAX),
  stops: z.array(LISTED_STOP).max(CONTROL_IDS_MAX),
  erased: z.array(DIGEST).max(CONTROL_IDS_MAX),
  erasedKey: PUBLIC_KEY,
  sequence: COUNT,
  checkpoint: CHECKPOINT.nullable(),
}) satisfies z.ZodType<StopList>

const HELD_RECORD: z.ZodType<HeldRecord> = z.looseObject({
  key: RECORD_KEY,
  patient: PATIENT,
  hash: DIGEST.nullable(),
})

/** Where a page begins: the vault's own word, of no meaning to others. */
const PLACE = z.string().min(1).max(200)

const RECORD_LIST = z.looseObject({
  ...base,
  type: z.literal('record-list'),
  asked: MESSAGE,
  after: PLACE.nullable(),
  next: PLACE,
  whole: z.boolean(),
  records: z.array(HELD_RECORD).max(CONTROL_IDS_MAX),
}) satisfies z.ZodType<RecordList>

const RECORDS_ASKED = z.looseObject({
  ...base,
  type: z.literal('records-asked'),
  asked: MESSAGE,
  after: PLACE,
}) satisfies z.ZodType<RecordsAsked>

const DECLARATION_KNOWN = z.looseObject({
  ...base,
  type: z.literal('declaration-known'),
  declared: z.looseObject({ message: MESSAGE, at: INSTANT }).nullable(),
}) satisfies z.ZodType<DeclarationKnown>

const VAULT_RESTORED = z.looseObject({
  ...base,
  type: z.literal('vault-restored'),
}) satisfies z.ZodType<VaultRestored>

const RECEIPT = z.looseObject({
  ...base,
  type: z.literal('receipt'),
  batch: BATCH,
  digest: DIGEST,
  outcome: z.enum(['accepted', 'partly', 'refused']),
  accepted: COUNT,
  refusals: z
    .array(z.looseObject({ code: REFUSAL, patient: PATIENT.nullable(), record: TEXT.nullable() }))
    .max(REFUSALS_MAX),
}) satisfies z.ZodType<Receipt>

const ASKED_PERSON = z.looseObject({
  name: z.string().max(200),
  kana: z.string().max(200),
  birthDate: DATE.nullable(),
  number: z.string().max(64).nullable(),
  requesterName: z.string().max(200),
  relation: z.string().max(200).nullable(),
  contact: z.string().max(500).nullable(),
})

const STOP_ELSEWHERE_ASKED = z.looseObject({
  ...base,
  type: z.literal('stop-elsewhere-asked'),
  stop: STOP,
  patients: PATIENTS,
  hospitals: z.union([z.literal('all'), z.array(FACILITY).min(1).max(CONTROL_IDS_MAX)]),
  person: ASKED_PERSON,
  tracks: TRACKS.nullable(),
  requester: REQUESTER,
  askedAt: INSTANT,
  erasureAsked: z.literal(true).exactOptional(),
}) satisfies z.ZodType<StopElsewhereAsked>

const STOP_ORDERED = z.looseObject({
  ...base,
  type: z.literal('stop-ordered'),
  stop: STOP,
  handle: HANDLE.nullable(),
  patients: PATIENTS,
  tracks: TRACKS.nullable(),
  requester: REQUESTER,
  askedAt: INSTANT,
  erasureAsked: z.boolean(),
  standing: z.literal('provisional').exactOptional(),
  person: ASKED_PERSON.exactOptional(),
}) satisfies z.ZodType<StopOrdered>

const ERASURE_DONE = z.looseObject({
  ...base,
  type: z.literal('erasure-done'),
  patients: PATIENTS,
  erasedAt: INSTANT,
  certificate: DIGEST,
}) satisfies z.ZodType<ErasureDone>

const OPERATOR_STATUS = z.looseObject({
  ...base,
  type: z.literal('operator-status'),
  operator: OPERATOR,
  name: TEXT,
  address: TEXT,
  tracks: TRACKS,
  standing: OPERATOR_STANDING,
  asOf: INSTANT,
}) satisfies z.ZodType<OperatorStatus>

const KEY_CHANGED = z.looseObject({
  ...base,
  type: z.literal('key-changed'),
  vaultKey: PUBLIC_KEY,
  from: INSTANT,
}) satisfies z.ZodType<KeyChanged>

const CHECKPOINT_SHOWN = z.looseObject({
  ...base,
  type: z.literal('checkpoint-shown'),
  checkpoint: CHECKPOINT,
}) satisfies z.ZodType<CheckpointShown>

const RESEND_ASKED = z.looseObject({
  ...base,
  type: z.literal('resend-asked'),
  patients: PATIENTS,
}) satisfies z.ZodType<ResendAsked>

const SHAPES = [
  FACILITY_DECLARED,
  NOTICE_TEXT_DECLARED,
  SLIP_HANDED,
  STOP_REPORTED,
  STOP_WITHDRAWN_REPORTED,
  CHARTS_FREED,
  NOTICE_VOIDED_REPORTED,
  ERASURE_REQUESTED,
  HEARTBEAT,
  STOPS_ASKED,
  STOP_ELSEWHERE_ASKED,
  RECORDS_ASKED,
  RECEIPT,
  REPORTS_TAKEN,
  STOP_LIST,
  RECORD_LIST,
  DECLARATION_KNOWN,
  VAULT_RESTORED,
  STOP_ORDERED,
  ERASURE_DONE,
  OPERATOR_STATUS,
  KEY_CHANGED,
  CHECKPOINT_SHOWN,
  RESEND_ASKED,
] as const

/** What every message has, of whatever type. */
export const CONTROL_HEAD = z.looseObject({ ...base, type: TEXT })

export const CONTROL_TYPES: readonly string[] = SHAPES.map(({ shape }) => shape.type.value)

/**
 * One shape for each message. Members it does not name are carried along, for the signature covers them, and read by
 * nobody; the facts of the law inside a declaration stay strict, for an unknown one may forbid what is declared.
 */
export const CONTROL_BODY: z.ZodType<Control> = z.discriminatedUnion('type', SHAPES)
