import type { PatientKey } from '@kakehashi/protocol/ids'
import type { StopOrdered } from '@kakehashi/protocol/messages'
import type { AgentContext } from '../context.ts'
import { bearerOf } from '../papers/bearer.ts'
import { chartsOfPerson, patientStateOf } from '../register/read.ts'
import { openSlip } from '../register/slip.ts'
import { applyStop } from '../register/stop.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from './store.ts'

async function chartsMeant(tx: AgentTx, context: AgentContext, order: StopOrdered): Promise<PatientKey[]> {
  const named = new Set<PatientKey>(order.patients)
  const bearer = order.handle ? await bearerOf(tx, order.handle) : null
  if (bearer) named.add(bearer)
  const charts = new Set<PatientKey>()
  for (const patient of named) for (const chart of await chartsOfPerson(tx, patient)) charts.add(chart)
  return [...charts].filter((chart) => chart.startsWith(`${context.facility}/`))
}

/**
 * A stop made at the operator is in force here from now, and Art. 53 still binds the hospital: the task of handing
 * over the document counts its age from when the person asked (LAW trap 25). Every chart found goes back to the vault.
 */
export async function applyOrderedStop(
  tx: AgentTx,
  context: AgentContext,
  order: StopOrdered,
): Promise<void> {
  const charts = await chartsMeant(tx, context, order)
  if (charts.length === 0) {
    context.log('stop.unmatched')
    return
  }
  const fresh: PatientKey[] = []
  for (const chart of charts) {
    const { stops } = await patientStateOf(tx, chart)
    if (!stops.some((s) => s.stop === order.stop)) fresh.push(chart)
  }
  if (fresh.length === 0) return
  const facts = {
    stop: order.stop,
    patients: fresh,
    tracks: order.tracks,
    operators: null,
    requester: order.requester,
    identityCheck: 'token',
    standing: 'confirmed',
    origin: 'operator',
    erasureAsked: order.erasureAsked,
    by: 'operator',
    askedAt: order.askedAt,
    more: { receivedAt: order.askedAt },
  } as const
  await applyStop(tx, context, facts)
  await openSlip(tx, context, { ...facts, patients: charts })
  await enqueueControl(tx, context, {
    type: 'stop-reported',
    stop: order.stop,
    patients: charts,
    handles: order.handle ? [order.handle] : [],
    tracks: order.tracks,
    operators: null,
    requester: order.requester,
    askedAt: order.askedAt,
    erasureAsked: order.erasureAsked,
  })
}
