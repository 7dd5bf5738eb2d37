import type { PatientKey, StopHandle } from '@kakehashi/protocol/ids'
import type { StopFact, Track } from '@kakehashi/protocol/rules/state'
import type { OpsStore } from '../vault/ops.ts'
import { readOwnList, slices } from './charts.ts'

/** Which of these charts may be in no release of this track now: stopped here or at the hospital, erased, or in doubt. */
export async function blockedCharts(
  ops: OpsStore,
  tombstoneKey: Uint8Array,
  patients: readonly PatientKey[],
  track: Track,
): Promise<Set<PatientKey>> {
  return ops.bookkeep(async (tx) => {
    const handles = new Map<string, StopHandle[]>()
    const doubted = new Set<string>()
    for (const part of slices(patients)) {
      for (const row of await tx
        .selectFrom('doubted_chart')
        .select('patient')
        .where('patient', 'in', part)
        .execute())
        doubted.add(row.patient)
      for (const row of await tx
        .selectFrom('patient_handle')
        .selectAll()
        .where('patient', 'in', part)
        .execute())
        handles.set(row.patient, [...(handles.get(row.patient) ?? []), row.handle as StopHandle])
    }
    const charts = patients.map((patient) => ({ patient, handles: handles.get(patient) ?? [] }))
    const list = await readOwnList(tx, tombstoneKey, charts)
    return new Set(
      charts
        .filter(
          ({ patient, handles }) =>
            doubted.has(patient) ||
            list.isErased(patient) ||
            list.stopsOf(patient, handles).some((stop) => inForce(stop, track)),
        )
        .map(({ patient }) => patient),
    )
  })
}

function inForce(stop: StopFact, track: Track): boolean {
  const standing = stop.standing === 'provisional' || stop.standing === 'confirmed'
  return standing && (stop.tracks === null || stop.tracks.length === 0 || stop.tracks.includes(track))
}
