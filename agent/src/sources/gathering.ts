import type { Env } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { Store, Tx } from '@kakehashi/store/store'
import type { SourceConnector, SourceEvent } from './connector.ts'
import type { SourcesTables } from './store.ts'
import type { BrakeRule } from './sweep.ts'

/** A `Patient` resource, for the index of the counter and the register. */
export interface PatientShown {
  patient: PatientKey
  resource: unknown
  source: string
}

export interface Gathering<DB extends SourcesTables = SourcesTables> {
  store: Store<DB>
  connector: SourceConnector
  env: Env
  log: Log
  signal: AbortSignal
  full?: boolean
  brake?: BrakeRule
  /** Called in the window's transaction for each new or changed `Patient`. */
  showPatient?(tx: Tx<DB>, shown: PatientShown): Promise<void>
  /** Called in the window's transaction for each link between two charts that a `Patient` tells. */
  showLink?(tx: Tx<DB>, link: Extract<SourceEvent, { t: 'patient-link' }>): Promise<void>
}

export interface Gathered {
  seen: number
  added: number
  changed: number
  unchanged: number
  held: number
  quarantined: number
  vanished: number
  /** Missing records whose number looked too large to be true; they wait for a person. */
  braked: number
  windows: number
  faults: { code: RefusalCode; place: string; retryable: boolean }[]
}
