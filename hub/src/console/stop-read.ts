import type { FacilityDeclared } from '@kakehashi/protocol/messages'
import type { Track } from '@kakehashi/protocol/rules/state'
import { facilitiesOf, UNSEEN } from '../requests/intake.ts'
import type { OpsTables } from '../vault/ops.ts'
import type { ConsoleParts } from './parts.ts'

const ROWS_MAX = 200

export interface Hospital {
  facility: string
  name: string
}

export function nameOf(places: readonly Hospital[], facility: string): string {
  return places.find((one) => one.facility === facility)?.name ?? facility
}

/** The hospitals that send to this operator, by the name they declared last. */
export async function hospitals({ ops }: Pick<ConsoleParts, 'ops'>): Promise<Hospital[]> {
  const agents = await ops.db
    .selectFrom('agent')
    .select('facility')
    .distinct()
    .where('retired_at', 'is', null)
    .orderBy('facility')
    .execute()
  const declared = await ops.db
    .selectFrom('facility_declaration')
    .select(['facility', 'body'])
    .orderBy('declared_at')
    .execute()
  const names = new Map(
    declared.map((row) => [row.facility, (JSON.parse(row.body) as FacilityDeclared).entity.name]),
  )
  return agents.map(({ facility }) => ({ facility, name: names.get(facility) ?? facility }))
}

/** What the desk's lists, pages and counts leave out: that it is here would tell who is a patient (LAW R17). */
const unseen = ({ ops }: Pick<ConsoleParts, 'ops'>) =>
  ops.db.selectFrom('stop_intake').select('stop').where('identity_check', '=', UNSEEN)

/** What became of the document of Art. 53 at one hospital. */
export interface SlipState {
  move: OpsTables['slip_move']['move']
  at: number
}

/** One stop at one hospital: how far it has come, and since when. */
export interface Delivery {
  facility: string
  state: 'made' | 'sent' | 'applied'
  sentAt: number
  appliedAt: number | null
  ageMs: number
  late: boolean
  /** The hospital ended it for its own charts. */
  leftAt: number | null
  /** Where the hospital's document was last; `null`: not yet out. */
  slip: SlipState | null
}

export interface StopLine {
  stop: string
  origin: OpsTables['stop']['origin']
  standing: OpsTables['stop']['standing']
  askedAt: number
  tracks: Track[] | null
  deliveries: Delivery[]
}

export interface StopFile extends StopLine {
  requester: string
  /** At whose counter it was asked for the other hospitals; `null`: here. */
  asking: string | null
  /** Taken back there, by whoever was identified there. */
  takenBack: { at: number; undone: boolean } | null
  erasure: OpsTables['stop_intake'] | null
  facilities: string[] | null
}

async function deliveriesOf(
  parts: ConsoleParts,
  stops: readonly { stop: string; asked_at: number }[],
): Promise<Map<string, Delivery[]>> {
  const found = new Map<string, Delivery[]>()
  if (stops.length === 0) return found
  const now = parts.env.now()
  const slips = await slipsOf(
    parts,
    stops.map((row) => row.stop),
  )
  const askedAt = new Map(stops.map((row) => [row.stop, Number(row.asked_at)]))
  const rows = await parts.ops.db
    .selectFrom('stop_delivery as d')
    .innerJoin('agent as a', 'a.agent', 'd.agent')
    .leftJoin('outbox as o', 'o.message', 'd.message')
    .leftJoin('stop_left as l', (on) =>
      on.onRef('l.stop', '=', 'd.stop').onRef('l.facility', '=', 'a.facility'),
    )
    .select(['d.stop', 'a.facility', 'd.sent_at', 'd.acked_at', 'o.pushed_at', 'l.left_at'])
    .where('d.stop', 'in', [...askedAt.keys()])
    .orderBy('a.facility')
    .execute()
  for (const row of rows) {
    const appliedAt = row.acked_at === null ? null : Number(row.acked_at)
    const ageMs = (appliedAt ?? now) - (askedAt.get(row.stop) ?? now)
    const state = appliedAt !== null ? 'applied' : row.pushed_at === null ? 'made' : 'sent'
    const late = appliedAt === null && ageMs > parts.stopLateMs
    const one: Delivery = {
      facility: row.facility,
      state,
      sentAt: Number(row.sent_at),
      appliedAt,
      ageMs,
      late,
      leftAt: row.left_at === null ? null : Number(row.left_at),
      slip: slips.get(`${row.stop} ${row.facility}`) ?? null,
    }
    found.set(row.stop, [...(found.get(row.stop) ?? []), one])
  }
  return found
}

/** Of several documents of one stop at one hospital the newest word. */
async function slipsOf({ ops }: ConsoleParts, stops: readonly string[]): Promise<Map<string, SlipState>> {
  const rows = await ops.db
    .selectFrom('slip_move')
    .selectAll()
    .where('stop', 'in', stops)
    .orderBy('moved_at')
    .execute()
  return new Map(
    rows.map((row) => [`${row.stop} ${row.facility}`, { move: row.move, at: Number(row.moved_at) }]),
  )
}

/** The newest stops that came from outside a hospital, with their way to every hospital. */
export async function stopLines(parts: ConsoleParts): Promise<StopLine[]> {
  const rows = await parts.ops.db
    .selectFrom('stop')
    .selectAll()
    .where('origin', '!=', 'agent')
    .where('stop', 'not in', unseen(parts))
    // not by when it was entered: of what waited in a ticket that would tell whether it was entered before
    .orderBy('asked_at', 'desc')
    .orderBy('stop')
    .limit(ROWS_MAX)
    .execute()
  const deliveries = await deliveriesOf(parts, rows)
  return rows.map((row) => lineOf(row, deliveries))
}

function lineOf(row: OpsTables['stop'], deliveries: ReadonlyMap<string, Delivery[]>): StopLine {
  return {
    stop: row.stop,
    origin: row.origin,
    standing: row.standing,
    askedAt: Number(row.asked_at),
    tracks: row.tracks === null ? null : (JSON.parse(row.tracks) as Track[]),
    deliveries: deliveries.get(row.stop) ?? [],
  }
}

export async function stopFile(parts: ConsoleParts, stop: string): Promise<StopFile | null> {
  const row = await parts.ops.db.selectFrom('stop').selectAll().where('stop', '=', stop).executeTakeFirst()
  if (!row || row.origin === 'agent') return null
  const intake = await parts.ops.db
    .selectFrom('stop_intake')
    .selectAll()
    .where('stop', '=', stop)
    .executeTakeFirst()
  if (intake?.identity_check === UNSEEN) return null
  return {
    ...lineOf(row, await deliveriesOf(parts, [row])),
    ...(await askingOf(parts, row)),
    requester: row.requester,
    erasure: intake ?? null,
    facilities: facilitiesOf(intake?.facilities ?? null),
  }
}

async function askingOf(
  parts: ConsoleParts,
  { stop, agent }: OpsTables['stop'],
): Promise<Pick<StopFile, 'asking' | 'takenBack'>> {
  const row = await parts.ops.db
    .selectFrom('agent as a')
    .leftJoin('stop_left as l', (on) => on.onRef('l.facility', '=', 'a.facility').on('l.stop', '=', stop))
    .select(['a.facility', 'l.left_at', 'l.undone'])
    .where('a.agent', '=', agent ?? '')
    .executeTakeFirst()
  const at = row?.left_at ?? null
  return {
    asking: row?.facility ?? null,
    takenBack: at === null ? null : { at: Number(at), undone: Number(row?.undone) === 1 },
  }
}

/** How much of this is work for today; each stop counts once, however many hospitals it waits for. */
export async function stopWork(parts: ConsoleParts) {
  const late = await parts.ops.db
    .selectFrom('stop_delivery as d')
    .innerJoin('stop as s', 's.stop', 'd.stop')
    .select((e) => e.fn.count<number>('d.stop').distinct().as('n'))
    .where('d.acked_at', 'is', null)
    .where('s.asked_at', '<', parts.env.now() - parts.stopLateMs)
    .where('s.stop', 'not in', unseen(parts))
    .executeTakeFirst()
  const intake = parts.ops.db
    .selectFrom('stop_intake')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('identity_check', '!=', UNSEEN)
  const unverified = await intake.where('verified_at', 'is', null).executeTakeFirst()
  const toErase = await intake
    .where('verified_at', 'is not', null)
    .where('erasure_wanted', '=', 1)
    .where('erasure', 'is', null)
    .executeTakeFirst()
  const takenBack = await parts.ops.db
    .selectFrom('stop as s')
    .innerJoin('agent as a', 'a.agent', 's.agent')
    .innerJoin('stop_left as l', (on) =>
      on.onRef('l.stop', '=', 's.stop').onRef('l.facility', '=', 'a.facility'),
    )
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('s.origin', '=', 'operator')
    .where('s.standing', 'in', ['provisional', 'confirmed'])
    .executeTakeFirst()
  return {
    takenBack: Number(takenBack?.n ?? 0),
    late: Number(late?.n ?? 0),
    unverified: Number(unverified?.n ?? 0),
    toErase: Number(toErase?.n ?? 0),
  }
}
