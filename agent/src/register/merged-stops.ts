import { stopId, type PatientKey, type StopId } from '@kakehashi/protocol/ids'
import type { StopFact } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { chartsOfPerson, patientStateOf, stopEvents } from './read.ts'

/** The vault holds a stop as it was asked; a chart added to it later, or in doubt, is told as a stop of its own. */
export function addedStop(stop: StopId, chart: PatientKey): StopId {
  return stopId(`merge-${sha256Hex('kakehashi/merged-stop\0', stop, '\0', chart).slice(0, 32)}`)
}

/** Charts of the person for which this stop was never asked: it holds for them by a merge alone. */
async function chartsAdded(tx: AgentTx, stop: StopId, patient: PatientKey): Promise<PatientKey[]> {
  const asked = new Set((await stopEvents(tx, stop)).map((event) => event.patient))
  return (await chartsOfPerson(tx, patient)).filter((chart) => !asked.has(chart))
}

const inForce = (stop: StopFact): boolean => stop.standing === 'confirmed' || stop.standing === 'provisional'

/** What a merge brings to light: a stop on one chart stops all charts of the person, here by the fold, now at the vault. */
export async function tellMergedStops(
  tx: AgentTx,
  context: AgentContext,
  patient: PatientKey,
): Promise<number> {
  const stops = (await patientStateOf(tx, patient)).stops.filter(inForce)
  for (const stop of stops)
    for (const chart of await chartsAdded(tx, stop.stop, patient))
      await enqueueControl(tx, context, {
        type: 'stop-reported',
        stop: addedStop(stop.stop, chart),
        patients: [chart],
        handles: [],
        tracks: stop.tracks,
        operators: stop.operators,
        requester: stop.requester,
        askedAt: stop.askedAt,
        erasureAsked: false,
      })
  return stops.length
}

/** The stop was withdrawn or undone: it ends for the charts that a merge had added, too. */
export async function endMergedStops(
  tx: AgentTx,
  context: AgentContext,
  stop: StopId,
  patient: PatientKey,
  undone: boolean,
): Promise<void> {
  for (const chart of await chartsAdded(tx, stop, patient)) await endFor(tx, context, stop, chart, undone)
}

/** The merge was an error: `chart` is not stopped by what was asked for `other` only. Call it before un-merging. */
export async function endStopsOfUnmerged(
  tx: AgentTx,
  context: AgentContext,
  charts: readonly PatientKey[],
): Promise<void> {
  for (const chart of charts)
    for (const stop of (await patientStateOf(tx, chart)).stops.filter(inForce))
      if ((await chartsAdded(tx, stop.stop, chart)).includes(chart))
        await endFor(tx, context, stop.stop, chart, true)
}

/** `undone`: the chart was never meant, and needs no fresh notice. */
export async function endFor(
  tx: AgentTx,
  context: AgentContext,
  stop: StopId,
  chart: PatientKey,
  undone: boolean,
): Promise<void> {
  await enqueueControl(tx, context, {
    type: 'stop-withdrawn-reported',
    stop: addedStop(stop, chart),
    patients: [chart],
    withdrawnAt: context.env.now(),
    ...(undone ? { undone: true as const } : {}),
  })
}
