import type { Env } from '@kakehashi/protocol/env'
import type { AuditTables } from '@kakehashi/store/audit'
import type { Migration } from '@kakehashi/store/migrate'
import { openStore, type Location, type Store, type Tx } from '@kakehashi/store/store'

/** What the edge may know: agents' public keys, sealed bytes, sealed messages. Nothing here opens anything. */
export interface GatewayTables {
  gateway_agent: {
    agent: string
    facility: string
    signing_key: string
    inbox_key: string
    enrolled_at: number
    revoked_at: number | null
  }
  gateway_enrolment: {
    code_hash: string
    facility: string
    expires_at: number
    used_at: number | null
    agent: string | null
  }
  gateway_batch: {
    batch: string
    /** Order of arrival; `null` until every part is here and verified. */
    seq: number | null
    agent: string
    size: number
    digest: string
    received: number
    /** `abandoned`: its agent took it back half-way; kept a while so that a late part is refused. */
    state: 'partial' | 'stored' | 'done' | 'abandoned'
    stored_at: number | null
    changed_at: number
  }
  gateway_part: { batch: string; start: number; bytes: Uint8Array }
  gateway_control: {
    seq: number
    message: string
    agent: string
    direction: 'up' | 'down'
    envelope: string
    stored_at: number
    acked_at: number | null
  }
  gateway_nonce: { said_by: string; nonce: string; at: number }
  /** Counts that outlive the rows they number: whoever reads "after n" must never miss a later row. */
  gateway_count: { name: string; value: number }
}

export type GatewayStore = Store<GatewayTables & AuditTables>
export type GatewayTx = Tx<GatewayTables & AuditTables>

const first: Migration = {
  name: '001-gateway',
  up: (w) => [
    `CREATE TABLE gateway_agent (agent ${w.text} PRIMARY KEY, facility ${w.text} NOT NULL, signing_key ${w.text} NOT NULL, inbox_key ${w.text} NOT NULL, enrolled_at ${w.int} NOT NULL, revoked_at ${w.int})${w.strict}`,
    `CREATE TABLE gateway_enrolment (code_hash ${w.text} PRIMARY KEY, facility ${w.text} NOT NULL, expires_at ${w.int} NOT NULL, used_at ${w.int}, agent ${w.text})${w.strict}`,
    `CREATE TABLE gateway_batch (batch ${w.text} PRIMARY KEY, seq ${w.int}, agent ${w.text} NOT NULL, size ${w.int} NOT NULL, digest ${w.text} NOT NULL, received ${w.int} NOT NULL, state ${w.text} NOT NULL, stored_at ${w.int}, changed_at ${w.int} NOT NULL)${w.strict}`,
    `CREATE INDEX gateway_batch_waiting ON gateway_batch (state, seq)`,
    `CREATE TABLE gateway_part (batch ${w.text} NOT NULL, start ${w.int} NOT NULL, bytes ${w.bytes} NOT NULL, PRIMARY KEY (batch, start))${w.strict}`,
    `CREATE TABLE gateway_control (seq ${w.int} PRIMARY KEY, message ${w.text} NOT NULL UNIQUE, agent ${w.text} NOT NULL, direction ${w.text} NOT NULL, envelope ${w.text} NOT NULL, stored_at ${w.int} NOT NULL, acked_at ${w.int})${w.strict}`,
    `CREATE INDEX gateway_control_box ON gateway_control (direction, agent, seq)`,
    `CREATE TABLE gateway_nonce (said_by ${w.text} NOT NULL, nonce ${w.text} NOT NULL, at ${w.int} NOT NULL, PRIMARY KEY (said_by, nonce))${w.strict}`,
    `CREATE INDEX gateway_nonce_age ON gateway_nonce (at)`,
  ],
}

const counted: Migration = {
  name: '002-gateway',
  up: (w) => [
    `CREATE TABLE gateway_count (name ${w.text} PRIMARY KEY, value ${w.int} NOT NULL)${w.strict}`,
    `INSERT INTO gateway_count (name, value) SELECT 'control', coalesce(max(seq), 0) FROM gateway_control`,
  ],
}

export const gatewayMigrations: readonly Migration[] = [first, counted]

export async function openGatewayStore(location: Location, env: Env): Promise<GatewayStore> {
  return openStore<GatewayTables>(location, gatewayMigrations, env)
}
