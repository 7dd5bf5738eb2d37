import type { Answer, Call, Caller } from '@kakehashi/hub/call'
import type { FacilityId } from '@kakehashi/protocol/ids'
import type { GatewayAck } from '@kakehashi/protocol/messages'
import type { WireRequest } from '@kakehashi/agent/uplink/wire-shape'
import { DAY, MINUTE } from './calendar.ts'
import type { Brittleness } from './disk.ts'
import { Faults } from './faults.ts'
import { Forger } from './forger.ts'
import type { Genesis } from './genesis.ts'
import { Dead, Host } from './host.ts'
import { Invariants } from './invariants.ts'
import { Net, weather } from './net.ts'
import { AgentNode, GatewayNode, PortalNode, VaultNode } from './nodes.ts'
import { People } from './people.ts'
import type { Plan } from './plan.ts'
import { HOSTS } from './planning.ts'
import type { Plant } from './plants.ts'
import { Prng } from './prng.ts'
import { isDiskTrouble, Rounds } from './rounds.ts'
import { ScriptedSource } from './source.ts'
import { Truth } from './truth.ts'
import { Watch } from './watch.ts'
import { World } from './world.ts'

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
  readonly watch: Watch
  readonly invariants: Invariants
  readonly people: People
  readonly #plan: Plan
  readonly rounds: Rounds
  readonly forger: Forger
  #calm = false

  constructor(
    seed: number,
    genesis: Genesis,
    plan: Plan,
    options: { print?: boolean; plant?: Plant | null },
  ) {
    const plant = options.plant ?? null
    const random = new Prng(`seed/${seed}/run`)
    this.#plan = plan
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
    const forging = new Host('forger', this.world, random.fork('forger'))
    this.forger = new Forger(this.world, forging, genesis, this.vault)
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
    const { vault, gateway } = this
    for (const disk of [vault.ops, gateway.disk, ...this.agents.map((node) => node.disk)])
      disk.brittle = brittleness(random.fork(`brittle/${disk.name}`))
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
        recorded: (facility) => this.rounds.hurryAgent(facility),
        stopShown: (patient, erase) => this.invariants.stopShown(patient, erase),
        offline: (facility) => !this.#host(facility).up || this.net.isCut(facility, 'gateway'),
      },
    )
    this.rounds = new Rounds(
      {
        world: this.world,
        vault,
        gateway,
        agents: this.agents,
        waiting: (patients) => this.people.pounce(patients),
      },
      plan.span,
      random.fork('rounds'),
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
    this.rounds.plan(this.#plan)
    const check = (): void => this.invariants.afterEvent()
    await this.world.run(span.calm, check)
    trouble.end()
    this.#calm = true
    this.net.heal()
    for (const host of this.hosts.values()) if (!host.up) this.#boot(host)
    await this.rounds.heal(check)
    this.invariants.atEnd()
    this.world.orThrow()
  }

  /** Nothing of this history is looked at any more. */
  discard(): void {
    for (const host of this.hosts.values()) for (const disk of host.disks) disk.discard()
  }

  /** How long the process that dies next stays away. */
  readonly awayMs = new Map<string, number>()

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
    return async (call) => {
      const label = `${from} ${call.method} ${call.path.split('?')[0]}`
      const answer = await this.net.call(this.#host(from), node.host, label, () => node.handle(copied(call)))
      return label === 'vault GET /v1/vault/control' ? this.forger.toVault(answer) : answer
    }
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
    if (request.method === 'GET' && path === '/v1/control') return this.forger.toAgent(answer, node)
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
    this.invariants.mayOpen(node)
    const patients = this.watch.bytesLeave(batch, Buffer.concat(parts.map((part) => part.bytes)))
    if (!this.#calm) this.people.pounce(patients)
    if (!this.#calm) this.rounds.hurryVault(0.8, 30 * MINUTE)
  }

  async #atPortal(random: Prng, token: string, erase: boolean): Promise<boolean> {
    const { host } = this.portal
    if (!host.up || random.chance(0.1)) return false
    const boot = host.boot
    const body = new TextEncoder().encode(JSON.stringify({ token, requester: 'person', erasureAsked: erase }))
    const answer = await this.portal.handle({ method: 'POST', path: '/v1/stops', headers: {}, body })
    return host.alive(boot) && answer.status === 200 && !random.chance(0.1)
  }
}

function copied<T extends Call | WireRequest>(call: T): T {
  return { ...call, body: new Uint8Array(call.body) }
}

/** A disk whose process dies now and then just when a batch moves; many never do. */
function brittleness(random: Prng): Brittleness | null {
  if (random.chance(0.4)) return null
  return { chance: random.pick([0.1, 0.3]), statements: random.pick([15, 15, 50, 120]), random }
}
