import { createAgent, type Agent } from '@kakehashi/agent/agent'
import { dropForRestore } from '@kakehashi/agent/outbox/restore'
import type { AgentKeys } from '@kakehashi/agent/keys'
import type { SourceConnector } from '@kakehashi/agent/sources/connector'
import { openAgentStore } from '@kakehashi/agent/store/store'
import type { Wire, WireRequest } from '@kakehashi/agent/uplink/wire-shape'
import type { Answer, Call, Caller } from '@kakehashi/hub/call'
import { createGateway, type Gateway } from '@kakehashi/hub/gateway/gateway'
import { openGatewayStore } from '@kakehashi/hub/gateway/store'
import { createPortal, type Portal } from '@kakehashi/hub/portal/portal'
import { openPortalStore } from '@kakehashi/hub/portal/store'
import { erasureListOf, type ErasureEntry } from '@kakehashi/hub/requests/erasure-list'
import { openIdentityStore } from '@kakehashi/hub/vault/opening'
import { openOpsStore, type OpsStore } from '@kakehashi/hub/vault/ops'
import type { VaultKeys } from '@kakehashi/hub/vault/parts'
import { createVault, type Vault } from '@kakehashi/hub/vault/vault'
import type { FacilityId } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import type { EnrolmentAnswer } from '@kakehashi/protocol/messages'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import type { SigningKey } from '@kakehashi/protocol/signing'
import type { StoreKey } from '@kakehashi/hub/content/keys'
import { DAY, HOUR } from './calendar.ts'
import { Disk } from './disk.ts'
import type { Host } from './host.ts'
import type { Plant } from './plants.ts'
import { simRooms, type Landings } from './rooms.ts'

/** An agent that has not heard of the operator for longer is helped to: after a week it would send nothing. */
export const HEARD_WITHIN = 5 * DAY
/**
 * The hub's standing is believed for a week; said every day it would be most of what is said here. Just under what
 * somebody waits before asking for it anew.
 */
const SAID_EVERY = HEARD_WITHIN - HOUR

export interface HubKeys {
  operator: { operator: EnrolmentAnswer['operator']; name: string; address: string }
  gateway: SigningKey
  vault: VaultKeys
  store: StoreKey
}

/** The platter of every disk at the beginning, by disk name. */
export type Images = ReadonlyMap<string, Uint8Array>

function diskOf(host: Host, name: string, images: Images, plant: Plant | null): Disk {
  const disk = new Disk(host, name, images.get(name) ?? null, plant?.synchronous ?? 'full')
  const { sql } = plant ?? {}
  if (sql) disk.rewrite = (text) => sql(host.name, text)
  return disk
}

export class GatewayNode {
  readonly host: Host
  readonly disk: Disk
  readonly #keys: HubKeys
  readonly #plant: Plant | null
  #gateway: Gateway | null = null

  constructor(host: Host, keys: HubKeys, images: Images, plant: Plant | null) {
    this.host = host
    this.#keys = keys
    this.#plant = plant
    this.disk = diskOf(host, 'gateway', images, plant)
  }

  async boot(): Promise<void> {
    this.#gateway = null
    this.host.begin()
    const env = this.host.env()
    const { operator, gateway: key, vault } = this.#keys
    const gateway = createGateway({
      env,
      store: await openGatewayStore(this.disk.mount(), env),
      key,
      operator,
      vault: { box: vault.box.public, signing: vault.signing.public },
      log: silentLog,
    })
    this.#gateway = this.#plant?.gateway?.(gateway, this.host) ?? gateway
  }

  handle(call: Call): Promise<Answer> {
    if (!this.#gateway) throw new Error('the gateway is not up')
    return this.#gateway.handle(call)
  }
}

export class PortalNode {
  readonly host: Host
  readonly disk: Disk
  readonly #keys: HubKeys
  #portal: Portal | null = null

  constructor(host: Host, keys: HubKeys, images: Images, plant: Plant | null) {
    this.host = host
    this.#keys = keys
    this.disk = diskOf(host, 'portal', images, plant)
  }

  async boot(): Promise<void> {
    this.#portal = null
    this.host.begin()
    const env = this.host.env()
    const { box, signing } = this.#keys.vault
    this.#portal = createPortal({
      env,
      store: await openPortalStore(this.disk.mount(), env),
      vault: { box: box.public, signing: signing.public },
      log: silentLog,
    })
  }

  handle(call: Call): Promise<Answer> {
    if (!this.#portal) throw new Error('the portal is not up')
    return this.#portal.handle(call)
  }
}

export class VaultNode {
  readonly host: Host
  readonly ops: Disk
  readonly identity: Disk
  /** Files beside the database. */
  readonly erasures: ErasureEntry[]
  readonly landings: Landings = new Map()
  readonly #keys: HubKeys
  readonly #plant: Plant | null
  readonly #peers: { gateway: Caller; portal: Caller }
  vault: Vault | null = null
  store: OpsStore | null = null

  constructor(
    host: Host,
    keys: HubKeys,
    images: Images,
    plant: Plant | null,
    peers: { gateway: Caller; portal: Caller },
  ) {
    this.host = host
    this.#keys = keys
    this.#plant = plant
    this.#peers = peers
    this.ops = diskOf(host, 'ops', images, plant)
    this.identity = diskOf(host, 'identity', images, plant)
    this.erasures = []
  }

  async boot(): Promise<void> {
    this.vault = null
    this.host.begin()
    const env = this.host.env()
    const ops = await openOpsStore(this.ops.mount(), env)
    const identity = await openIdentityStore(this.identity.mount(), env)
    const { operator, vault: keys, store: key } = this.#keys
    const parts = {
      env,
      ops,
      keys,
      operator,
      ...this.#peers,
      decide,
      rulesAt,
      rooms: simRooms(ops, identity, key, env, this.landings),
      erasures: erasureListOf(this.erasures),
      sayEveryMs: SAID_EVERY,
      log: silentLog,
    }
    this.store = ops
    const vault = createVault(this.#plant?.vaultParts?.(parts, this.host) ?? parts)
    await vault.start()
    this.vault = vault
  }
}

export interface Hospital {
  facility: FacilityId
  keys: AgentKeys
  hub: EnrolmentAnswer
}

export class AgentNode {
  readonly host: Host
  readonly disk: Disk
  readonly hospital: Hospital
  readonly #plant: Plant | null
  readonly #connector: SourceConnector
  readonly #send: (request: WireRequest) => Promise<Answer>
  agent: Agent | null = null
  /** An older image was put in place; the next boot is the first after it. */
  restored = false
  everRestored = false

  constructor(
    host: Host,
    hospital: Hospital,
    images: Images,
    plant: Plant | null,
    connector: SourceConnector,
    send: (request: WireRequest) => Promise<Answer>,
  ) {
    this.host = host
    this.hospital = hospital
    this.#plant = plant
    this.#connector = connector
    this.#send = send
    this.disk = diskOf(host, host.name, images, plant)
  }

  async boot(): Promise<void> {
    this.agent = null
    this.host.begin()
    const env = this.host.env()
    const wire: Wire = {
      request: this.#send,
      connect() {
        throw new Error('the simulated line has no socket')
      },
    }
    const { facility, keys, hub } = this.hospital
    const parts = {
      env,
      store: await openAgentStore(this.disk.mount(), env),
      keys,
      hub,
      config: { facility, track: 'ANON' as const },
      connectors: [this.#connector],
      decide,
      rulesAt,
      log: silentLog,
      wire,
    }
    const agent = createAgent(this.#plant?.agentParts?.(parts, this.host) ?? parts)
    if (this.restored) await dropForRestore(agent.context)
    this.restored = false
    await agent.recover()
    this.agent = agent
  }
}
