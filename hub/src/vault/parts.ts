import type { Env } from '@kakehashi/protocol/env'
import type { BatchId, FacilityId, OperatorId, PatientKey, StopId } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import type { SourceRecord, Tombstone } from '@kakehashi/protocol/records'
import type { decide } from '@kakehashi/protocol/rules/decide'
import type { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import type { BoxKey, SigningKey } from '@kakehashi/protocol/signing'
import type { Caller } from '../call.ts'
import type { ErasureList } from '../requests/erasure-list.ts'
import type { IntakeParts, NamedAsk } from '../requests/intake.ts'
import type { SaidList } from '../requests/said-list.ts'
import type { StopList } from '../requests/stop-list.ts'
import type { OpsStore, OpsTx } from './ops.ts'

export interface VaultKeys {
  /** Opens batches and messages. Exists nowhere but here. */
  box: BoxKey
  /** Earlier sealing keys: batches sealed before a change still open. */
  formerBoxes: BoxKey[]
  /** Since when `box` is in force; absent when there never was another. */
  boxFrom?: number
  /** Signs receipts, orders and requests to gateway and portal. */
  signing: SigningKey
  /** Signs the audit log's checkpoints and certificates. */
  audit: SigningKey
  /** Keys the hashes by which erased charts are known again. */
  tombstone: Uint8Array
}

/** What one place that holds personal data reports after erasing. */
export interface ErasedPlace {
  place: string
  /** Rows, files or records removed. */
  count: number
  /** Ids of keys destroyed, so that copies outside reach cannot be read either. */
  keysDestroyed: string[]
}

/** A place that holds personal data: erases charts, and says what it knows when a restored backup is searched. */
export interface Place {
  place: string
  /** Run again after a crash, it reports what the earlier run did too, as far as its store still knows. */
  erase(patients: readonly PatientKey[], erasure: string): Promise<ErasedPlace[]>
  /** Every chart this place knows; asked after a restore. */
  charts(): Promise<PatientKey[]>
}

/** Where admitted records go; the slices of identity, content and release behind one face. */
export interface Rooms {
  takeIdentity(records: readonly SourceRecord[], tombstones: readonly Tombstone[]): Promise<void>
  landRecords(
    tx: OpsTx,
    about: { batch: BatchId; facility: FacilityId },
    records: readonly SourceRecord[],
    tombstones: readonly Tombstone[],
  ): Promise<{ landed: number; duplicates: number; tombstoned: number }>
  /** Drops from identity whoever was never admitted: taken just before a stop won the race. */
  forgetUnadmitted(patients: readonly PatientKey[]): Promise<void>
  /** What somebody said of themselves or another, kept where identities are. */
  keepSaid(about: string, said: object): Promise<void>
  readSaid<T>(about: string): Promise<T | null>
  /** Answers how much there was. */
  forgetSaid(about: readonly string[]): Promise<number>
  /** A stop by name, in force when this returns; taken once under its number. */
  stopNamed(parts: IntakeParts, asked: NamedAsk): Promise<StopId>
  /** The chart of exactly this number and birth date at this facility, if its records came here already. */
  chartsNumbered(facility: FacilityId, number: string, birthDate: string): Promise<PatientKey[]>
  /** Undelivered releases that contain somebody now stopped are dropped. */
  leaveBuilds(patients: readonly PatientKey[]): Promise<void>
  places: readonly Place[]
}

export interface VaultParts {
  env: Env
  ops: OpsStore
  keys: VaultKeys
  operator: { operator: OperatorId; name: string; address: string }
  gateway: Caller
  portal: Caller | null
  decide: typeof decide
  rulesAt: typeof rulesAt
  rooms: Rooms
  /** The list of erasures that outlives every restore. */
  erasures: ErasureList
  /** The list of stops that outlives every restore; the simulation may do without. */
  stops?: StopList
  /** Whom the stops by name or number among them mean. */
  saids?: SaidList
  /** How often every agent hears of the operator's standing; once a day unless told otherwise. */
  sayEveryMs?: number
  log: Log
}
