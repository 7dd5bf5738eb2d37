import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '@kakehashi/protocol/env'
import type { Log } from '@kakehashi/protocol/log'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import { recoverLeaves } from '@kakehashi/store/audit-log'
import type { Store } from '@kakehashi/store/store'
import { openStore } from '@kakehashi/store/store'
import type { Caller } from '../call.ts'
import { locationOf, readVaultConfig, type VaultConfig } from '../config.ts'
import type { Content } from '../content/content.ts'
import { MEMORY_ROOT } from '../content/memory.ts'
import type { ContentTables } from '../content/store.ts'
import { identityMigrations } from '../identity/store.ts'
import { auditOrigin } from '../audit/origin.ts'
import { readPair, readSecret } from '../key-files.ts'
import { linkageMigrations, type LinkingTables } from '../linkage/store.ts'
import type { ReleaseContext } from '../release/context.ts'
import { blockedCharts } from '../requests/blocked.ts'
import { erasureFile, stopFile } from '../requests/lasting-file.ts'
import { saidFolder } from '../requests/said-folder.ts'
import { remote } from '../wire.ts'
import { formerBoxes } from './box-key.ts'
import { hospitalWords } from './known.ts'
import { openOpsStore, type OpsStore } from './ops.ts'
import type { VaultKeys, VaultParts } from './parts.ts'
import { roomsOf, type IdentityStore } from './rooms.ts'
import { storeKeyOf } from './store-key.ts'

const PEER_MS_MAX = 60_000

/** The vault's zone, opened: every store and key it owns. */
export interface OpenVault {
  config: VaultConfig
  folder: string
  parts: VaultParts
  ops: OpsStore
  identity: IdentityStore
  content: Content
  /** What building, reviewing and delivering a release needs of the vault. */
  release: ReleaseContext
  close(): Promise<void>
}

export async function openVault(
  dir: string,
  env: Env,
  log: Log,
  peers?: { gateway: Caller; portal: Caller | null },
): Promise<OpenVault> {
  const config = readVaultConfig(dir)
  const folder = join(dir, 'vault')
  const ops = await openOpsStore(locationOf(config.database, folder, 'ops'), env)
  const keys = readVaultKeys(folder, env.now())
  const ca = config.ca === null ? undefined : readFileSync(config.ca, 'utf8')
  await recoverLeaves(ops, join(folder, 'audit'), auditOrigin(config.operator.operator), keys.audit.public)
  const identity = await openIdentityStore(locationOf(config.database, folder, 'identity'), env)
  await declareOwnStatus(ops, config.operator.operator)
  const content: Content = {
    store: ops as unknown as Store<ContentTables>,
    directory: join(folder, 'content'),
    memory: MEMORY_ROOT,
    key: await storeKeyOf(ops, folder),
    env,
  }
  for (const place of [content.directory, join(folder, 'releases')])
    mkdirSync(place, { recursive: true, mode: 0o700 })
  const parts: VaultParts = {
    env,
    ops,
    keys,
    operator: config.operator,
    gateway: peers?.gateway ?? remote(config.gateway, PEER_MS_MAX, ca),
    portal: peers ? peers.portal : config.portal === null ? null : remote(config.portal, PEER_MS_MAX, ca),
    decide,
    rulesAt,
    rooms: roomsOf(ops, content, identity),
    erasures: erasureFile(join(folder, 'erasures.ndjson')),
    stops: stopFile(join(folder, 'stops.ndjson')),
    saids: saidFolder(join(folder, 'said')),
    log,
  }
  return {
    config,
    folder,
    parts,
    ops,
    identity,
    content,
    release: releaseContextOf(parts, identity, content, join(folder, 'releases')),
    async close() {
      await ops.close()
      await identity.close()
    },
  }
}

export function releaseContextOf(
  parts: VaultParts,
  identity: IdentityStore,
  content: Content,
  directory: string,
): ReleaseContext {
  return {
    ops: parts.ops as unknown as ReleaseContext['ops'],
    identity: identity as unknown as ReleaseContext['identity'],
    content,
    signing: parts.keys.signing,
    directory,
    blocked: (patients, track) => blockedCharts(parts.ops, parts.keys.tombstone, patients, track),
    hospitalWords: () => hospitalWords(parts.ops),
    env: parts.env,
    log: parts.log,
  }
}

export async function openIdentityStore(
  location: Parameters<typeof openStore>[0],
  env: Env,
): Promise<IdentityStore> {
  return openStore<LinkingTables>(location, [...identityMigrations, ...linkageMigrations], env)
}

export function readVaultKeys(folder: string, now: number): VaultKeys {
  const file = (name: string): string => join(folder, 'keys', name)
  const former = formerBoxes(folder, now)
  return {
    box: readPair(file('box.key')),
    formerBoxes: former.map((one) => one.key),
    ...(former[0] ? { boxFrom: former[0].retiredAt } : {}),
    signing: readPair(file('signing.key')),
    audit: readPair(file('audit.key')),
    tombstone: readSecret(file('tombstone.key')),
  }
}

/** A fresh hub serves a certified operator of the anonymized track; staff change it by `certification`. */
export async function declareOwnStatus(
  ops: OpsStore,
  operator: string,
  standing: 'certified' | 'revoked' | 'ended' = 'certified',
): Promise<void> {
  await ops.transact(
    (fresh: boolean) => (fresh ? { act: 'operator.declared', actor: 'init', detail: { standing } } : null),
    async (tx) => {
      const known = await tx
        .selectFrom('operator_status')
        .select('operator')
        .where('operator', '=', operator)
        .executeTakeFirst()
      if (known) return false
      await tx
        .insertInto('operator_status')
        .values({ operator, standing, tracks: JSON.stringify(['ANON']), changed_at: ops.env.now() })
        .execute()
      return true
    },
  )
}
