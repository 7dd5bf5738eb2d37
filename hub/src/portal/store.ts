import type { Env } from '@kakehashi/protocol/env'
import type { AuditTables } from '@kakehashi/store/audit'
import type { Migration } from '@kakehashi/store/migrate'
import { openStore, type Location, type Store } from '@kakehashi/store/store'

/** Sealed requests until the vault has fetched them. No patient, no token, no answer to "is this known". */
export interface PortalTables {
  portal_request: { seq: number; request: string; box: string; asked_at: number }
  /** Names that hospitals published with their filing, so that one can be chosen without a paper. */
  portal_hospital: { facility: string; name: string; notice: string | null }
  /** In which languages each hospital's filed notice is, by the hash of its words; and the words. */
  portal_notice: { facility: string; track: string; language: string; hash: string }
  portal_words: { hash: string; text: string }
  /** How far a request came, as days, under a key that neither its receipt number nor the person finds alone. */
  portal_state: {
    state_key: string
    by_token: number
    erasure_asked: number
    asked: string
    passed: string | null
    held: string | null
    erased: string | null
    lifted: string | null
  }
}

export type PortalStore = Store<PortalTables & AuditTables>

export const portalMigrations: readonly Migration[] = [
  {
    name: '001-portal',
    up: (w) => [
      `CREATE TABLE portal_request (seq ${w.int} PRIMARY KEY, request ${w.text} NOT NULL UNIQUE, box ${w.text} NOT NULL, asked_at ${w.int} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: '002-hospitals',
    up: (w) => [
      `CREATE TABLE portal_hospital (facility ${w.text} PRIMARY KEY, name ${w.text} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: '003-states',
    up: (w) => [
      `CREATE TABLE portal_state (state_key ${w.text} PRIMARY KEY, by_token ${w.int} NOT NULL, erasure_asked ${w.int} NOT NULL, asked ${w.text} NOT NULL, passed ${w.text}, held ${w.text}, erased ${w.text}, lifted ${w.text})${w.strict}`,
    ],
  },
  {
    name: '004-notices',
    up: (w) => [`ALTER TABLE portal_hospital ADD COLUMN notice ${w.text}`],
  },
  {
    name: '005-notice-words',
    up: (w) => [
      `CREATE TABLE portal_notice (facility ${w.text} NOT NULL, track ${w.text} NOT NULL, language ${w.text} NOT NULL, hash ${w.text} NOT NULL, PRIMARY KEY (facility, track, language))${w.strict}`,
      `CREATE INDEX portal_notice_hash ON portal_notice (hash)`,
      `CREATE TABLE portal_words (hash ${w.text} PRIMARY KEY, text ${w.text} NOT NULL)${w.strict}`,
    ],
  },
]

export async function openPortalStore(location: Location, env: Env): Promise<PortalStore> {
  return openStore<PortalTables>(location, portalMigrations, env)
}
