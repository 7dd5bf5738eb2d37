import { recordHash } from '@kakehashi/hub/content/partition'
import { erasedChartHash } from '@kakehashi/protocol/erased-chart'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { fromBase64 } from '@kakehashi/protocol/signing'
import { DAY, dayNumber } from './calendar.ts'
import { turns16 } from './cast.ts'
import type { Disk } from './disk.ts'
import type { AgentNode, GatewayNode, PortalNode, VaultNode } from './nodes.ts'
import { recordAt } from './source.ts'
import type { ChartTruth, Truth } from './truth.ts'
import { marked, PORTAL_LAG, type Watch } from './watch.ts'
import type { World } from './world.ts'

export interface Scene {
  world: World
  truth: Truth
  watch: Watch
  gateway: GatewayNode
  portal: PortalNode
  vault: VaultNode
  agents: readonly AgentNode[]
}

const OPEN = `('queued', 'claimed', 'in-flight', 'at-gateway')`

/** Asked after every event of whatever was written in it; the expensive ones after boots and at the end. */
export class Invariants {
  readonly #scene: Scene
  readonly #leaves = new Map<Disk, number>()
  /** Acknowledgements of the gateway as they reached an agent: batch to digest. */
  readonly #promised = new Map<string, string>()
  #batchesSeen = 0
  readonly #ended = new Set<string>()
  readonly #resumedSeen = new Map<AgentNode, number>()
  /** Agents put back, and the last word of the hub before. */
  readonly #shut = new Map<AgentNode, number>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  afterEvent(): void {
    const { gateway, portal, vault, agents } = this.#scene
    for (const disk of [gateway.disk, portal.disk, vault.ops, vault.identity, ...agents.map((a) => a.disk)]) {
      if (!disk.dirty || !disk.mounted()) continue
      disk.dirty = false
      if (!disk.audited) continue
      disk.audited = false
      this.#auditGrows(disk)
      if (disk === vault.ops) this.#admissions()
      if (disk === vault.ops) this.#resumedAtHub()
      const node = agents.find((one) => one.disk === disk)
      if (node) this.#batchesWhole(node)
      if (node) this.#resumedAt(node)
    }
  }

  /** All it held is gone: it promises nothing of before, and its log begins anew. */
  gatewayLost(): void {
    this.#promised.clear()
    this.#leaves.delete(this.#scene.gateway.disk)
  }

  /** Put back from an older image: its log is shorter, and it is shut until the hub has told its stops. */
  agentRestored(node: AgentNode): void {
    const { ops } = this.#scene.vault
    this.#leaves.delete(node.disk)
    this.#resumedSeen.delete(node)
    this.#shut.set(node, ops.mounted() ? lastSaid(ops) : Number.POSITIVE_INFINITY)
  }

  /** S2: an agent put back sends nothing before the hub has told it the stops it has forgotten. */
  mayOpen(node: AgentNode): void {
    const since = this.#shut.get(node)
    const { ops } = this.#scene.vault
    if (since === undefined || since === Number.POSITIVE_INFINITY || !ops.mounted()) return
    const [told] = ops.peek(
      `SELECT seq FROM outbox WHERE type = 'stop-list' AND agent = ? AND seq > ? LIMIT 1`,
      node.hospital.keys.agent,
      since,
    )
    if (!told) this.#scene.world.violate('S2', 'a restored agent sent before the hub had told its stops')
    else this.#shut.delete(node)
  }

  /** S12: a stop ends by what somebody asked at the counter, and by nothing else. */
  #resumedAtHub(): void {
    const { vault, truth, world } = this.#scene
    for (const { stop, patient } of vault.ops.peek<{ stop: string; patient: PatientKey }>(
      `SELECT s.stop, c.patient FROM stop s JOIN stop_chart c ON c.stop = s.stop WHERE s.standing IN ('withdrawn', 'undone')`,
    )) {
      if (this.#ended.has(stop)) continue
      if (asksBack(truth.of(patient))) this.#ended.add(stop)
      else world.violate('S12', 'a stop ended at the hub that nobody took back')
    }
  }

  #resumedAt(node: AgentNode): void {
    const { truth, world } = this.#scene
    const rows = node.disk.peek<{ seq: number; patient: PatientKey }>(
      `SELECT seq, patient FROM register_event WHERE type IN ('stop-withdrawn', 'stop-undone') AND seq > ?`,
      this.#resumedSeen.get(node) ?? 0,
    )
    for (const { seq, patient } of rows) {
      this.#resumedSeen.set(node, Math.max(seq, this.#resumedSeen.get(node) ?? 0))
      if (!asksBack(truth.of(patient)))
        world.violate('S12', 'a stop ended at the hospital that nobody took back')
    }
  }

  /** S7: the gateway said "stored durably". */
  gatewayPromised(batch: string, digest: string): void {
    this.#promised.set(batch, digest)
    this.#keptAtGateway(batch, digest)
  }

  afterBoot(host: string): void {
    const { gateway, agents } = this.#scene
    if (host === 'gateway') for (const [batch, digest] of this.#promised) this.#keptAtGateway(batch, digest)
    if (host === 'vault') this.#vaultRemembers()
    for (const disk of this.#leaves.keys()) if (disk.host.name === host) this.#auditGrows(disk)
    for (const node of agents) if (node.host.name === host) this.#counterRemembers(node)
    if (host === 'gateway' && marked(gateway.disk))
      this.#scene.world.violate('S6', 'the gateway holds clinical plaintext')
  }

  /** What was on its way when a stop was confirmed. S5: of somebody to be erased nothing may still wait to be sent. */
  stopShown(patient: PatientKey, erase: boolean): void {
    const { truth, agents, world } = this.#scene
    const node = agents.find((a) => a.hospital.facility === truth.of(patient).chart.facility)!
    for (const { leg } of node.disk.peek<{ leg: string }>(
      'SELECT leg FROM outbox_batch b JOIN outbox_patient p ON p.batch = b.batch WHERE p.patient = ?',
      patient,
    )) {
      if (erase && (leg === 'queued' || leg === 'claimed'))
        world.violate('S5', 'a batch with somebody who asked for erasure still waits to be sent')
      if (leg === 'in-flight') world.saw('stop while a batch is in flight')
      if (leg === 'at-gateway') world.saw('stop while a batch is at the gateway')
    }
  }

  /** After everything was healed and had time: nothing is stuck, nothing is lost, nobody was forgotten. */
  atEnd(): void {
    for (const node of this.#scene.agents) {
      this.#nothingStuck(node)
      this.#counterRemembers(node)
      this.#auditWhole(node.disk)
    }
    this.#vaultRemembers()
    for (const [batch, digest] of this.#promised) this.#keptAtGateway(batch, digest)
    this.#acceptedOnce()
    for (const truth of this.#scene.truth.charts.values()) {
      const sixteen = turns16(truth.chart)
      if (
        truth.leftAt !== null &&
        sixteen !== null &&
        dayNumber(truth.leftAt) < sixteen &&
        sixteen <= dayNumber(this.#scene.world.now)
      )
        this.#scene.world.saw('turned 16 after sending')
      this.#arrived(truth)
      this.#stopArrived(truth)
      this.#erased(truth)
    }
    const { gateway, portal, vault } = this.#scene
    for (const disk of [gateway.disk, portal.disk, vault.ops, vault.identity]) this.#auditWhole(disk)
    if (vault.ops.peek(`SELECT stop FROM stop WHERE standing = 'withdrawn'`).length > 0)
      this.#scene.world.saw('withdrawal reached the hub')
    if (marked(gateway.disk) || marked(portal.disk))
      this.#scene.world.violate('S6', 'gateway or portal hold clinical plaintext')
  }

  #auditGrows(disk: Disk): void {
    const [row] = disk.peek<{ top: number | null }>('SELECT max(seq) AS top FROM audit_leaf')
    const size = (row?.top ?? -1) + 1
    if (size < (this.#leaves.get(disk) ?? 0))
      this.#scene.world.violate('S8', `the audit log of ${disk.name} shrank`)
    this.#leaves.set(disk, size)
  }

  #auditWhole(disk: Disk): void {
    if (!disk.mounted()) return
    const [row] = disk.peek<{ n: number; top: number | null }>(
      'SELECT count(*) AS n, max(seq) AS top FROM audit_leaf',
    )
    if (row!.n !== (row!.top ?? -1) + 1)
      this.#scene.world.violate('S8', `the audit log of ${disk.name} has a gap`)
  }

  /** S2 at the hub: nothing is accepted of somebody whose stop the portal confirmed, whoever knows the paper. */
  #admissions(): void {
    const { world, truth, vault } = this.#scene
    const rows = vault.ops.peek<{ n: number; batch: string; outcome: string; accepted: number }>(
      'SELECT rowid AS n, batch, outcome, accepted FROM batch WHERE rowid > ? ORDER BY rowid',
      this.#batchesSeen,
    )
    for (const row of rows) {
      this.#batchesSeen = row.n
      world.saw(row.outcome === 'refused' ? 'batch refused at the hub' : 'batch accepted')
      if (row.outcome === 'refused') continue
      for (const patient of vault.landings.get(row.batch) ?? []) {
        if (truth.of(patient).stoppedAt(world.now - PORTAL_LAG, (stop) => stop.where === 'portal'))
          world.violate('S2', 'the hub accepted records long after a stop was confirmed at the portal')
      }
    }
  }

  #keptAtGateway(batch: string, digest: string): void {
    const { gateway, world } = this.#scene
    if (!gateway.disk.mounted()) return
    const [row] = gateway.disk.peek<{ state: string; digest: string; held: number | null; size: number }>(
      `SELECT state, digest, size, (SELECT sum(length(bytes)) FROM gateway_part p WHERE p.batch = b.batch) AS held FROM gateway_batch b WHERE batch = ?`,
      batch,
    )
    const whole = row?.state === 'done' || (row?.state === 'stored' && row.held === row.size)
    if (!whole || row.digest !== digest)
      world.violate('S7', 'the gateway acknowledged a batch it does not hold')
  }

  /** S3, S7: what the gateway let go and what the agents ticked off is decided at the vault. */
  #vaultRemembers(): void {
    const { gateway, vault, agents, world } = this.#scene
    if (!vault.ops.mounted()) return
    const decided = new Map(
      vault.ops
        .peek<{ batch: string; outcome: string }>('SELECT batch, outcome FROM batch')
        .map((r) => [r.batch, r.outcome]),
    )
    if (gateway.disk.mounted())
      for (const { batch } of gateway.disk.peek<{ batch: string }>(
        `SELECT batch FROM gateway_batch WHERE state = 'done'`,
      ))
        if (!decided.has(batch))
          world.violate('S7', 'the vault let a batch be dropped that it does not remember')
    for (const node of agents) {
      if (!node.disk.mounted()) continue
      for (const row of node.disk.peek<{ batch: string; outcome: string }>(
        `SELECT batch, outcome FROM outbox_batch WHERE leg = 'done'`,
      ))
        if (decided.get(row.batch) !== row.outcome)
          world.violate('S3', 'an agent holds a receipt the vault does not remember')
    }
  }

  /** S7 at the counter: what a page confirmed is in the register. S3: what waits to be sent is whole. */
  #counterRemembers(node: AgentNode): void {
    const { truth, world } = this.#scene
    if (!node.disk.mounted() || isShut(node)) return
    for (const { chart, stops } of truth.charts.values()) {
      if (chart.facility !== node.hospital.facility) continue
      const shown = stops.filter((s) => s.where === 'counter' && s.shownAt !== null).length
      if (shown === 0) continue
      const [row] = node.disk.peek<{ n: number }>(
        `SELECT count(*) AS n FROM register_event WHERE patient = ? AND type = 'stop-asked'`,
        chart.patient,
      )
      if (row!.n < shown && !refusesAsErased(node, chart.patient))
        world.violate('S7', 'a stop that was confirmed at the counter is not in the register')
    }
    this.#batchesWhole(node)
  }

  #batchesWhole(node: AgentNode): void {
    const torn = node.disk.peek<{ batch: string }>(
      `SELECT batch FROM outbox_batch b WHERE leg IN ${OPEN} AND size != coalesce((SELECT sum(length(bytes)) FROM outbox_part p WHERE p.batch = b.batch), 0)`,
    )
    if (torn.length > 0) this.#scene.world.violate('S3', 'a batch that is not finished has lost its bytes')
  }

  #nothingStuck(node: AgentNode): void {
    const stuck = node.disk.peek<{ leg: string }>(
      `SELECT leg FROM outbox_batch WHERE leg IN ${OPEN} AND created_at < ?`,
      this.#scene.world.now - DAY,
    )
    const dropped = node.disk.peek(`SELECT batch FROM outbox_batch WHERE leg = 'dropped'`)
    if (dropped.length > 0) this.#scene.world.saw('batch dropped because the gate had closed')
    if (stuck.length > 0) this.#scene.world.violate('L1', `a batch is stuck on the leg ${stuck[0]!.leg}`)
    const unsaid = node.disk.peek<{ type: string }>('SELECT type FROM control_out WHERE envelope IS NOT NULL')
    if (unsaid.length > 0)
      this.#scene.world.violate('L2', `a message never left the hospital: ${unsaid[0]!.type}`)
  }

  /** S4: no content of a record was taken in twice. */
  #acceptedOnce(): void {
    const { vault, watch, world } = this.#scene
    const sent = watch.contentsSent()
    for (const row of vault.ops.peek<{ record: string; version: number }>(
      'SELECT record, version FROM content_record',
    ))
      if (row.version > (sent.get(row.record) ?? 0)) world.violate('S4', 'a record was accepted twice')
  }

  /** L1: who was told long ago and never said no has arrived, as the hospital shows it now. */
  #arrived(truth: ChartTruth): void {
    const { world, vault } = this.#scene
    if (!truth.surelyEligible(world.now - DAY)) return
    world.saw('eligible chart expected at the hub')
    for (const scripted of truth.chart.records) {
      const record = recordAt(truth.chart, scripted, world.now, '')
      const key = { source: 'ehr', type: scripted.type, id: scripted.id }
      const [row] = vault.ops.peek<{ hash: string; gone: number }>(
        'SELECT hash, gone FROM content_record WHERE record = ?',
        recordHash(truth.chart.facility, key),
      )
      const held = row !== undefined && row.gone === 0
      if (record && (!held || row.hash !== record.contentHash))
        world.violate(
          'L1',
          `a record of an eligible patient never arrived (${held ? 'old version' : 'absent'})`,
        )
      if (!record && held) world.violate('L1', 'a record that vanished at the hospital is still at the hub')
    }
  }

  /** L2: every stop is known at both ends. */
  #stopArrived(truth: ChartTruth): void {
    const { world, vault, agents } = this.#scene
    const { patient, facility } = truth.chart
    const standing = truth.stops.filter((s) => s.shownAt !== null && s.withdrawnAt === null)
    if (standing.length === 0) return
    const node = agents.find((a) => a.hospital.facility === facility)!
    const here = node.disk.peek<{ subject: string; body: string }>(
      `SELECT subject, body FROM register_event WHERE patient = ? AND type = 'stop-asked'`,
      patient,
    )
    if (here.length < standing.length && !refusesAsErased(node, patient))
      world.violate('L2', 'a stop never reached the hospital')
    for (const { subject } of here)
      if (vault.ops.peek('SELECT stop FROM stop WHERE stop = ?', subject).length === 0)
        world.violate('L2', 'a stop never reached the hub')
    if (standing.some((s) => s.where === 'portal')) world.saw('stop from the portal reached the agent')
  }

  /** L2: an erasure that was asked and confirmed left nothing at the hub. */
  #erased(truth: ChartTruth): void {
    const { world } = this.#scene
    if (truth.erasureShownAt === null) return
    const { patient } = truth.chart
    if (this.#heldAtHub(patient)) world.violate('L2', 'an erasure that was asked for was never carried out')
    world.saw('erasure completed')
  }

  #heldAtHub(patient: PatientKey): boolean {
    const { vault } = this.#scene
    return (
      vault.ops.peek('SELECT record FROM content_record WHERE owner = ? LIMIT 1', patient).length > 0 ||
      vault.ops.peek('SELECT owner FROM landing WHERE owner = ? LIMIT 1', patient).length > 0 ||
      vault.identity.peek('SELECT patient FROM identity_patient WHERE patient = ? LIMIT 1', patient).length >
        0 ||
      vault.identity.peek('SELECT patient FROM identity_source WHERE patient = ? LIMIT 1', patient).length > 0
    )
  }
}

function lastSaid(ops: Disk): number {
  return ops.peek<{ seq: number | null }>('SELECT max(seq) AS seq FROM outbox')[0]?.seq ?? 0
}

/** Of this person, or of one taken for the same. */
function asksBack(truth: ChartTruth): boolean {
  return truth.withdrawalAsked || truth.same.some(({ other }) => other.withdrawalAsked)
}

/** What it had forgotten is not back yet. */
/** Of whom the hub erased it can name nobody to a copy put back: that copy is told to refuse the chart instead. */
function refusesAsErased(node: AgentNode, patient: PatientKey): boolean {
  return node.disk
    .peek<{ hash: string; key: string }>('SELECT hash, key FROM erased_chart')
    .some(({ hash, key }) => erasedChartHash(fromBase64(key), patient) === hash)
}

function isShut(node: AgentNode): boolean {
  return node.disk.peek('SELECT id FROM restored WHERE opened_at IS NULL').length > 0
}
