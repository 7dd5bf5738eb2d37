import { clearIncident } from '@kakehashi/hub/vault/incident'
import type { Answer, Call, Caller } from '@kakehashi/hub/call'
import type { FacilityId } from '@kakehashi/protocol/ids'
import type { GatewayAck } from '@kakehashi/protocol/messages'
import type { Agent } from '@kakehashi/agent/agent'
import type { WireRequest } from '@kakehashi/agent/uplink/wire-shape'
import { DAY, HOUR, MINUTE } from './calendar.ts'
import { Faults } from './faults.ts'
import type { Genesis } from './genesis.ts'
import { Dead, Host } from './host.ts'
import { Invariants } from './invariants.ts'
import { Net, NetworkFailed, weather } from './net.ts'
import { AgentNode, GatewayNode, PortalNode, VaultNode } from './nodes.ts'
import { People } from './people.ts'
import type { Plan } from './plan.ts'
import { HOSTS } from './planning.ts'
import type { Plant } from './plants.ts'
import { Prng } from './prng.ts'
import { ScriptedSource } from './source.ts'
import { Truth } from './truth.ts'
import { Watch } from './watch.ts'
import { World } from './world.ts'

/** Share of the span in which nobody can be eligible yet: machines are looked at rarely. */
const QUIET_SHARE = 0.7
const HEAL_ROUNDS = 4
const HEAL_EVERY = 8 * HOUR

/** Two hospitals, a hub and the people around them, wired to one virtual network. */
export class Machine {
  readonly world: World
  readonly net: Net
  readonly hosts: ReadonlyMap<string, Host>
  readonly gateway: GatewayNode
  readonly portal: PortalNode
  readonly vault: VaultNode
  readonly agents: readonly AgentNode[]
  readonly sources: ReadonlyMap<FacilityId, ScriptedSource>
  readonly truth = new Truth()
  readonly closedDays: number
  readonly watch: Watch
  readonly invariants: Invariants
  readonly people: People
  readonly #plan: Plan
  readonly #random: Prng
  #calm = false
  #healRound = 0
  readonly #busy = new Map<string, number>()

  constructor(
    seed: number,
    genesis: Genesis,
    plan: Plan,
    options: { print?: boolean; plant?: Plant | null },
  ) {
    const plant = options.plant ?? null
    const random = new Prng(`seed/${seed}/run`)
    this.#random = random.fork('rounds')
    this.#plan = plan
    this.closedDays = plan.span.closedDays
    this.world = new World(plan.span.start, options.print)
    this.net = new Net(this.world, random.fork('net'), weather(random.fork('weather')))
    this.hosts = new Map(HOSTS.map((name) => [name, new Host(name, this.world, random.fork(`host/${name}`))]))
    const skews = random.fork('skew')
    for (const host of this.hosts.values()) host.skew = skews.between(-90_000, 90_000)
    for (const chart of plan.charts) this.truth.add(chart)
    this.watch = new Watch(this.world, this.truth, genesis.keys.vault.box)
    const { keys, images } = genesis
    this.gateway = new GatewayNode(this.#host('gateway'), keys, images, plant)
    this.portal = new PortalNode(this.#host('portal'), keys, images, plant)
    this.vault = new VaultNode(this.#host('vault'), keys, images, plant, {
      gateway: this.#to('vault', this.gateway),
      portal: this.#to('vault', this.portal),
    })
    this.sources = new Map(
      genesis.hospitals.map(({ facility }) => [
        facility,
        new ScriptedSource(
          plan.charts.filter((c) => c.facility === facility),
          () => this.world.now,
        ),
      ]),
    )
    for (const source of this.sources.values())
      source.metDown = () => this.world.saw('source unreachable when the gate was open')
    this.agents = genesis.hospitals.map((hospital) => {
      const host = this.#host(hospital.facility)
      const node: AgentNode = new AgentNode(
        host,
        hospital,
        images,
        plant,
        this.sources.get(hospital.facility)!,
        (r) => this.#send(node, r),
      )
      return node
    })
    for (const { disk, host } of this.agents) disk.brittle = random.fork(`brittle/${host.name}`)
    this.invariants = new Invariants(this)
    const counters = new Map(
      this.agents.map((node) => [node.hospital.facility, { host: node.host, agent: () => node.agent }]),
    )
    const browser = random.fork('browser')
    this.people = new People(
      this.world,
      this.truth,
      counters,
      (token, erase) => this.#atPortal(browser, token, erase),
      random.fork('people'),
      {
        recorded: (facility) => this.#hurry(facility),
        stopShown: (patient, erase) => this.invariants.stopShown(patient, erase),
      },
    )
  }

  /** Throws the first violation. */
  async run(): Promise<void> {
    const { span, acts, faults } = this.#plan
    for (const host of this.hosts.values()) {
      host.died = () => this.#restartLater(host)
      this.#boot(host)
    }
    this.people.plan(acts)
    const trouble = new Faults(this)
    trouble.plan(faults)
    for (const node of this.agents) this.#agentLater(node)
    this.#vaultLater()
    this.#staffLater()
    this.#wake(span.start + QUIET_SHARE * (span.calm - span.start))
    const check = (): void => this.invariants.afterEvent()
    await this.world.run(span.calm, check)
    trouble.end()
    this.#calm = true
    this.net.heal()
    for (const host of this.hosts.values()) if (!host.up) this.#boot(host)
    await this.#heal(check)
    this.invariants.atEnd()
    this.world.orThrow()
  }

  /** How long the process that dies next stays away. */
  readonly awayMs = new Map<string, number>()

  isBusy(host: Host): boolean {
    return this.#busy.get(host.name) === host.boot
  }

  #host(name: string): Host {
    return this.hosts.get(name)!
  }

  #boot(host: Host): void {
    this.world.after(0, `boot ${host.name}`, async () => {
      if (host.up) return
      try {
        await this.#nodeOf(host).boot()
        this.net.replayTo(host)
        this.invariants.afterBoot(host.name)
      } catch (error) {
        if (host.up && isDiskTrouble(error)) host.kill()
        else if (!(error instanceof Dead)) throw error
      }
    })
  }

  #nodeOf(host: Host): { boot(): Promise<void> } {
    if (host === this.gateway.host) return this.gateway
    if (host === this.portal.host) return this.portal
    if (host === this.vault.host) return this.vault
    return this.agents.find((node) => node.host === host)!
  }

  #restartLater(host: Host): void {
    const away = this.awayMs.get(host.name) ?? 10 * MINUTE
    this.awayMs.delete(host.name)
    if (host.name === 'gateway' && away > DAY) this.world.saw('hub away for more than a day')
    this.world.after(Math.max(1000, away), '', () => this.#boot(host))
  }

  /** Requests of the vault travel like everybody's. */
  #to(from: string, node: GatewayNode | PortalNode): Caller {
    return (call) =>
      this.net.call(this.#host(from), node.host, `${from} ${call.method} ${call.path.split('?')[0]}`, () =>
        node.handle(copied(call)),
      )
  }

  /** One request of an agent; what leaves the hospital is looked at. */
  async #send(node: AgentNode, request: WireRequest): Promise<Answer> {
    const path = request.path.split('?')[0]!
    const batch = request.method === 'PUT' ? path.split('/').at(-1)! : null
    const label = `${node.host.name} ${request.method} ${path}`
    if (batch) this.#leaving(node, batch)
    const answer = await this.net.call(
      node.host,
      this.gateway.host,
      label,
      () => this.gateway.handle(copied(request)),
      batch ? async () => {} : undefined,
    )
    if (batch && answer.status === 200) {
      const ack = JSON.parse(new TextDecoder().decode(answer.body)) as Partial<GatewayAck>
      if (ack.storedAt !== undefined) this.invariants.gatewayPromised(batch, ack.digest!)
    }
    return answer
  }

  #leaving(node: AgentNode, batch: string): void {
    const parts = node.disk.peek<{ bytes: Uint8Array }>(
      'SELECT bytes FROM outbox_part WHERE batch = ? ORDER BY start',
      batch,
    )
    const patients = this.watch.bytesLeave(batch, Buffer.concat(parts.map((part) => part.bytes)))
    if (!this.#calm) this.people.pounce(patients)
    if (this.#random.chance(0.4))
      this.world.after(this.#random.exponential(2 * HOUR), 'hurry vault', () => this.vaultRound())
  }

  async #atPortal(random: Prng, token: string, erase: boolean): Promise<boolean> {
    const { host } = this.portal
    if (!host.up || random.chance(0.1)) return false
    const boot = host.boot
    const body = new TextEncoder().encode(JSON.stringify({ token, requester: 'person', erasureAsked: erase }))
    const answer = await this.portal.handle({ method: 'POST', path: '/v1/stops', headers: {}, body })
    return host.alive(boot) && answer.status === 200 && !random.chance(0.1)
  }

  #hurry(facility: FacilityId): void {
    if (!this.#random.chance(0.4)) return
    const node = this.agents.find((one) => one.hospital.facility === facility)!
    this.world.after(this.#random.exponential(30 * MINUTE), `hurry ${facility}`, () => this.agentHurry(node))
  }

  #interval(busy: number, quiet: number): number {
    const { start, calm } = this.#plan.span
    const early = this.world.now < start + QUIET_SHARE * (calm - start)
    return MINUTE + this.#random.exponential(early ? quiet : busy)
  }

  #agentLater(node: AgentNode): void {
    this.world.after(this.#interval(42 * HOUR, 20 * DAY), `round ${node.host.name}`, () => {
      if (!this.#calm) this.#agentLater(node)
      return this.agentRound(node)
    })
  }

  #vaultLater(): void {
    this.world.after(this.#interval(36 * HOUR, 20 * DAY), 'round vault', () => {
      if (!this.#calm) this.#vaultLater()
      return this.vaultRound()
    })
  }

  /** Before the first waits end, everybody hears once from the hub that the operator is still certified. */
  #wake(at: number): void {
    for (const node of this.agents)
      this.world.after(6 * HOUR, `first look ${node.host.name}`, async () => {
        if (node.host.up)
          await this.#alone(node.host, async () => void (await node.agent?.gather({ full: true })))
      })
    this.world.at(at, 'wake vault', () => this.vaultRound())
    for (const node of this.agents)
      this.world.at(at + HOUR, `wake ${node.host.name}`, () => this.agentHurry(node))
  }

  /** What the running agent does by its timers, once. */
  async agentRound(node: AgentNode): Promise<void> {
    const { agent, host } = node
    if (!agent || !host.up) return
    await this.#alone(host, async () => {
      const dice = this.#calm ? this.#healRound % 2 : this.#random.unit()
      if (dice < 0.5) await agent.gather({ full: this.#calm || dice < 0.1 })
      await agent.build()
      if (dice > 0.6) await agent.tick()
      await this.#converse(agent, host)
    })
  }

  /** A nudge: something was recorded at the counter that must not wait for the next round. */
  async agentHurry(node: AgentNode): Promise<void> {
    const { agent, host } = node
    if (!agent || !host.up) return
    await this.#alone(host, () => this.#converse(agent, host))
  }

  async #converse(agent: Agent, host: Host): Promise<void> {
    const { failure } = await agent.exchange()
    if (failure !== null && /^(Type|Reference|Range|Syntax)Error$/.test(failure))
      this.world.violate('error', `the program itself failed: ${failure}`)
    this.world.note(`${host.name} ended its round: ${failure ?? 'well'}`)
  }

  async vaultRound(): Promise<void> {
    const { vault, host } = this.vault
    if (!vault || !host.up) return
    await this.#alone(host, async () => {
      const round = await vault.round()
      this.world.note(`vault ended its round: ${JSON.stringify(round)}`)
      if (round.pushed > 0 && !this.#calm)
        for (const { hospital } of this.agents) this.#hurry(hospital.facility)
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
      this.world.note(`${host.name} ended its round: ${error instanceof Error ? error.name : ''}`)
    } finally {
      if (this.#busy.get(host.name) === boot) this.#busy.delete(host.name)
    }
  }

  /** Operator staff look at incidents every few days, two of them, and let intake go on. */
  #staffLater(): void {
    this.world.after(3 * DAY, '', async () => {
      this.#staffLater()
      await this.clearIncidents()
    })
  }

  async clearIncidents(): Promise<void> {
    const { store, host } = this.vault
    if (!store || !host.up) return
    const rows = this.vault.ops.peek<{ incident: string }>(
      'SELECT incident FROM incident WHERE cleared_at IS NULL',
    )
    try {
      for (const { incident } of rows)
        await clearIncident(store, { incident, by: ['staff-1', 'staff-2'], reason: 'looked into' })
    } catch (error) {
      if (!(error instanceof Dead) && !isDiskTrouble(error)) throw error
    }
  }

  async #heal(check: () => void): Promise<void> {
    for (let round = 0; round < HEAL_ROUNDS; round++) {
      this.#healRound = round
      this.world.after(HOUR, '', () => this.clearIncidents())
      for (const node of this.agents)
        this.world.after(2 * HOUR, `heal ${node.host.name}`, () => this.agentRound(node))
      this.world.after(3 * HOUR, 'heal vault', () => this.vaultRound())
      await this.world.run(this.world.now + HEAL_EVERY, check)
    }
  }
}

function copied<T extends Call | WireRequest>(call: T): T {
  return { ...call, body: new Uint8Array(call.body) }
}

function isDiskTrouble(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : null
  return code === 13 || code === 10
}

function isExpected(error: unknown): boolean {
  if (error instanceof NetworkFailed || isDiskTrouble(error)) return true
  return error instanceof Error && (error.name === 'PeerFailed' || error.name === 'Refused')
}
