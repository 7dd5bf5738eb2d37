import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv, type Env, type Instant } from '@kakehashi/protocol/env'
import { facilityId, operatorId } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import { newBoxKey, newSigningKey } from '@kakehashi/protocol/signing'
import { openDatabase } from '@kakehashi/store/sqlite'
import type { Location, Store } from '@kakehashi/store/store'
import { sql } from 'kysely'
import { vi } from 'vitest'
import type { Content } from './content/content.ts'
import { newStoreKey } from './content/keys.ts'
import { MEMORY_ROOT } from './content/memory.ts'
import type { ContentTables } from './content/store.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import { openGatewayStore, type GatewayStore } from './gateway/store.ts'
import { createPortal, type Portal } from './portal/portal.ts'
import { openPortalStore, type PortalStore } from './portal/store.ts'
import { erasureListOf, type ErasureEntry } from './requests/erasure-list.ts'
import { saidListOf } from './requests/said-list.ts'
import { stopListOf, type StopEntry } from './requests/stop-list.ts'
import { offerEnrolment } from './vault/enrolment.ts'
import { declareOwnStatus, openIdentityStore } from './vault/opening.ts'
import { openOpsStore, type OpsStore } from './vault/ops.ts'
import type { VaultParts } from './vault/parts.ts'
import { roomsOf, type IdentityStore } from './vault/rooms.ts'
import { createVault, type Vault } from './vault/vault.ts'
import { HospitalHand } from './hospital.fixture.ts'

/** A clock the test sets; ids and randomness are real. */
export interface TestEnv extends Env {
  set(now: Instant): void
  pass(ms: number): void
}

export function testEnv(start: string): TestEnv {
  const real = systemEnv()
  let now = Date.parse(start)
  return {
    ...real,
    now: () => now,
    set: (to) => {
      now = to
    },
    pass: (ms) => {
      now += ms
    },
  }
}

const postgres = process.env['DATABASE_URL'] ?? ''
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** A place of its own for one test's store, on the engine this run is for. */
export function testLocation(name: string): Location {
  if (postgres === '') return openDatabase(':memory:')
  return { postgres, schema: `t_${name}_${systemEnv().id().replaceAll('-', '').slice(0, 12)}` }
}

/** Closes the store and, on PostgreSQL, takes its schema away. */
export async function closeTestStore(store: Pick<Store<unknown>, 'db' | 'engine' | 'close'>): Promise<void> {
  if (store.engine === 'postgres') {
    const { rows } = await sql<{ name: string }>`SELECT current_schema() AS name`.execute(store.db)
    const name = rows[0]?.name
    if (name?.startsWith('t_')) await sql.raw(`DROP SCHEMA ${name} CASCADE`).execute(store.db)
  }
  await store.close()
}

export interface HubWorld {
  env: TestEnv
  gateway: Gateway
  gatewayStore: GatewayStore
  portal: Portal
  portalStore: PortalStore
  vault: Vault
  parts: VaultParts
  ops: OpsStore
  identity: IdentityStore
  content: Content
  erasures: ErasureEntry[]
  logs: string[]
  enrol(facility: string): Promise<HospitalHand>
  close(): Promise<void>
}

export const OPERATOR = { operator: operatorId('op-1'), name: '架け橋機構', address: '東京都千代田区一番町1' }

/** A whole hub without sockets, at noon of 1 July 2026 in Tokyo unless told otherwise. */
// oxlint-disable-next-line max-lines-per-function
export async function hubWorld(start = '2026-07-01T12:00:00+09:00'): Promise<HubWorld> {
  const env = testEnv(start)
  const [gatewayStore, portalStore, ops, identity] = await Promise.all([
    openGatewayStore(testLocation('gateway'), env),
    openPortalStore(testLocation('portal'), env),
    openOpsStore(testLocation('ops'), env),
    openIdentityStore(testLocation('identity'), env),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'kakehashi-hub-'))
  const content: Content = {
    store: ops as unknown as Store<ContentTables>,
    directory: join(folder, 'content'),
    memory: MEMORY_ROOT,
    key: newStoreKey(env),
    env,
  }
  const keys = {
    box: newBoxKey(env),
    formerBoxes: [],
    signing: newSigningKey(env),
    audit: newSigningKey(env),
    tombstone: env.random(32),
  }
  const vaultPublic = { box: keys.box.public, signing: keys.signing.public }
  const logs: string[] = []
  const log: Log = (event, fields) => void logs.push(JSON.stringify({ event, ...fields }))
  const gateway = createGateway({
    env,
    store: gatewayStore,
    key: newSigningKey(env),
    operator: OPERATOR,
    vault: vaultPublic,
    log,
  })
  const portal = createPortal({ env, store: portalStore, vault: vaultPublic, log })
  await declareOwnStatus(ops, OPERATOR.operator)
  const erasures: ErasureEntry[] = []
  const stops: StopEntry[] = []
  const parts: VaultParts = {
    env,
    ops,
    keys,
    operator: OPERATOR,
    gateway: (call) => gateway.handle(call),
    portal: (call) => portal.handle(call),
    decide,
    rulesAt,
    rooms: roomsOf(ops, content, identity),
    erasures: erasureListOf(erasures),
    stops: stopListOf(stops),
    saids: saidListOf(new Map()),
    log,
  }
  const vault = createVault(parts)
  return {
    env,
    gateway,
    gatewayStore,
    portal,
    portalStore,
    vault,
    parts,
    ops,
    identity,
    content,
    erasures,
    logs,
    async enrol(facility) {
      const offer = await offerEnrolment(ops, { facility: facilityId(facility), by: 'staff-1', hours: 24 })
      await vault.round()
      const hand = await HospitalHand.enrol(env, gateway, facilityId(facility), offer.code)
      await vault.round()
      return hand
    },
    async close() {
      const stores = [gatewayStore, portalStore, ops, identity]
      await Promise.all(stores.map((store) => closeTestStore(store as never)))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
