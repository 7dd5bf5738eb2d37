import { setImmediate as turn } from 'node:timers/promises'
import type { Instant } from '@kakehashi/protocol/env'
import { type Kysely, sql } from 'kysely'
import type { SourcesTables } from './store.ts'

/** What one source has shown so far, in counts that add up to {@link SourceStanding.records}. */
export interface SourceStanding {
  source: string
  /** When something of it was last read; `null`: never to an end. */
  readAt: Instant | null
  /** Everything in the ledger. */
  records: number
  /** May travel as soon as the gate allows. */
  readable: number
  /** Were there once. */
  gone: number
  held: { code: string; records: number; oldest: Instant }[]
  /** Places that could not be read when they were last tried. */
  quarantined: { code: string; places: number }[]
  /** Deletions too many to be believed, until a person confirms them. */
  brakes: { type: string; missing: number; total: number; at: Instant }[]
}

/** Short enough to leave the desk's own questions room between two of them. */
const ROWS_PER_TURN = 5000

/** Counts the whole ledger a few rows at a time. */
export async function sourceStandings(db: Kysely<SourcesTables>): Promise<SourceStanding[]> {
  const standings = new Map<string, SourceStanding>()
  const of = (source: string): SourceStanding => {
    const known = standings.get(source) ?? nothingOf(source)
    standings.set(source, known)
    return known
  }
  for (const { source, checkpoint, at } of await db.selectFrom('source_checkpoint').selectAll().execute())
    of(source).readAt = checkpoint === '' ? null : at
  for await (const row of ledger(db)) count(of(row.source), row)
  for (const { source, ...brake } of await db
    .selectFrom('source_brake')
    .select(['source', 'type', 'missing', 'total', 'at'])
    .where('confirmed', '=', 0)
    .execute())
    of(source).brakes.push(brake)
  for (const { source, code, places } of await db
    .selectFrom('quarantine')
    .select((e) => ['source', 'code', e.fn.countAll<number>().as('places')])
    .groupBy(['source', 'code'])
    .execute())
    of(source).quarantined.push({ code, places: Number(places) })
  return [...standings.values()].toSorted((a, b) => (a.source < b.source ? -1 : 1))
}

interface Row {
  source: string
  type: string
  id: string
  state: string
  code: string | null
  since: number
}

async function* ledger(db: Kysely<SourcesTables>): AsyncGenerator<Row> {
  let last: Pick<Row, 'source' | 'type' | 'id'> = { source: '', type: '', id: '' }
  for (;;) {
    const { rows } = await sql<Row>`
      SELECT source, type, id, state, code, since FROM source_ledger
      WHERE (source, type, id) > (${last.source}, ${last.type}, ${last.id})
      ORDER BY source, type, id LIMIT ${ROWS_PER_TURN}`.execute(db)
    yield* rows
    last = rows.at(-1) ?? last
    if (rows.length < ROWS_PER_TURN) return
    await turn()
  }
}

function nothingOf(source: string): SourceStanding {
  return { source, readAt: null, records: 0, readable: 0, gone: 0, held: [], quarantined: [], brakes: [] }
}

function count(standing: SourceStanding, { state, code, since }: Row): void {
  standing.records += 1
  if (state === 'active') standing.readable += 1
  else if (state === 'gone') standing.gone += 1
  else {
    const why = code ?? ''
    const held = standing.held.find((one) => one.code === why)
    if (!held) standing.held.push({ code: why, records: 1, oldest: since })
    else {
      held.records += 1
      held.oldest = Math.min(held.oldest, since)
    }
  }
}
