import { inspect } from 'node:util'

declare const brand: unique symbol
type Brand<B extends string> = string & { readonly [brand]: B }

/** A legal person that handles medical information (医療情報取扱事業者). */
export type EntityId = Brand<'EntityId'>
/** One facility of an entity; notice periods run per facility. */
export type FacilityId = Brand<'FacilityId'>
/** A certified operator (認定事業者). */
export type OperatorId = Brand<'OperatorId'>
/** One enrolled agent process at one facility. */
export type AgentId = Brand<'AgentId'>
export type BatchId = Brand<'BatchId'>
export type NoticeId = Brand<'NoticeId'>
export type FilingId = Brand<'FilingId'>
export type StopId = Brand<'StopId'>
export type MessageId = Brand<'MessageId'>
/** First 16 hex digits of the SHA-256 of a public key. */
export type KeyId = Brand<'KeyId'>
/** `HMAC`-free one-way handle of the token on a patient's notice paper; see `stop-handle.ts`. 64 hex digits. */
export type StopHandle = Brand<'StopHandle'>
/** The hub's internal id of one human being (名寄せの結果); never leaves the vault. */
export type PersonKey = Brand<'PersonKey'>
/** `<facility>/<local patient number>`: the key of one chart. Identifies a person: never log it. */
export type PatientKey = Brand<'PatientKey'>

const SAFE_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

export class MalformedId extends Error {
  override name = 'MalformedId'
}

function parser<T extends string>(kind: string, shape: RegExp): (text: string) => T {
  return (text) => {
    if (!shape.test(text)) throw new MalformedId(`not a ${kind}`)
    return text as T
  }
}

/** Parsers, never casts: each throws {@link MalformedId}, and names the kind but not the text. */
export const entityId = parser<EntityId>('EntityId', SAFE_ID)
export const facilityId = parser<FacilityId>('FacilityId', SAFE_ID)
export const operatorId = parser<OperatorId>('OperatorId', SAFE_ID)
export const agentId = parser<AgentId>('AgentId', SAFE_ID)
export const batchId = parser<BatchId>('BatchId', SAFE_ID)
export const noticeId = parser<NoticeId>('NoticeId', SAFE_ID)
export const filingId = parser<FilingId>('FilingId', SAFE_ID)
export const stopId = parser<StopId>('StopId', SAFE_ID)
export const messageId = parser<MessageId>('MessageId', SAFE_ID)
export const keyId = parser<KeyId>('KeyId', /^[0-9a-f]{16}$/)
export const stopHandle = parser<StopHandle>('StopHandle', /^[0-9a-f]{64}$/)
export const personKey = parser<PersonKey>('PersonKey', SAFE_ID)

/** The operator's own stop for the other hospitals that somebody named at one hospital's counter, beside that one's. */
export function elsewhereStop(stop: StopId): StopId {
  return stopId(`elsewhere:${stop}`)
}

/** Local patient numbers are strings: leading zeros matter. Any printable text without `/` or control characters. */
export function patientKey(facility: FacilityId, local: string): PatientKey {
  if (local.length === 0 || local.length > 128 || /[/\p{Cc}]/u.test(local))
    throw new MalformedId('not a local patient number')
  return `${facility}/${local}` as PatientKey
}

export function parsePatientKey(text: string): PatientKey {
  const slash = text.indexOf('/')
  if (slash < 1) throw new MalformedId('not a PatientKey')
  return patientKey(facilityId(text.slice(0, slash)), text.slice(slash + 1))
}

export function facilityOf(patient: PatientKey): FacilityId {
  return patient.slice(0, patient.indexOf('/')) as FacilityId
}

export function localNumberOf(patient: PatientKey): string {
  return patient.slice(patient.indexOf('/') + 1)
}

/** Text that names a person (name, kana, address, telephone …). Prints `[redacted]` wherever it is printed. */
export class Personal {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  /** The text itself, for the screen or the store it is meant for. */
  reveal(): string {
    return this.#text
  }
  toString(): string {
    return '[redacted]'
  }
  toJSON(): string {
    return '[redacted]'
  }
  [inspect.custom](): string {
    return '[redacted]'
  }
}
