import { MINUTE } from './calendar.ts'
import type { Machine } from './machine.ts'
import type { AgentNode } from './nodes.ts'
import type { Fault } from './plan.ts'

type Restored = Extract<Fault, { kind: 'agent-restored' }>

/** Nobody else knows of these: what is forgotten of them by a restore, people must enter again from their papers. */
const OF_THE_COUNTER_ALONE = `('notice-given', 'notice-voided', 'hold-set', 'hold-cleared', 'charts-merged')`

/** Machines that lose what they had written: the gateway all of it, an agent what it wrote since its last backup. */
export class Losses {
  readonly #machine: Machine
  readonly #images = new Map<Restored, { image: Uint8Array; events: number }>()

  constructor(machine: Machine) {
    this.#machine = machine
  }

  gateway(downMs: number): void {
    const { gateway, world, awayMs, invariants } = this.#machine
    const { host, disk } = gateway
    if (!host.up || !disk.first) return
    world.fault('gateway store lost')
    world.saw('gateway lost its store')
    awayMs.set(host.name, downMs)
    host.kill()
    disk.restore(disk.first)
    invariants.gatewayLost()
  }

  /** Both ends talk shortly before, so that what was taken since the image is often with the hub already. */
  plan(fault: Restored): void {
    const { world, rounds } = this.#machine
    const node = this.#node(fault)
    world.at(fault.at - fault.ageMs, `image ${fault.facility}`, () => this.#image(fault))
    world.at(fault.at - 40 * MINUTE, '', () => rounds.agentRound(node))
    world.at(fault.at - 25 * MINUTE, '', () => rounds.vaultRound())
    world.at(fault.at - 10 * MINUTE, '', () => rounds.agentRound(node))
  }

  #image(fault: Restored): void {
    const { disk } = this.#node(fault)
    if (!disk.mounted()) return
    const before = disk.backups.length === 0 ? null : disk.backups.at(-1)
    disk.backUp()
    const backup = disk.backups.at(-1)
    if (backup && backup !== before) this.#images.set(fault, { image: backup.image, events: events(disk) })
  }

  /** Only where the hub has been told everything, so that the restore may lose nothing it could have kept. */
  agent(fault: Restored): void {
    const { world, awayMs, invariants, vault } = this.#machine
    const node = this.#node(fault)
    const { host, disk } = node
    const kept = this.#images.get(fault)
    if (!kept || !host.up || !disk.mounted() || !vault.ops.mounted()) return
    const unsaid = disk.peek(`SELECT seq FROM control_out WHERE envelope IS NOT NULL AND type != 'heartbeat'`)
    const since = disk.peek<{ type: string }>(
      `SELECT type FROM register_event WHERE seq > ? AND type IN ${OF_THE_COUNTER_ALONE}`,
      kept.events,
    )
    if (unsaid.length > 0 || since.length > 0) return
    world.fault('agent restored')
    world.saw('agent restored from an older image')
    if (
      disk.peek(`SELECT seq FROM register_event WHERE seq > ? AND type = 'stop-asked'`, kept.events).length >
      0
    )
      world.saw('agent restored while a stop taken since is at the hub alone')
    awayMs.set(host.name, 10 * MINUTE)
    host.kill()
    disk.restore(kept.image)
    // what it knew of the time it has forgotten, too
    host.noticed = Number.NEGATIVE_INFINITY
    node.restored = true
    node.everRestored = true
    invariants.agentRestored(node)
  }

  #node(fault: Restored): AgentNode {
    return this.#machine.agents.find((one) => one.hospital.facility === fault.facility)!
  }
}

function events(disk: AgentNode['disk']): number {
  return disk.peek<{ top: number | null }>('SELECT max(seq) AS top FROM register_event')[0]?.top ?? 0
}
