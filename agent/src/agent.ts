import type { Env, Instant } from '@kakehashi/protocol/env'
import type { FacilityId } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import type { EnrolmentAnswer } from '@kakehashi/protocol/messages'
import type { decide } from '@kakehashi/protocol/rules/decide'
import type { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import type { Track } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from './context.ts'
import { dryRun, type DryRun, type PatientLine } from './gate/dry-run.ts'
import type { AgentKeys } from './keys.ts'
import { buildBatches, type BuildReport, type Wanted } from './outbox/build.ts'
import { recoverOutbox } from './outbox/hand-over.ts'
import { retryRefused } from './outbox/retry.ts'
import { registerOf, type Register } from './register/register.ts'
import { RuleShelf } from './register/rules-change.ts'
import { seeTime } from './register/store.ts'
import type { SourceConnector } from './sources/connector.ts'
import { gatherAll, type GatherOptions, type GatherReport } from './gathering.ts'
import type { AgentStore } from './store/store.ts'
import { statusOf, type AgentStatus } from './status.ts'
import { enqueueHeartbeat, HEARTBEAT_MS } from './uplink/heartbeat.ts'
import { Line } from './uplink/line.ts'
import type { Wire } from './uplink/wire-shape.ts'

/** Everything an agent is made of; each part may be exchanged by a test or the simulator. */
export interface AgentParts {
  env: Env
  store: AgentStore
  keys: AgentKeys
  /** What enrolment answered: the operator and the vault's public keys. */
  hub: EnrolmentAnswer
  config: { facility: FacilityId; track: Track }
  connectors: readonly SourceConnector[]
  decide: typeof decide
  rulesAt: typeof rulesAt
  log: Log
  wire: Wire
}

export interface Agent {
  readonly context: AgentContext
  /** The counter's verbs, bound; what they queue is sent at the next opportunity. */
  readonly register: Register
  readonly line: Line
  /** Reads which rule files two people put in force; to be called before the first decision, and then every minute. */
  learnRules(): Promise<void>
  /** After a crash or at start: nothing claimed stays claimed. */
  recover(): Promise<{ requeued: number; unsettled: number }>
  /** Learns what changed in the sources. `full`: everything again, so that what vanished is found. */
  gather(options?: GatherOptions): Promise<GatherReport>
  /** Reads afresh whom the gate allows, and queues sealed batches; once through everybody with something to read. */
  build(options?: { patients?: number; signal?: AbortSignal }): Promise<BuildReport>
  /** One whole conversation with the hub, without a socket or a timer: fetch orders, report, upload, until nothing is left. */
  exchange(): Promise<{ failure: string | null }>
  /** Keeps the conversation going by itself, with a WebSocket for hints unless told otherwise. */
  start(options?: { socket?: boolean }): void
  stop(): void
  /** To be called every minute or so: heartbeat, retries. */
  tick(): Promise<void>
  dryRun(options?: { each?: (line: PatientLine) => void; signal?: AbortSignal }): Promise<DryRun>
  status(): Promise<AgentStatus>
}

/** Sums reports of the passes of one build. */
function merged(reports: readonly BuildReport[]): BuildReport {
  const sum = (
    key: 'patients' | 'closed' | 'batches' | 'records' | 'tombstones' | 'unchanged' | 'withheld',
  ) => reports.reduce((n, r) => n + r[key], 0)
  return {
    patients: sum('patients'),
    closed: sum('closed'),
    batches: sum('batches'),
    records: sum('records'),
    tombstones: sum('tombstones'),
    unchanged: sum('unchanged'),
    withheld: sum('withheld'),
    faults: reports.flatMap((r) => r.faults),
    paused: reports.at(-1)?.paused ?? null,
    next: null,
  }
}

class AssembledAgent implements Agent {
  readonly context: AgentContext
  readonly register: Register
  readonly line: Line
  readonly #connectors: readonly SourceConnector[]
  readonly #shelf: RuleShelf
  #heartbeatAt: Instant = 0

  constructor(parts: AgentParts) {
    const { env, store, keys, hub, config, decide, log } = parts
    this.#shelf = new RuleShelf(parts.rulesAt)
    this.context = {
      env,
      store,
      keys,
      hub,
      facility: config.facility,
      track: config.track,
      decide,
      rulesAt: this.#shelf.at,
      log,
    }
    this.#connectors = parts.connectors
    this.line = new Line(this.context, parts.wire)
    this.register = registerOf(this.context, () => this.line.nudge())
  }

  learnRules() {
    return this.#shelf.read(this.context.store.db)
  }

  async recover() {
    await this.learnRules()
    return recoverOutbox(this.context)
  }

  gather(options: GatherOptions = {}) {
    return gatherAll(this.context, this.#connectors, options)
  }

  async build(options: { patients?: number; signal?: AbortSignal } = {}): Promise<BuildReport> {
    const reports: BuildReport[] = []
    const queued = (): void => this.line.nudge()
    let from: Wanted | null = null
    do {
      const report: BuildReport = await buildBatches(this.context, this.#connectors, {
        ...options,
        from,
        queued,
      })
      reports.push(report)
      from = report.next
    } while (from !== null)
    return merged(reports)
  }

  exchange() {
    return this.line.exchange()
  }

  start(options: { socket?: boolean } = {}): void {
    this.line.start({ socket: options.socket ?? true })
  }

  stop(): void {
    this.line.stop()
  }

  async tick(): Promise<void> {
    const now = this.context.env.now()
    await this.context.store.bookkeep((tx) => seeTime(tx, now))
    await this.learnRules()
    await retryRefused(this.context)
    if (now - this.#heartbeatAt < HEARTBEAT_MS) return
    this.#heartbeatAt = now
    await enqueueHeartbeat(this.context)
    this.line.nudge()
  }

  dryRun(options: { each?: (line: PatientLine) => void; signal?: AbortSignal } = {}) {
    return dryRun(this.context, this.#connectors, options)
  }

  status() {
    return statusOf(this.context, this.line)
  }
}

export function createAgent(parts: AgentParts): Agent {
  return new AssembledAgent(parts)
}
