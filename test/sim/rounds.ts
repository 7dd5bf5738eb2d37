import type { Agent } from '@kakehashi/agent/agent'
import { clearIncident } from '@kakehashi/hub/vault/incident'
import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import { DAY, HOUR, MINUTE } from './calendar.ts'
import type { Span } from './cast.ts'
import type { Disk } from './disk.ts'
import { Dead, type Host } from './host.ts'
import { NetworkFailed } from './net.ts'
import { HEARD_WITHIN, type AgentNode, type GatewayNode, type VaultNode } from './nodes.ts'
import type { Plan } from './plan.ts'
import type { Prng } from './prng.ts'
import type { World } from './world.ts'

/** Share of the span in which nobody can be eligible yet: machines are looked at rarely. */
const QUIET_SHARE = 0.7
const HEAL_ROUNDS = 4
const HEAL_EVERY = 8 * HOUR
/** Messages to the hub not yet sent, or not yet answered. */
const UNSAID = `SELECT seq FROM control_out WHERE envelope IS NOT NULL LIMIT 1`

export interface Scene {
  world: World
  vault: VaultNode
  gateway: GatewayNode
  agents: readonly AgentNode[]
  /** Somebody whose sealed records wait at this moment. */
  waiting(patients: readonly PatientKey[]): void
}

/** What the running programs do by their timers and hints: when, and how it ends. */
export class Rounds {
  readonly #scene: Scene
  readonly #random: Prng
  readonly #span: Span
  readonly #busy = new Map<string, number>()
  #calm = false
  #healRound = 0
  #informing = false

  constructor(scene: Scene, span: Span, random: Prng) {
    this.#scene = scene
    this.#span = span
    this.#random = random
  }

  plan({ rounds }: Plan): void {
    const { world, agents } = this.#scene
    for (const { at, facility } of rounds)
      world.at(at, `tide ${facility}`, () => this.agentRound(this.#node(facility)))
    for (const node of agents) this.#agentLater(node)
    this.#vaultLater()
    this.#staffLater()
    this.#wake(this.#span.start + QUIET_SHARE * (this.#span.calm - this.#span.start))
  }

  isBusy(host: Host): boolean {
    return this.#busy.get(host.name) === host.boot
  }

  #node(facility: FacilityId): AgentNode {
    return this.#scene.agents.find((one) => one.hospital.facility === facility)!
  }

  /** Sometimes somebody sees to it soon. */
  hurryAgent(facility: FacilityId, share = 0.4, mean = 30 * MINUTE): void {
    if (!this.#random.chance(share)) return
    const node = this.#node(facility)
    this.#scene.world.after(this.#random.exponential(mean), `hurry ${facility}`, () => this.agentHurry(node))
  }

  hurryVault(share: number, mean: number): void {
    if (this.#random.chance(share))
      this.#scene.world.after(this.#random.exponential(mean), 'hurry vault', () => this.vaultRound())
  }

  #interval(busy: number, quiet: number): number {
    const { start, calm } = this.#span
    const early = this.#scene.world.now < start + QUIET_SHARE * (calm - start)
    return MINUTE + this.#random.exponential(early ? quiet : busy)
  }

  #agentLater(node: AgentNode): void {
    this.#scene.world.after(this.#interval(4 * DAY, 20 * DAY), `round ${node.host.name}`, () => {
      if (!this.#calm) this.#agentLater(node)
      return this.agentRound(node)
    })
  }

  #vaultLater(): void {
    this.#scene.world.after(this.#interval(4 * DAY, 20 * DAY), 'round vault', () => {
      if (!this.#calm) this.#vaultLater()
      return this.vaultRound()
    })
  }

  #wake(at: number): void {
    const { world, agents } = this.#scene
    for (const node of agents)
      world.after(6 * HOUR, `first look ${node.host.name}`, async () => {
        if (node.host.up)
          await this.#alone(node.host, async () => void (await node.agent?.gather({ full: true })))
      })
    for (const node of agents) world.at(at, '', () => this.#keepInformed(node))
  }

  /** An agent that has not heard of the operator for days sends nothing at all: in life it hears every day. */
  #keepInformed(node: AgentNode): void {
    if (this.#calm) return
    const { world } = this.#scene
    const { disk, host } = node
    const [row] = disk.mounted()
      ? disk.peek<{ at: number | null }>('SELECT max(as_of) AS at FROM operator_status')
      : []
    const fresh = (row?.at ?? 0) > world.now - HEARD_WITHIN
    world.after(fresh ? DAY : 18 * HOUR, '', () => this.#keepInformed(node))
    if (fresh) return
    if (!this.#informing && !this.#said(node)) world.after(0, 'inform vault', () => this.vaultRound())
    this.#informing = true
    world.after(HOUR, `inform ${host.name}`, () => {
      this.#informing = false
      return this.agentHurry(node)
    })
  }

  /** The hub has spoken lately and handed it on: it is the agent that has to ask. */
  #said({ hospital }: AgentNode): boolean {
    const { world, vault } = this.#scene
    if (!vault.ops.mounted()) return false
    const rows = vault.ops.peek(
      `SELECT seq FROM outbox WHERE agent = ? AND type = 'operator-status' AND made_at > ? AND pushed_at IS NOT NULL LIMIT 1`,
      hospital.keys.agent,
      world.now - HEARD_WITHIN,
    )
    return rows.length > 0
  }

  /** What the running agent does by its timers, once. */
  async agentRound(node: AgentNode): Promise<void> {
    const { agent, host } = node
    if (!agent || !host.up) return
    await this.#alone(host, async () => {
      const dice = this.#calm ? this.#healRound % 2 : this.#random.unit()
      if (dice < 0.5) await agent.gather({ full: this.#calm || dice < 0.1 })
      if (this.#calm || dice > 0.6) await agent.tick()
      await agent.build()
      if (this.#calm) return this.#converse(agent, host)
      // sealing and sending have timers of their own: what is sealed may wait a while
      if (this.#random.chance(0.8)) await this.#converse(agent, host)
      else this.hurryAgent(node.hospital.facility, 1, 3 * HOUR)
      this.#lookAtWaiting(node)
    })
  }

  /** A nudge: something was recorded at the counter that must not wait for the next round. */
  async agentHurry(node: AgentNode): Promise<void> {
    const { agent, host } = node
    if (!agent || !host.up) return
    await this.#alone(host, () => this.#converse(agent, host))
  }

  async #converse(agent: Agent, host: Host): Promise<void> {
    const { world } = this.#scene
    const { failure } = await agent.exchange()
    if (failure !== null && /^(Type|Reference|Range|Syntax)Error$/.test(failure))
      world.violate('error', `the program itself failed: ${failure}`)
    world.note(`${host.name} ended its round: ${failure ?? 'well'}`)
    if (failure !== null && !this.#calm) this.hurryAgent(host.name as FacilityId, 0.4, 20 * MINUTE)
  }

  #lookAtWaiting(node: AgentNode): void {
    if (!node.disk.mounted()) return
    const rows = node.disk.peek<{ patient: PatientKey }>(
      `SELECT DISTINCT patient FROM outbox_patient p JOIN outbox_batch b ON b.batch = p.batch WHERE b.leg IN ('queued', 'claimed', 'in-flight') ORDER BY patient`,
    )
    this.#scene.waiting(rows.map((row) => row.patient))
  }

  async vaultRound(): Promise<void> {
    const { world, agents } = this.#scene
    const { vault, host } = this.#scene.vault
    if (!vault || !host.up) return
    await this.#alone(host, async () => {
      const round = await vault.round()
      world.note(`vault ended its round: ${JSON.stringify(round)}`)
      if (round.pushed > 0 && !this.#calm)
        for (const { hospital } of agents) this.hurryAgent(hospital.facility, 0.7)
    })
  }

  /** One round at a time; trouble ends it, and the next begins anew. */
  async #alone(host: Host, work: () => Promise<void>): Promise<void> {
    if (this.#busy.get(host.name) === host.boot) return
    this.#busy.set(host.name, host.boot)
    const { boot } = host
    try {
      await work()
    } catch (error) {
      if (error instanceof Dead || !host.alive(boot)) return
      if (!isExpected(error)) throw error
      this.#scene.world.note(`${host.name} ended its round: ${error instanceof Error ? error.name : ''}`)
      if (host.name === 'vault' && !this.#calm) this.hurryVault(0.4, 20 * MINUTE)
    } finally {
      if (this.#busy.get(host.name) === boot) this.#busy.delete(host.name)
    }
  }

  /** Operator staff look at incidents every few days, two of them, and let intake go on. */
  #staffLater(): void {
    this.#scene.world.after(3 * DAY, '', async () => {
      this.#staffLater()
      await this.clearIncidents()
    })
  }

  async clearIncidents(): Promise<void> {
    const { store, host, ops } = this.#scene.vault
    if (!store || !host.up) return
    const rows = ops.peek<{ incident: string }>('SELECT incident FROM incident WHERE cleared_at IS NULL')
    try {
      for (const { incident } of rows)
        await clearIncident(store, { incident, by: ['staff-1', 'staff-2'], reason: 'looked into' })
    } catch (error) {
      if (!(error instanceof Dead) && !isDiskTrouble(error)) throw error
    }
  }

  /** Batches with the same person wait for one another: what still waits is seen to sooner than the next round. */
  #followUp(ms: number): void {
    const { world, agents } = this.#scene
    for (const node of agents)
      world.after(ms, '', () => (this.#open(node) ? this.agentHurry(node) : undefined))
    world.after(ms + HOUR, '', () =>
      agents.some((node) => this.#open(node)) ? this.vaultRound() : undefined,
    )
  }

  #open(node: AgentNode): boolean {
    const rows = node.disk.peek(
      `SELECT batch FROM outbox_batch WHERE leg IN ('queued', 'claimed', 'in-flight', 'at-gateway') LIMIT 1`,
    )
    return rows.length > 0
  }

  /** No batch, no message and no acknowledgement waits for the next round of anybody. */
  #allSaid(): boolean {
    const { vault, gateway, agents } = this.#scene
    const waits = (disk: Disk, query: string): boolean => disk.peek(query).length > 0
    // an agent put back asks the hub page by page what it holds, and reads its charts afresh after the last
    return (
      !agents.some((node) => node.everRestored || this.#open(node) || waits(node.disk, UNSAID)) &&
      !waits(vault.ops, 'SELECT seq FROM outbox WHERE acked_at IS NULL LIMIT 1') &&
      !waits(vault.ops, 'SELECT incident FROM incident WHERE cleared_at IS NULL LIMIT 1') &&
      !waits(gateway.disk, `SELECT seq FROM gateway_control WHERE acked_at IS NULL LIMIT 1`)
    )
  }

  /** Everything works from now on; what was left undone has time to be done. */
  async heal(check: () => void): Promise<void> {
    const { world, agents } = this.#scene
    this.#calm = true
    for (let round = 0; round < HEAL_ROUNDS; round++) {
      this.#healRound = round
      // the rounds between only bring to an end what the others began
      if (round % 2 === 1 && this.#allSaid()) {
        await world.run(world.now + HEAL_EVERY, check)
        continue
      }
      world.after(HOUR, '', () => this.clearIncidents())
      for (const node of agents) world.after(2 * HOUR, `heal ${node.host.name}`, () => this.agentRound(node))
      world.after(3 * HOUR, 'heal vault', () => this.vaultRound())
      this.#followUp(4 * HOUR)
      this.#followUp(6 * HOUR)
      await world.run(world.now + HEAL_EVERY, check)
    }
  }
}

export function isDiskTrouble(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : null
  return code === 13 || code === 10
}

function isExpected(error: unknown): boolean {
  if (error instanceof NetworkFailed || isDiskTrouble(error)) return true
  return error instanceof Error && (error.name === 'PeerFailed' || error.name === 'Refused')
}
