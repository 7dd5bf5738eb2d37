import { createHmac } from 'node:crypto'
import { facilityOf, stopId, type PatientKey, type StopHandle } from '@kakehashi/protocol/ids'
import type { StopFact } from '@kakehashi/protocol/rules/state'
import type { OpsTx } from '../vault/ops.ts'

const LOOKUP_MAX = 400

/** A chart's name in tombstones, certificates and audit leaves: nobody without the key can test a guess. */
export function chartHash(tombstoneKey: Uint8Array, patient: PatientKey): string {
  return createHmac('sha256', tombstoneKey).update('kakehashi/chart\0').update(patient).digest('hex')
}

/** Everything the vault's own list says about some charts, read in one transaction. */
export interface OwnList {
  stopsOf(patient: PatientKey, handles: readonly StopHandle[]): StopFact[]
  isErased(patient: PatientKey): boolean
}

export async function readOwnList(
  tx: OpsTx,
  tombstoneKey: Uint8Array,
  charts: readonly { patient: PatientKey; handles: readonly StopHandle[]; names?: readonly string[] }[],
): Promise<OwnList> {
  const byChart = new Map<string, Set<string>>()
  const byHandle = new Map<string, Set<string>>()
  const patients = charts.map((chart) => chart.patient)
  const hashes = new Map(patients.map((patient) => [chartHash(tombstoneKey, patient), patient]))
  for (const part of slices([...hashes.keys()]))
    for (const row of await tx.selectFrom('stop_hash').selectAll().where('hash', 'in', part).execute())
      add(byChart, hashes.get(row.hash) ?? '', row.stop)
  for (const part of slices(charts.flatMap((chart) => chart.handles)))
    for (const row of await tx.selectFrom('stop_handle').selectAll().where('handle', 'in', part).execute())
      add(byHandle, row.handle, row.stop)
  const bearers = bearersOf(charts.map(({ patient, names = [] }) => [patient, names]))
  for (const { stop, patient } of await stopsByName(tx, bearers)) add(byChart, patient, stop)
  const stops = await readStops(
    tx,
    [...byChart.values(), ...byHandle.values()].flatMap((set) => [...set]),
  )
  const erased = new Set<PatientKey | undefined>()
  for (const part of slices([...hashes.keys()]))
    for (const row of await tx.selectFrom('tombstone').select('hash').where('hash', 'in', part).execute())
      erased.add(hashes.get(row.hash))
  const left = await leftStops(tx, [...stops.keys()])
  const isFreed = await freedOf(tx, tombstoneKey, stops.keys())
  return {
    stopsOf(patient, handles) {
      const ids = new Set([...(byChart.get(patient) ?? [])].filter((id) => !isFreed(id, patient)))
      for (const handle of handles) for (const id of byHandle.get(handle) ?? []) ids.add(id)
      return [...ids].flatMap((id) => {
        const stop = stops.get(id)
        return stop ? [{ ...stop, ...left(stop, facilityOf(patient)) }] : []
      })
    },
    isErased: (patient) => erased.has(patient),
  }
}

async function readStops(tx: OpsTx, ids: readonly string[]): Promise<Map<string, StopFact>> {
  const stops = new Map<string, StopFact>()
  for (const part of slices([...new Set(ids)]))
    for (const row of await tx.selectFrom('stop').selectAll().where('stop', 'in', part).execute())
      stops.set(row.stop, {
        stop: stopId(row.stop),
        tracks: row.tracks === null ? null : JSON.parse(row.tracks),
        operators: row.operators === null ? null : JSON.parse(row.operators),
        requester: row.requester as StopFact['requester'],
        standing: row.standing,
        askedAt: row.asked_at,
        withdrawnAt: row.withdrawn_at,
        origin: row.origin === 'agent' ? 'counter' : 'operator',
      })
  return stops
}

/** How a stop stands at a hospital that ended it for its own charts, while it holds for the others. */
async function leftStops(
  tx: OpsTx,
  ids: readonly string[],
): Promise<(stop: StopFact, facility: string) => Partial<StopFact>> {
  const left = new Map<string, Partial<StopFact>>()
  for (const part of slices(ids))
    for (const row of await tx.selectFrom('stop_left').selectAll().where('stop', 'in', part).execute())
      left.set(`${row.stop} ${row.facility}`, {
        standing: Number(row.undone) === 1 ? 'undone' : 'withdrawn',
        withdrawnAt: Number(row.left_at),
      })
  return (stop, facility) =>
    stop.standing === 'provisional' || stop.standing === 'confirmed'
      ? (left.get(`${stop.stop} ${facility}`) ?? {})
      : {}
}

/** Whether a chart that bears the name of one of these stops was found to be somebody else's. */
export async function freedOf(
  tx: OpsTx,
  tombstoneKey: Uint8Array,
  stops: Iterable<string>,
): Promise<(stop: string, patient: PatientKey) => boolean> {
  const freed = new Set<string>()
  for (const part of slices([...new Set(stops)]))
    for (const row of await tx.selectFrom('stop_freed').selectAll().where('stop', 'in', part).execute())
      freed.add(`${row.stop} ${row.hash}`)
  return (stop, patient) => freed.size > 0 && freed.has(`${stop} ${chartHash(tombstoneKey, patient)}`)
}

/** Stops said of a name that these charts bear. The hospital where it was asked for the others has a stop of its own. */
export async function stopsByName(
  tx: OpsTx,
  bearers: ReadonlyMap<string, ReadonlySet<PatientKey>>,
): Promise<{ stop: string; patient: PatientKey; standing: StopFact['standing'] }[]> {
  const found = []
  for (const part of slices([...bearers.keys()])) {
    const rows = await tx
      .selectFrom('stop_name as n')
      .innerJoin('stop as s', 's.stop', 'n.stop')
      .leftJoin('agent as a', 'a.agent', 's.agent')
      .select(['n.stop', 'n.hash', 's.standing', 'a.facility'])
      .where('n.hash', 'in', part)
      .execute()
    for (const { stop, hash, standing, facility } of rows)
      for (const patient of bearers.get(hash) ?? [])
        if (facilityOf(patient) !== facility) found.push({ stop, patient, standing })
  }
  return found
}

/** Whose name, by its keyed hash, each is: most batches bear none that was ever said, and are asked about at once. */
export function bearersOf(
  names: Iterable<readonly [PatientKey, readonly string[]]>,
): Map<string, Set<PatientKey>> {
  const bearers = new Map<string, Set<PatientKey>>()
  for (const [patient, hashes] of names) for (const hash of hashes) add(bearers, hash, patient)
  return bearers
}

export function add<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const set = map.get(key) ?? new Set()
  map.set(key, set.add(value))
}

export function slices<T>(items: readonly T[]): T[][] {
  const parts: T[][] = []
  for (let at = 0; at < items.length; at += LOOKUP_MAX) parts.push(items.slice(at, at + LOOKUP_MAX))
  return parts
}
