import type { PatientKey } from '@kakehashi/protocol/ids'
import type { RecordKey, SourceRecord, Tombstone } from '@kakehashi/protocol/records'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { FolderSeen } from './ssmix2/store.ts'

/** Where a reader stands in its source; opaque JSON to everybody but the connector that made it. */
export type Checkpoint = string

/** Where in a file the bytes of one record lie, so that it is found again without a scan. Holds no content. */
export interface Span {
  file: string
  start: number
  length: number
  line: number
}

/**
 * What a source tells. `record` is fit to travel once the gate allows all of its patients; `held` exists and is counted
 * but may not travel (no patient found, or its label says so); `quarantined` could not be read at all.
 */
export type SourceEvent =
  | { t: 'record'; record: SourceRecord; span?: Span }
  | {
      t: 'held'
      key: RecordKey
      contentHash: string
      patients: PatientKey[]
      code: RefusalCode
      sourceTime?: string
      span?: Span
    }
  | { t: 'quarantined'; code: RefusalCode; place: string; hash: string; file?: string }
  | { t: 'tombstone'; tombstone: Tombstone }
  | {
      t: 'patient-link'
      from: PatientKey
      to: PatientKey
      kind: 'replaced-by' | 'replaces' | 'refer' | 'seealso'
    }
  | { t: 'fault'; code: RefusalCode; place: string; retryable: boolean }
  /** A full pass begins: whatever it does not tell before its `swept` has gone. */
  | { t: 'pass' }
  /** One patient's folder of a storage as it is now that it was read. */
  | { t: 'folder'; seen: FolderSeen }
  /** Everything of this file is about to be read anew: what was remembered of its lines is void. */
  | { t: 'file'; file: string }
  | { t: 'checkpoint'; checkpoint: Checkpoint; swept?: Sweep }

/**
 * A full pass ended: what was last seen in one of `files` (`null`: anywhere) and is of one of `types` (`null`: any, but
 * never one of `except`), and was not told since the pass began, is no more.
 */
export interface Sweep {
  types: string[] | null
  except: string[]
  files: string[] | null
}

/** Ends one patient's records; not `complete` when something could not be read and must be asked for again. */
export interface PatientRead {
  t: 'patient-read'
  patient: PatientKey
  complete: boolean
}

export type FetchEvent = SourceEvent | PatientRead

export interface ChangeOptions {
  /** Stamps provenance; a new one for every call. */
  run: string
  signal: AbortSignal
  /** Read everything again, so that what vanished is found. */
  full?: boolean
  /** Files to be read again though they have not changed: a patient their records name has become known. */
  again?: readonly string[]
  /** Nothing told is kept: a round may be under way beside it, and what that has at the source stays its own. */
  dry?: boolean
}

export interface SourceProfile {
  software: string
  fhirVersion: string | null
  types: string[]
  /** How deletions can be seen. */
  deletes: 'history' | 'sweep' | 'none'
  /** Source clock minus ours; `null` when the source tells no time. */
  skewMs: number | null
  everything: boolean
}

/** DATA §6.1. Pull-based: nothing is read ahead of the consumer beyond one buffer. */
export interface SourceConnector {
  /** Stable within the facility: part of every record key. */
  readonly id: string
  readonly kind: 'fhir-folder' | 'fhir-rest' | 'fhir-bulk' | 'ssmix2'
  /** Throws {@link Refused} when the source cannot be used as configured. */
  probe(signal: AbortSignal): Promise<SourceProfile>
  /** Changes since `from`; everything before a `checkpoint` event may be forgotten once it is committed. */
  changes(from: Checkpoint | null, options: ChangeOptions): AsyncIterable<SourceEvent>
  /** One patient's records afresh, ended by `patient-read`. */
  fetchPatient(patient: PatientKey, signal: AbortSignal): AsyncIterable<FetchEvent>
  /**
   * Many patients' records, always grouped: one patient's records, its `patient-read`, then the next patient's. Needs
   * at most `FETCH_BYTES_MAX` of memory beside the largest single patient.
   */
  fetchPatients(patients: readonly PatientKey[], signal: AbortSignal): AsyncIterable<FetchEvent>
  /** Asks for one record that a full pass did not show. Absent: a full pass is proof enough. */
  confirmGone?(key: RecordKey, signal: AbortSignal): Promise<'deleted' | 'vanished' | 'present' | 'unknown'>
}

/**
 * What is read ahead of a packed file, at most. Beside it the agent holds the loaded program, SQLite's pages and one
 * batch of `PACK_BYTES_AIM` a few times over while it is sealed: bounds that do not grow with the hospital. The bench
 * prints what the process took; `protocol/src/memory-bound.ts` keeps Node from taking more than it needs.
 */
export const FETCH_BYTES_MAX = 8 * 1024 * 1024

/** What a connector asks of the agent's own tables (`sources/store.ts`). */
export interface SourceIndex {
  checkpoint(source: string): Promise<Checkpoint | null>
  spans(source: string, patients: readonly PatientKey[]): Promise<(Span & { patient: PatientKey })[]>
  /** The one patient who bears this identifier, or `null` when none or several do. */
  patientByIdentifier(system: string | null, value: string): Promise<PatientKey | null>
}
