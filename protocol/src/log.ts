import type { Instant } from './env.ts'
import type { AgentId, BatchId, FacilityId, FilingId, KeyId, MessageId, NoticeId, OperatorId } from './ids.ts'
import type { RefusalCode } from './refusals.ts'

/**
 * The only kinds of value a log line may carry: numbers, codes and ids that identify nobody. A `PatientKey`, a
 * `Personal` or free text does not type-check here; fixed words are passed as `word('…')`.
 */
export type Loggable =
  | number
  | boolean
  | null
  | AgentId
  | BatchId
  | EventWord
  | FacilityId
  | FilingId
  | KeyId
  | MessageId
  | NoticeId
  | OperatorId
  | RefusalCode

declare const brand: unique symbol
/** A word fixed in the code, not taken from input. */
export type EventWord = string & { readonly [brand]: 'EventWord' }

export function word<W extends string>(text: string extends W ? never : W): EventWord {
  return text as string as EventWord
}

export type Log = (event: string, fields?: Record<string, Loggable>) => void

/** One JSON object a line: `at`, `event`, then the fields. */
export function jsonLog(now: () => Instant, write: (line: string) => void): Log {
  return (event, fields = {}) => {
    write(`${JSON.stringify({ at: new Date(now()).toISOString(), event, ...fields })}\n`)
  }
}

export const silentLog: Log = () => {}
