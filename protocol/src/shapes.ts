import { z } from 'zod'
import {
  agentId,
  batchId,
  entityId,
  facilityId,
  filingId,
  keyId,
  messageId,
  noticeId,
  operatorId,
  parsePatientKey,
  stopHandle,
  stopId,
} from './ids.ts'
import { NOTICE_WAIT_DAYS_MAX } from './limits.ts'
import type { RecordKey } from './records.ts'
import { isRefusalCode, type RefusalCode } from './refusals.ts'
import { isLocalDate } from './rules/calendar.ts'
import {
  ITEM_CLASSES,
  NOTICE_ITEMS,
  type EntityFacts,
  type FacilityState,
  type FilingFact,
  type LocalDate,
  type NoticeFact,
  type OperatorState,
  type PatientState,
  type StopFact,
  type TemplateFact,
} from './rules/state.ts'

/**
 * Strict shapes of what travels: unknown members are refused, every text and list has a limit. Each is pinned to the
 * interface it reads by its declared type.
 */
const LIST_MAX = 1000
const CLOSED_DAYS_MAX = 4000
const TEXT_MAX = 4000

function parsedBy<T extends string>(parse: (text: string) => T): z.ZodType<T> {
  return z.custom<T>((value) => {
    if (typeof value !== 'string') return false
    try {
      parse(value)
      return true
    } catch {
      return false
    }
  })
}

export const AGENT = parsedBy(agentId)
export const BATCH = parsedBy(batchId)
export const ENTITY = parsedBy(entityId)
export const FACILITY = parsedBy(facilityId)
export const FILING = parsedBy(filingId)
export const KEY = parsedBy(keyId)
export const MESSAGE = parsedBy(messageId)
export const NOTICE = parsedBy(noticeId)
export const OPERATOR = parsedBy(operatorId)
export const PATIENT = parsedBy(parsePatientKey)
export const HANDLE = parsedBy(stopHandle)
export const STOP = parsedBy(stopId)

export const TEXT = z.string().max(TEXT_MAX)
export const DIGEST = z.string().regex(/^[0-9a-f]{64}$/)
export const COUNT = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
export const INSTANT = z.number().int().min(-8.64e15).max(8.64e15)
export const DATE = z.custom<LocalDate>(isLocalDate)
export const REFUSAL = z.custom<RefusalCode>((value) => typeof value === 'string' && isRefusalCode(value))
export const TRACK = z.enum(['ANON', 'PSEUDO'])
export const ITEM = z.enum(ITEM_CLASSES)
export const PATIENTS = z.array(PATIENT).max(LIST_MAX)
export const HANDLES = z.array(HANDLE).max(LIST_MAX)
export const TRACKS = z.array(TRACK).max(2)
export const OPERATORS = z.array(OPERATOR).max(LIST_MAX)
export const REQUESTER = z.enum(['person', 'guardian', 'family', 'agent'])
export const OPERATOR_STANDING = z.enum(['certified', 'revoked', 'ended'])
export const DEATH_POLICY = z.enum(['hold', 'allow'])
export const WAIT_DAYS = z.number().int().min(0).max(NOTICE_WAIT_DAYS_MAX)
export const CLOSED_DAYS = z.array(DATE).max(CLOSED_DAYS_MAX)

/** As long as a batch may name it. */
const KEY_PART = z.string().min(1).max(2048)
export const RECORD_KEY: z.ZodType<RecordKey> = z.strictObject({
  source: KEY_PART,
  type: KEY_PART,
  id: KEY_PART,
})

export const ENTITY_FACTS: z.ZodType<EntityFacts> = z.strictObject({
  entity: ENTITY,
  name: TEXT,
  address: TEXT,
  representative: TEXT,
})

export const TEMPLATE_FACT: z.ZodType<TemplateFact> = z.strictObject({
  version: COUNT,
  track: TRACK,
  hash: DIGEST,
  items: z.array(ITEM).max(ITEM_CLASSES.length),
  operators: OPERATORS,
  publishedAt: INSTANT,
  saysOneMonth: z.boolean(),
  startsOn: DATE.exactOptional(),
  change: z.strictObject({ items: z.array(z.enum(NOTICE_ITEMS)).max(8), from: DATE }).exactOptional(),
})

export const FILING_FACT: z.ZodType<FilingFact> = z.strictObject({
  filing: FILING,
  track: TRACK,
  templateVersion: COUNT,
  acceptedOn: DATE,
  endedOn: DATE.nullable(),
  entity: ENTITY.exactOptional(),
  facilities: z.array(FACILITY).max(LIST_MAX).exactOptional(),
})

export const TEMPLATES = z.array(TEMPLATE_FACT).max(LIST_MAX)
export const FILINGS = z.array(FILING_FACT).max(LIST_MAX)

export const FACILITY_STATE: z.ZodType<FacilityState> = z.strictObject({
  facility: FACILITY,
  entity: ENTITY_FACTS,
  templates: TEMPLATES,
  filings: FILINGS,
  waitDays: WAIT_DAYS,
  deathPolicy: DEATH_POLICY,
  closedDays: CLOSED_DAYS,
  endedOn: DATE.nullable(),
})

const NOTICE_FACT: z.ZodType<NoticeFact> = z.strictObject({
  notice: NOTICE,
  track: TRACK,
  templateVersion: COUNT,
  templateHash: DIGEST,
  operators: OPERATORS,
  recipient: z.enum(['person', 'guardian']),
  recipientState: z.enum(['able', 'unable']),
  method: z.enum(['handed', 'kiosk', 'post', 'electronic', 'other']),
  deliveredAt: INSTANT,
  recordedAt: INSTANT,
  backdateApprovedBy: TEXT.exactOptional(),
  standing: z.enum(['effective', 'pending', 'void']),
})

const STOP_FACT: z.ZodType<StopFact> = z.strictObject({
  stop: STOP,
  tracks: TRACKS.nullable(),
  operators: OPERATORS.nullable(),
  requester: REQUESTER,
  standing: z.enum(['provisional', 'confirmed', 'withdrawn', 'undone']),
  askedAt: INSTANT,
  withdrawnAt: INSTANT.nullable(),
  origin: z.enum(['counter', 'operator']),
})

export const PATIENT_STATE: z.ZodType<PatientState> = z.strictObject({
  patient: PATIENT,
  birthDate: DATE.nullable(),
  deceasedOn: DATE.nullable(),
  deathReviewedAt: INSTANT.exactOptional(),
  capacity: z.enum(['able', 'unable', 'unknown']),
  capacityReturnedAt: INSTANT.nullable(),
  notices: z.array(NOTICE_FACT).max(LIST_MAX),
  stops: z.array(STOP_FACT).max(LIST_MAX),
  holds: z.array(z.enum(['identity', 'merge', 'death-review', 'capacity', 'other'])).max(5),
  handles: HANDLES,
})

export const OPERATOR_STATE: z.ZodType<OperatorState> = z.strictObject({
  operator: OPERATOR,
  tracks: TRACKS,
  standing: OPERATOR_STANDING,
  asOf: INSTANT,
})
