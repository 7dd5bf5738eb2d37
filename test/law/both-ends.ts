import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createAgent, type Agent } from '@kakehashi/agent/agent'
import { enrol } from '@kakehashi/agent/enrol'
import { newAgentKeys, type AgentKeys } from '@kakehashi/agent/keys'
import { moveToNewKeys, readyForNewKeys } from '@kakehashi/agent/outbox/rekey'
import { dropForRestore } from '@kakehashi/agent/outbox/restore'
import type { SourceConnector } from '@kakehashi/agent/sources/connector'
import { BulkFolder } from '@kakehashi/agent/sources/fhir/bulk-folder'
import { LABEL_POLICY } from '@kakehashi/agent/sources/labels'
import { sourceIndex } from '@kakehashi/agent/sources/source-index'
import { openAgentStore, type AgentStore } from '@kakehashi/agent/store/store'
import type { Wire } from '@kakehashi/agent/uplink/wire-shape'
import { hubWorld, type HubWorld } from '@kakehashi/hub/hub.fixture'
import { offerEnrolment, retireAgent } from '@kakehashi/hub/vault/enrolment'
import { agentId } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import type { EnrolmentAnswer } from '@kakehashi/protocol/messages'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import { DAY, FACILITY, openScheme, type Resource } from './agent-world.ts'

function bulkFolder({ folder, store }: BothEnds): SourceConnector {
  const index = sourceIndex(store as never, async () => null)
  return new BulkFolder({ source: 'ehr', facility: FACILITY, folder, bases: [], labels: LABEL_POLICY, index })
}

/** One real hospital agent and one whole real hub, without sockets between them. */
export class BothEnds {
  readonly hub: HubWorld
  readonly folder: string
  readonly line: { broken: ((path: string) => boolean) | null } = { broken: null }
  readonly sent: { method: string; path: string }[] = []
  agent!: Agent
  store!: AgentStore
  #keys!: AgentKeys
  #answer!: EnrolmentAnswer
  #disk = new DatabaseSync(':memory:')
  #images = 0
  #read: (both: BothEnds) => SourceConnector = bulkFolder

  private constructor(hub: HubWorld, folder: string) {
    this.hub = hub
    this.folder = folder
  }

  static async open(
    start = '2026-04-01T09:00:00+09:00',
    read: (both: BothEnds) => SourceConnector = bulkFolder,
  ): Promise<BothEnds> {
    const both = new BothEnds(await hubWorld(start), mkdtempSync(join(tmpdir(), 'kakehashi-both-')))
    both.#read = read
    const { hub } = both
    both.#keys = newAgentKeys(hub.env, agentId('agent-midori'))
    const offer = await offerEnrolment(hub.ops, { facility: FACILITY, by: 'staff-1', hours: 24 })
    await hub.vault.round()
    both.#answer = await enrol(both.#wire(), both.#keys, FACILITY, offer.code)
    await hub.vault.round()
    await both.#live()
    await openScheme({ agent: both.agent, clock: { now: hub.env.now() } })
    await both.talk()
    return both
  }

  #wire(): Wire {
    return {
      request: async ({ method, path, headers, body }) => {
        this.sent.push({ method, path })
        if (this.line.broken?.(path)) throw new Error('the line is down')
        return this.hub.gateway.handle({ method, path, headers, body })
      },
      connect: (_request, events) => {
        queueMicrotask(() => events.closed())
        return { send: () => {}, close: () => {} }
      },
    }
  }

  async #live(): Promise<void> {
    const { env } = this.hub
    this.store = await openAgentStore(this.#disk, env)
    this.agent = createAgent({
      env,
      store: this.store,
      keys: this.#keys,
      hub: this.#answer,
      config: { facility: FACILITY, track: 'ANON' },
      connectors: [this.#read(this)],
      decide,
      rulesAt,
      log: silentLog,
      wire: this.#wire(),
    })
    await this.agent.recover()
  }

  write(name: string, resources: readonly Resource[]): void {
    writeFileSync(join(this.folder, name), resources.map((r) => `${JSON.stringify(r)}\n`).join(''))
  }

  /** Both ends say all they have to say. */
  async talk(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      await this.agent.exchange()
      await this.hub.vault.round()
    }
    await this.agent.exchange()
  }

  async pass(days: number): Promise<void> {
    this.hub.env.pass(days * DAY)
    await this.talk()
  }

  /** What a backup of the agent holds now. */
  image(): string {
    const path = join(this.folder, `image-${this.#images++}.sqlite`)
    this.#disk.prepare('VACUUM INTO ?').run(path)
    return path
  }

  /** The machine burnt down; another one begins from the backup, as `agent restore` does. */
  async restore(image: string): Promise<void> {
    this.#disk = new DatabaseSync(image)
    await this.#live()
    await dropForRestore(this.agent.context)
  }

  /** New keys under a new code, as `agent rotate-keys` does; the operator retires the former agent. */
  async rekey(): Promise<void> {
    const { env, ops, vault } = this.hub
    await readyForNewKeys(this.agent.context)
    const former = this.#keys
    const offer = await offerEnrolment(ops, { facility: FACILITY, by: 'staff-1', hours: 24 })
    await vault.round()
    this.#keys = { ...newAgentKeys(env, agentId('agent-midori-2')), about: former.about }
    this.#answer = await enrol(this.#wire(), this.#keys, FACILITY, offer.code)
    await moveToNewKeys({ ...this.agent.context, keys: this.#keys, hub: this.#answer })
    await this.#live()
    await retireAgent(ops, former.agent, 'staff-1')
  }

  /** The gateway's disk broke: it knows its agents (they are enrolled again by hand), and nothing else. */
  async loseGateway(): Promise<void> {
    for (const table of ['gateway_control', 'gateway_part', 'gateway_batch'] as const)
      await this.hub.gatewayStore.db.deleteFrom(table).execute()
  }

  async close(): Promise<void> {
    await this.hub.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
