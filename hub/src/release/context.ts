import type { Env } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import type { Track } from '@kakehashi/protocol/rules/state'
import type { SigningKey } from '@kakehashi/protocol/signing'
import type { Store } from '@kakehashi/store/store'
import type { Content } from '../content/content.ts'
import type { ContentTables } from '../content/store.ts'
import type { LinkingTables } from '../linkage/store.ts'
import type { ReleaseTables } from './store.ts'

/** Which of these charts may not be in a release of this track now: stopped, withdrawn notice, erased. */
export type Blocked = (patients: readonly PatientKey[], track: Track) => Promise<ReadonlySet<PatientKey>>

/** What building and delivering needs of the vault. */
export interface ReleaseContext {
  ops: Store<ReleaseTables & ContentTables>
  identity: Store<LinkingTables>
  content: Content
  signing: SigningKey
  /** Builds and sealed packages lie under this directory. */
  directory: string
  blocked: Blocked
  /** Names and addresses of hospitals: none may appear in a package. */
  hospitalWords: () => Promise<readonly string[]>
  env: Env
  log: Log
}
