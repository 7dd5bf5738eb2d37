import { createHmac } from 'node:crypto'
import { canonical } from '@kakehashi/protocol/canonical'
import { erasedChartHash } from '@kakehashi/protocol/erased-chart'
import {
  facilityOf,
  operatorId,
  stopHandle,
  stopId,
  type FacilityId,
  type MessageId,
  type PatientKey,
} from '@kakehashi/protocol/ids'
import { CONTROL_IDS_MAX } from '@kakehashi/protocol/limits'
import type { AskedPerson, ListedStop, StopOrdered } from '@kakehashi/protocol/messages'
import { toBase64 } from '@kakehashi/protocol/signing'
import { postBoxKey } from '../vault/box-key.ts'
import { postStatus } from '../vault/enrolment.ts'
import type { OpsTables, OpsTx } from '../vault/ops.ts'
import { post, type Unsent } from '../vault/outbox.ts'
import type { VaultParts } from '../vault/parts.ts'
import { slices } from './charts.ts'
import { orderTo } from './order.ts'

type AgentRow = OpsTables['agent']

/** Well below what one message may carry, so that any stop with all its charts still fits. */
const PART_CHARS_MAX = 60_000

/** The key under which one facility's erased charts are hashed; derived, so that it is kept nowhere. */
export function erasedKeyOf(tombstoneKey: Uint8Array, facility: string): Uint8Array {
  return new Uint8Array(
    createHmac('sha256', tombstoneKey).update('kakehashi/erased-of\0').update(facility).digest(),
  )
}

export function erasedOf(tombstoneKey: Uint8Array, patient: PatientKey): { facility: string; hash: string } {
  const facility = facilityOf(patient)
  return { facility, hash: erasedChartHash(erasedKeyOf(tombstoneKey, facility), patient) }
}

/** Kept beside the tombstones, which only the vault can compare, so that the hospital can be told after a restore. */
export async function keepErased(
  tx: OpsTx,
  rows: readonly { facility: string; hash: string }[],
): Promise<void> {
  for (const part of slices(rows))
    await tx
      .insertInto('erased_chart')
      .values(part)
      .onConflict((c) => c.doNothing())
      .execute()
}

/**
 * Everything the vault knows that an agent put back from a backup may have forgotten: the stops of its facility, whoever
 * took them, which charts were erased, how far its own numbers had come; and the operator's standing anew.
 */
export async function tellStops(
  tx: OpsTx,
  parts: VaultParts,
  agent: AgentRow,
  asked: MessageId,
): Promise<void> {
  const facility = agent.facility as FacilityId
  // before the list: the agent opens its gate at the end of it
  await sayAgain(tx, parts, agent)
  const stops = inParts(await stopsOf(tx, facility))
  const rows = await tx.selectFrom('erased_chart').select('hash').where('facility', '=', facility).execute()
  const erased = chunks(
    rows.map((row) => row.hash),
    CONTROL_IDS_MAX,
  )
  const last = await tx
    .selectFrom('batch')
    .select((e) => e.fn.max('sequence').as('sequence'))
    .where('agent', '=', agent.agent)
    .executeTakeFirst()
  const count = Math.max(1, stops.length, erased.length)
  for (let part = 0; part < count; part++)
    await post(tx, parts, agent, {
      type: 'stop-list',
      asked,
      part,
      parts: count,
      stops: stops[part] ?? [],
      erased: erased[part] ?? [],
      erasedKey: toBase64(erasedKeyOf(parts.keys.tombstone, facility)),
      sequence: Number(last?.sequence ?? 0),
      checkpoint: agent.checkpoint,
    })
  await postStatus(tx, parts, agent)
  await postBoxKey(tx, parts, agent)
}

/**
 * A list names charts and papers only. Whoever was said by name or number is said again as in the order: this copy, or
 * the agent in the place of a former one, may never have applied it.
 */
export async function sayAgain(tx: OpsTx, parts: VaultParts, agent: AgentRow): Promise<void> {
  const rows = await tx
    .selectFrom('stop as s')
    .innerJoin('stop_intake as i', 'i.stop', 's.stop')
    .selectAll('s')
    .select('i.facilities')
    .where('s.standing', 'in', ['provisional', 'confirmed'])
    .orderBy('s.asked_at')
    .execute()
  const agents = await tx.selectFrom('agent').select('agent').where('facility', '=', agent.facility).execute()
  const own = agents.map((one) => one.agent)
  for (const row of rows) {
    const facilities = row.facilities === null ? null : (JSON.parse(row.facilities) as string[])
    // where it was asked it is the hospital's own stop
    if (facilities?.includes(agent.facility) === false || own.some((one) => one === row.agent)) continue
    const person = await parts.rooms.readSaid<AskedPerson>(row.stop)
    if (person) await sayStopAgain(tx, parts, agent, { row, person, own })
  }
}

async function sayStopAgain(
  tx: OpsTx,
  parts: VaultParts,
  agent: AgentRow,
  { row, person, own }: { row: OpsTables['stop']; person: AskedPerson; own: readonly string[] },
): Promise<void> {
  const charts = await tx.selectFrom('stop_chart').select('patient').where('stop', '=', row.stop).execute()
  const order: Unsent<StopOrdered> = {
    type: 'stop-ordered',
    stop: stopId(row.stop),
    handle: null,
    patients: charts
      .map((one) => one.patient as PatientKey)
      .filter((patient) => facilityOf(patient) === agent.facility),
    tracks: row.tracks === null ? null : JSON.parse(row.tracks),
    requester: row.requester as ListedStop['requester'],
    askedAt: Number(row.asked_at),
    erasureAsked: Number(row.erasure_asked) === 1,
    ...(row.standing === 'provisional' ? { standing: row.standing } : {}),
    person,
  }
  const message = await post(tx, parts, agent, orderTo(agent, order))
  // a former agent will never answer
  await tx
    .deleteFrom('stop_delivery')
    .where('stop', '=', row.stop)
    .where('agent', 'in', own)
    .where('agent', '<>', agent.agent)
    .where('acked_at', 'is', null)
    .execute()
  const delivery = { stop: row.stop, agent: agent.agent, message, acked_at: null }
  await tx
    .insertInto('stop_delivery')
    .values({ ...delivery, sent_at: parts.env.now() })
    .onConflict((c) => c.columns(['stop', 'agent']).doUpdateSet({ message, acked_at: null }))
    .execute()
}

async function stopsOf(tx: OpsTx, facility: FacilityId): Promise<ListedStop[]> {
  const charts = new Map<string, PatientKey[]>()
  const named = await tx
    .selectFrom('stop_chart')
    .selectAll()
    .where('patient', 'like', `${facility}/%`)
    .execute()
  for (const { stop, patient } of named)
    if (facilityOf(patient as PatientKey) === facility)
      charts.set(stop, [...(charts.get(stop) ?? []), patient as PatientKey])
  const agents = tx.selectFrom('agent').select('agent').where('facility', '=', facility)
  const told = await tx.selectFrom('stop_delivery').select('stop').where('agent', 'in', agents).execute()
  const said = await tx.selectFrom('stop').select('stop').where('agent', 'in', agents).execute()
  // a paper of nobody we know: only the hospital that printed it recognises the handle
  const bare = await tx
    .selectFrom('stop')
    .select('stop')
    .where('stop', 'not in', (q) => q.selectFrom('stop_hash').select('stop'))
    .execute()
  const ids = new Set([...charts.keys(), ...[...told, ...said, ...bare].map((row) => row.stop)])
  const list: ListedStop[] = []
  for (const part of slices([...ids])) {
    const handles = await tx.selectFrom('stop_handle').selectAll().where('stop', 'in', part).execute()
    const rows = await tx.selectFrom('stop').selectAll().where('stop', 'in', part).execute()
    for (const row of rows)
      if (row.standing !== 'undone')
        list.push(
          listed(
            row,
            charts.get(row.stop) ?? [],
            handles.filter((h) => h.stop === row.stop),
          ),
        )
  }
  return list.toSorted((a, b) => a.askedAt - b.askedAt || (a.stop < b.stop ? -1 : 1))
}

function listed(
  row: OpsTables['stop'],
  patients: PatientKey[],
  handles: readonly { handle: string }[],
): ListedStop {
  return {
    stop: stopId(row.stop),
    patients,
    handles: handles.map(({ handle }) => stopHandle(handle)),
    tracks: row.tracks === null ? null : JSON.parse(row.tracks),
    operators: row.operators === null ? null : (JSON.parse(row.operators) as string[]).map(operatorId),
    requester: row.requester as ListedStop['requester'],
    standing: row.standing === 'undone' ? 'withdrawn' : row.standing,
    askedAt: Number(row.asked_at),
    withdrawnAt: row.withdrawn_at === null ? null : Number(row.withdrawn_at),
    origin: row.origin === 'agent' ? 'counter' : 'operator',
    erasureAsked: Number(row.erasure_asked) === 1,
  }
}

function inParts(stops: readonly ListedStop[]): ListedStop[][] {
  const found: ListedStop[][] = []
  let chars = PART_CHARS_MAX
  for (const stop of stops) {
    const length = canonical(stop).length
    if (chars + length > PART_CHARS_MAX) {
      found.push([])
      chars = 0
    }
    found.at(-1)?.push(stop)
    chars += length
  }
  return found
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = []
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size))
  return parts
}
