import { Refused } from '@kakehashi/protocol/refusals'
import type { AgentContext } from './context.ts'
import { takePatient } from './patients/flow.ts'
import { noteLink, notePatientSeen } from './register/charts.ts'
import type { AgentTx } from './store/store.ts'
import type { SourceConnector } from './sources/connector.ts'
import { gather, type Gathered } from './sources/flow.ts'

export interface GatherReport {
  seen: number
  added: number
  changed: number
  vanished: number
  quarantined: number
  held: number
  faults: Gathered['faults']
}

export interface GatherOptions {
  full?: boolean
  signal?: AbortSignal
  /** Sources to leave alone this time. */
  resting?: ReadonlySet<string>
}

/** One round over every source, in turn; a source that cannot be reached is noted and the others go on. */
export async function gatherAll(
  context: AgentContext,
  connectors: readonly SourceConnector[],
  options: GatherOptions,
): Promise<GatherReport> {
  const report: GatherReport = {
    seen: 0,
    added: 0,
    changed: 0,
    vanished: 0,
    quarantined: 0,
    held: 0,
    faults: [],
  }
  const signal = options.signal ?? new AbortController().signal
  const { store, env, log } = context
  for (const connector of connectors) {
    if (options.resting?.has(connector.id)) continue
    try {
      const gathered = await gather({
        store,
        connector,
        env,
        log,
        signal,
        full: options.full === true,
        showPatient: (tx, shown) =>
          takePatient(tx as unknown as AgentTx, shown, env.now(), (own, seen) =>
            notePatientSeen(own, context, seen),
          ),
        showLink: (tx, link) => noteLink(tx as unknown as AgentTx, context, link),
      })
      for (const key of ['seen', 'added', 'changed', 'vanished', 'quarantined', 'held'] as const)
        report[key] += gathered[key]
      report.faults.push(...gathered.faults)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      context.log('source.unreachable', { code: error.refusal.code })
      report.faults.push({ code: error.refusal.code, place: connector.id, retryable: true })
    }
  }
  return report
}
