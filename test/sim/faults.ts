import type { Disk } from './disk.ts'
import type { Agent } from '@kakehashi/agent/agent'
import { decidePatient, openGate } from '@kakehashi/agent/gate/flow'
import { seeTime } from '@kakehashi/agent/register/store'
import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { DAY } from './calendar.ts'
import type { Host } from './host.ts'
import { Losses } from './losses.ts'
import type { Machine } from './machine.ts'
import type { Fault } from './plan.ts'

/** Carries out what the plan has in store for machines, and can put everything right again. */
export class Faults {
  readonly #machine: Machine
  readonly #losses: Losses
  #over = false

  constructor(machine: Machine) {
    this.#machine = machine
    this.#losses = new Losses(machine)
  }

  plan(faults: readonly Fault[]): void {
    for (const fault of faults)
      this.#machine.world.at(fault.at, `${fault.kind} ${about(fault)}`, () => this.#strike(fault))
    for (const fault of faults) if (fault.kind === 'agent-restored') this.#losses.plan(fault)
  }

  /** Nothing more goes wrong, and what is wrong is mended. */
  end(): void {
    this.#over = true
    for (const host of this.#machine.hosts.values()) {
      host.skew = 0
      for (const disk of host.disks) this.#mend(disk)
    }
    for (const source of this.#machine.sources.values()) source.downUntil = 0
  }

  #mend(disk: Disk): void {
    disk.setFull(false)
    disk.fuse = -1
    disk.failing = -1
    disk.brittle = null
  }

  #strike(fault: Fault): void {
    const { world, net, sources, awayMs } = this.#machine
    const host = 'host' in fault ? this.#machine.hosts.get(fault.host)! : null
    switch (fault.kind) {
      case 'kill':
      case 'power-cut':
        if (!host!.up) return
        world.fault(fault.kind)
        awayMs.set(fault.host, fault.downMs)
        if (fault.kind === 'power-cut' && this.#machine.rounds.isBusy(host!))
          world.saw('power cut with work under way')
        if (fault.kind === 'kill') host!.kill()
        else host!.cutPower()
        return
      case 'fuse':
        awayMs.set(fault.host, fault.downMs)
        for (const disk of host!.disks) {
          if (!disk.mounted()) continue
          disk.fuse = fault.statements
          disk.fusePower = fault.power
        }
        return
      case 'write-fails':
        for (const disk of host!.disks) if (disk.mounted()) disk.failing = fault.writes
        return
      case 'disk-full':
        world.fault('disk full')
        for (const disk of host!.disks) disk.setFull(true)
        world.after(fault.forMs, `room again ${fault.host}`, () =>
          host!.disks.forEach((disk) => disk.setFull(false)),
        )
        return
      case 'partition':
        return net.partition(fault.from, fault.to, world.now + fault.forMs)
      case 'clog':
        return net.clog(fault.from, fault.to, world.now + fault.forMs)
      case 'source-down':
        world.fault('source down')
        sources.get(fault.facility)!.downUntil = world.now + fault.forMs
        return
      case 'gateway-lost':
        return this.#losses.gateway(fault.downMs)
      case 'agent-restored':
        return this.#losses.agent(fault)
      case 'forged':
        return this.#machine.forger.arm()
      case 'clock-wrong':
        return this.#wrongClock(fault)
    }
  }

  /** S11: a day back and forth without time passing opens nothing and changes nothing. */
  async #clockKept(agent: Agent, host: Host): Promise<boolean> {
    const { world } = this.#machine
    const { store, env } = agent.context
    const now = env.now()
    await store.bookkeep((tx) => seeTime(tx, now))
    host.noticed = Math.max(host.noticed, now)
    const before = await this.#open(agent, now)
    if ((await this.#open(agent, now - DAY)).length > 0)
      world.violate('S11', 'a clock a day behind lets records leave')
    if ((await this.#open(agent, now)).join() !== before.join())
      world.violate('S11', 'a clock set back and right again changed a decision')
    return true
  }

  async #open(agent: Agent, now: Instant): Promise<PatientKey[]> {
    const { store } = agent.context
    const question = { ...(await openGate(store.db, agent.context)), now }
    const open: PatientKey[] = []
    for (const { chart } of this.#machine.truth.charts.values())
      if (chart.facility === agent.context.facility)
        if ((await decidePatient(store.db, agent.context, chart.patient, question)).allowed)
          open.push(chart.patient)
    return open
  }

  /** The running agent looks at the clock every minute, so it knows the time up to the jump. */
  #wrongClock(fault: Extract<Fault, { kind: 'clock-wrong' }>): void {
    const { world, hosts, agents } = this.#machine
    const host = hosts.get(fault.host)!
    if (!host.up) return
    const agent = agents.find((node) => node.host === host)?.agent
    let known = true
    if (agent)
      world.launch(async () => {
        known = await this.#clockKept(agent, host).catch(() => false)
      })
    world.after(1, `clock off by ${fault.byMs / 60_000} min ${fault.host}`, () => {
      if (this.#over || !known) return
      world.fault('clock wrong')
      if (fault.byMs < 0) world.saw('clock back')
      const before = host.skew
      host.skew = fault.byMs
      world.after(fault.forMs, `clock right ${fault.host}`, () => {
        if (!this.#over) host.skew = before
      })
    })
  }
}

function about(fault: Fault): string {
  if ('host' in fault) return fault.host
  if ('from' in fault) return `${fault.from} ${fault.to}`
  return 'facility' in fault ? fault.facility : ''
}
