import {
  facilityOf,
  stopId,
  type FacilityId,
  type PatientKey,
  type StopHandle,
  type StopId,
} from '@kakehashi/protocol/ids'
import type { StopOrdered, StopWithdrawnReported } from '@kakehashi/protocol/messages'
import type { StopFact, Track } from '@kakehashi/protocol/rules/state'
import type { OpsTx } from '../vault/ops.ts'
import { agentsOf, post, type Unsent } from '../vault/outbox.ts'
import type { VaultParts } from '../vault/parts.ts'
import { chartHash, freedOf, slices } from './charts.ts'
import { askErasure } from './erasure.ts'
import { orderTo } from './order.ts'
import type { SaidOfStop } from './said-list.ts'

export interface StopAsk {
  stop: StopId
  origin: 'agent' | 'portal' | 'operator'
  agent: string | null
  handles: StopHandle[]
  patients: PatientKey[]
  tracks: Track[] | null
  operators: string[] | null
  requester: StopFact['requester']
  standing: 'provisional' | 'confirmed'
  askedAt: number
  erasureAsked: boolean
  receipt: string | null
  /** Said by name: to these facilities (`null`: all), and by these hashes known again at the second gate. */
  named?: SaidOfStop & { names: string[] }
  /** Asked in a flood: of a paper nobody here knows, the hospitals are told in its turn (`behind.ts`). */
  queued?: boolean
}

/** A stop holds from the commit of this transaction: the second gate reads the list in the one that admits. */
export async function enterStop(tx: OpsTx, parts: VaultParts, ask: StopAsk): Promise<boolean> {
  const known = await tx.selectFrom('stop').select('asked_at').where('stop', '=', ask.stop).executeTakeFirst()
  if (known && Number(known.asked_at) > ask.askedAt)
    await tx.updateTable('stop').set({ asked_at: ask.askedAt }).where('stop', '=', ask.stop).execute()
  if (known) return addLater(tx, parts, ask)
  const patients = new Set(ask.patients)
  for (const part of slices(ask.handles))
    for (const row of await tx.selectFrom('patient_handle').selectAll().where('handle', 'in', part).execute())
      patients.add(row.patient as PatientKey)
  keepOutside(parts, ask, patients)
  await insertStop(tx, parts, ask)
  for (const part of slices([...patients])) await addCharts(tx, parts, ask.stop, part)
  await addNames(tx, ask.stop, ask.named?.names ?? [])
  if (ask.queued !== true || patients.size > 0) await passOn(tx, parts, ask, [...patients])
  if (ask.erasureAsked && patients.size > 0)
    await askErasure(tx, parts, { patients: [...patients], by: ask.agent ?? ask.origin, stop: ask.stop })
  return true
}

/** The hospital names further charts of a stop we know: whose paper the handle was on, or a chart merged since. */
async function addLater(tx: OpsTx, parts: VaultParts, ask: StopAsk): Promise<boolean> {
  const rows = await tx.selectFrom('stop_hash').select('hash').where('stop', '=', ask.stop).execute()
  const held = new Set(rows.map((row) => row.hash))
  const isFreed = await freedOf(tx, parts.keys.tombstone, [ask.stop])
  const later = [...new Set(ask.patients)].filter(
    (patient) => !held.has(chartHash(parts.keys.tombstone, patient)) && !isFreed(ask.stop, patient),
  )
  if (later.length === 0) return false
  keepOutside(parts, ask, new Set(later))
  for (const part of slices(later)) await addCharts(tx, parts, ask.stop, part)
  if (ask.erasureAsked)
    await askErasure(tx, parts, { patients: later, by: ask.agent ?? ask.origin, stop: ask.stop })
  return true
}

/** @NOTE Before the commit: listed and not committed only protects; committed and not listed, a restore would undo it. */
function keepOutside(parts: VaultParts, ask: StopAsk, patients: ReadonlySet<PatientKey>): void {
  const { stop, origin, handles, tracks, operators, requester, standing, askedAt, erasureAsked, receipt } =
    ask
  const charts = [...patients].map((patient) => chartHash(parts.keys.tombstone, patient))
  parts.stops?.append({
    stop,
    origin,
    charts,
    handles,
    tracks,
    operators,
    requester,
    standing,
    askedAt,
    erasureAsked,
    receipt,
    ...(ask.named ? { names: ask.named.names } : {}),
    ...(ask.named && ask.agent ? { agent: ask.agent } : {}),
  })
  if (!ask.named || isForgotten(parts, stop)) return
  const { person, facilities, erasureWanted } = ask.named
  parts.saids?.keep(stop, { person, facilities, erasureWanted })
}

/** Its words went with somebody's erasure: whoever says them again, after a restore, brings none of them back. */
export function isForgotten({ erasures }: Partial<Pick<VaultParts, 'erasures'>>, stop: string): boolean {
  return erasures?.entries().some(({ said }) => said?.includes(stop)) ?? false
}

export async function insertStop(
  tx: OpsTx,
  parts: VaultParts,
  ask: Omit<StopAsk, 'patients'>,
): Promise<void> {
  await tx
    .insertInto('stop')
    .values({
      stop: ask.stop,
      origin: ask.origin,
      agent: ask.agent,
      handle: ask.handles[0] ?? null,
      tracks: ask.tracks === null ? null : JSON.stringify(ask.tracks),
      operators: ask.operators === null ? null : JSON.stringify(ask.operators),
      requester: ask.requester,
      standing: ask.standing,
      asked_at: ask.askedAt,
      received_at: parts.env.now(),
      erasure_asked: ask.erasureAsked ? 1 : 0,
      withdrawn_at: null,
      receipt: ask.receipt,
    })
    .execute()
  for (const part of slices([...new Set(ask.handles)]))
    await tx
      .insertInto('stop_handle')
      .values(part.map((handle) => ({ stop: ask.stop, handle })))
      .execute()
}

export async function addNames(tx: OpsTx, stop: string, names: readonly string[]): Promise<void> {
  for (const part of slices([...new Set(names)]))
    await tx
      .insertInto('stop_name')
      .values(part.map((hash) => ({ stop, hash })))
      .onConflict((c) => c.doNothing())
      .execute()
}

export async function addCharts(
  tx: OpsTx,
  parts: VaultParts,
  stop: string,
  patients: readonly PatientKey[],
): Promise<void> {
  if (patients.length === 0) return
  await tx
    .insertInto('stop_chart')
    .values(patients.map((patient) => ({ stop, patient, added_at: parts.env.now() })))
    .execute()
  const hashes = patients.map((patient) => chartHash(parts.keys.tombstone, patient))
  await tx
    .insertInto('stop_hash')
    .values(hashes.map((hash) => ({ stop, hash })))
    .onConflict((c) => c.doNothing())
    .execute()
}

/**
 * To the agents of the facilities whose charts are known; for a handle of nobody we know, to every agent: only the
 * hospital that printed the paper recognises it, and it means nothing to the others.
 */
export async function passOn(
  tx: OpsTx,
  parts: VaultParts,
  ask: StopAsk,
  patients: PatientKey[],
): Promise<void> {
  const { named } = ask
  const bare = patients.length === 0
  const facilities = new Set<FacilityId>(patients.map(facilityOf))
  const handle = ask.origin === 'agent' ? null : (ask.handles[0] ?? null)
  for (const agent of await agentsOf(tx)) {
    if (agent.agent === ask.agent) continue
    if (
      named
        ? !meant(named.facilities, agent.facility)
        : !bare && !facilities.has(agent.facility as FacilityId)
    )
      continue
    const order: Unsent<StopOrdered> = {
      type: 'stop-ordered',
      stop: ask.stop,
      handle,
      patients: patients.filter((patient) => facilityOf(patient) === agent.facility),
      tracks: ask.tracks,
      requester: ask.requester,
      askedAt: ask.askedAt,
      erasureAsked: ask.erasureAsked,
      ...(ask.standing === 'provisional' && named ? { standing: ask.standing } : {}),
      ...(named ? { person: named.person } : {}),
    }
    const message = await post(tx, parts, agent, orderTo(agent, order))
    await tx
      .insertInto('stop_delivery')
      .values({ stop: ask.stop, agent: agent.agent, message, sent_at: parts.env.now(), acked_at: null })
      .execute()
  }
}

function meant(facilities: readonly FacilityId[] | null, facility: string): boolean {
  return facilities === null || facilities.some((one) => one === facility)
}

/** A stop by the operator's staff, by chart or by the token on a paper. */
export async function stopByStaff(
  parts: VaultParts,
  ask: Pick<StopAsk, 'patients' | 'handles' | 'requester' | 'standing' | 'erasureAsked'> & {
    tracks?: Track[]
    by: string
  },
): Promise<StopId> {
  const stop = stopId(parts.env.id())
  const about = ask.patients[0]
  await parts.ops.transact(
    {
      act: 'stop.asked',
      actor: ask.by,
      ...(about === undefined ? {} : { about: chartHash(parts.keys.tombstone, about) }),
      detail: { stop, origin: 'operator', charts: ask.patients.length, erasure: ask.erasureAsked },
    },
    (tx) =>
      enterStop(tx, parts, {
        ...ask,
        stop,
        origin: 'operator',
        agent: null,
        tracks: ask.tracks ?? null,
        operators: null,
        askedAt: parts.env.now(),
        receipt: null,
      }),
  )
  return stop
}

const BUILDS_SEEN = 'stops-left-builds'

/** Whoever was stopped or came into doubt since the last time leaves every release built and not yet delivered. */
export async function stoppedLeaveBuilds(parts: VaultParts): Promise<void> {
  const { db } = parts.ops
  const cursor = await db
    .selectFrom('cursor')
    .select('value')
    .where('name', '=', BUILDS_SEEN)
    .executeTakeFirst()
  const since = Number(cursor?.value ?? 0)
  const stopped = await db
    .selectFrom('stop as s')
    .innerJoin('stop_chart as c', 'c.stop', 's.stop')
    .select(['c.patient', 's.received_at', 'c.added_at'])
    .where((e) => e.or([e('s.received_at', '>=', since), e('c.added_at', '>=', since)]))
    .execute()
  const doubted = await db
    .selectFrom('doubted_chart')
    .select(['patient', 'since as at'])
    .where('since', '>=', since)
    .execute()
  // a chart may be named long after the stop was
  const charts = stopped.map((row) => ({
    patient: row.patient,
    at: Math.max(Number(row.received_at), Number(row.added_at)),
  }))
  const rows = [...charts, ...doubted]
  if (rows.length === 0) return
  await parts.rooms.leaveBuilds([...new Set(rows.map((row) => row.patient as PatientKey))])
  const value = Math.max(...rows.map((row) => Number(row.at)))
  if (value === since) return
  await parts.ops.bookkeep((tx) =>
    tx
      .insertInto('cursor')
      .values({ name: BUILDS_SEEN, value })
      .onConflict((c) => c.column('name').doUpdateSet({ value }))
      .execute(),
  )
}

/**
 * Lifts the stop as the hospital recorded it: the gate still asks for a fresh notice given after this. Undone, it was
 * never asked. The word may come before the stop itself, which the gateway lost and the agent says again: then the stop
 * is entered lifted.
 */
export async function withdrawStop(
  tx: OpsTx,
  parts: VaultParts,
  about: Pick<StopWithdrawnReported, 'stop' | 'patients' | 'withdrawnAt' | 'undone'> & {
    facility: string
    agent: string
  },
): Promise<boolean> {
  const charts = await tx.selectFrom('stop_chart').select('patient').where('stop', '=', about.stop).execute()
  const elsewhere = charts.some((row) => facilityOf(row.patient as PatientKey) !== about.facility)
  if (elsewhere) return false
  const known = await tx.selectFrom('stop').select('stop').where('stop', '=', about.stop).executeTakeFirst()
  if (!known) await enterUnheard(tx, parts, about)
  const standing = about.undone === true ? 'undone' : 'withdrawn'
  parts.stops?.append({
    stop: about.stop,
    withdrawnAt: about.withdrawnAt,
    ...(about.undone ? { undone: true } : {}),
  })
  const changed = await tx
    .updateTable('stop')
    .set({ standing, withdrawn_at: about.withdrawnAt })
    .where('stop', '=', about.stop)
    .where('standing', 'in', ['provisional', 'confirmed'])
    .executeTakeFirst()
  return Number(changed.numUpdatedRows) > 0
}

async function enterUnheard(
  tx: OpsTx,
  parts: VaultParts,
  about: { stop: StopId; patients: PatientKey[]; withdrawnAt: number; agent: string },
): Promise<void> {
  const ask: StopAsk = {
    stop: about.stop,
    origin: 'agent',
    agent: about.agent,
    handles: [],
    patients: about.patients,
    tracks: null,
    operators: null,
    requester: 'person',
    standing: 'confirmed',
    askedAt: about.withdrawnAt,
    erasureAsked: false,
    receipt: null,
  }
  keepOutside(parts, ask, new Set(about.patients))
  await insertStop(tx, parts, ask)
  for (const part of slices([...new Set(about.patients)])) await addCharts(tx, parts, about.stop, part)
}
