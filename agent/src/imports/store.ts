import type { NoticeId, PatientKey } from '@kakehashi/protocol/ids'
import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'

/** `intended`: the register may or may not have it yet; `voided`: the visit was cancelled; `undone`: its import was. */
export type EntryState = 'intended' | 'recorded' | 'voided' | 'undone'

export interface ImportTables {
  import_run: {
    run: string
    kind: string
    source: string
    digest: string
    started_at: number
    started_by: string
    approved_by: string | null
    undone_at: number | null
    undone_by: string | null
  }
  /** One hand-over that some file or message told of. `entry` is the same however often it is told. */
  import_entry: {
    entry: string
    run: string
    line: number
    patient: string
    visit: string | null
    notices: string
    state: string
    confirmed_run: string | null
    at: number
  }
  /** Visits that were cancelled, also those of which no print was heard yet. */
  import_visit: { visit: string; cancelled_at: number }
}

export const importMigrations: readonly Migration[] = [
  {
    name: 'imports-001',
    up: (w) => [
      `CREATE TABLE import_run (run ${w.text} PRIMARY KEY, kind ${w.text} NOT NULL, source ${w.text} NOT NULL, digest ${w.text} NOT NULL, started_at ${w.int} NOT NULL, started_by ${w.text} NOT NULL, approved_by ${w.text}, undone_at ${w.int}, undone_by ${w.text})${w.strict}`,
      `CREATE INDEX import_run_started ON import_run (started_at)`,
      `CREATE TABLE import_entry (entry ${w.text} PRIMARY KEY, run ${w.text} NOT NULL, line ${w.int} NOT NULL, patient ${w.text} NOT NULL, visit ${w.text}, notices ${w.text} NOT NULL, state ${w.text} NOT NULL, confirmed_run ${w.text}, at ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX import_entry_run ON import_entry (run, line)`,
      `CREATE INDEX import_entry_confirmed ON import_entry (confirmed_run) WHERE confirmed_run IS NOT NULL`,
      `CREATE INDEX import_entry_visit ON import_entry (visit) WHERE visit IS NOT NULL`,
      `CREATE TABLE import_visit (visit ${w.text} PRIMARY KEY, cancelled_at ${w.int} NOT NULL)${w.strict}`,
    ],
  },
]

export type ImportReader = Pick<Kysely<ImportTables>, 'selectFrom'>
export type ImportTx = Tx<ImportTables>

export interface Entry {
  entry: string
  run: string
  line: number
  patient: PatientKey
  visit: string | null
  notices: NoticeId[]
  state: EntryState
}

function entryOf(row: ImportTables['import_entry']): Entry {
  return {
    entry: row.entry,
    run: row.run,
    line: row.line,
    patient: row.patient as PatientKey,
    visit: row.visit,
    notices: JSON.parse(row.notices) as NoticeId[],
    state: row.state as EntryState,
  }
}

export async function readEntry(db: ImportReader, entry: string): Promise<Entry | null> {
  const row = await db.selectFrom('import_entry').selectAll().where('entry', '=', entry).executeTakeFirst()
  return row ? entryOf(row) : null
}

export async function entriesOfVisit(db: ImportReader, visit: string): Promise<Entry[]> {
  const rows = await db
    .selectFrom('import_entry')
    .selectAll()
    .where('visit', '=', visit)
    .where('state', 'in', ['recorded', 'intended'])
    .execute()
  return rows.map(entryOf)
}

/** What this run recorded or confirmed, and nobody took back yet. */
export async function entriesOfRun(db: ImportReader, run: string, limit: number): Promise<Entry[]> {
  const rows = await db
    .selectFrom('import_entry')
    .selectAll()
    .where((e) => e.or([e('run', '=', run), e('confirmed_run', '=', run)]))
    .where('state', 'in', ['recorded', 'intended'])
    .orderBy('line')
    .limit(limit)
    .execute()
  return rows.map(entryOf)
}

export async function keepEntry(tx: ImportTx, entry: Entry, now: number): Promise<void> {
  const facts = { run: entry.run, line: entry.line, state: entry.state, visit: entry.visit, at: now }
  await tx
    .insertInto('import_entry')
    .values({
      ...facts,
      entry: entry.entry,
      patient: entry.patient,
      notices: JSON.stringify(entry.notices),
      confirmed_run: null,
    })
    .onConflict((c) =>
      c
        .column('entry')
        .doUpdateSet({ ...facts, notices: JSON.stringify(entry.notices), confirmed_run: null }),
    )
    .execute()
}

export async function settleEntry(
  tx: ImportTx,
  entry: string,
  state: EntryState,
  facts: { notices?: readonly NoticeId[]; confirmedRun?: string } = {},
): Promise<void> {
  await tx
    .updateTable('import_entry')
    .set({
      state,
      ...(facts.notices === undefined ? {} : { notices: JSON.stringify(facts.notices) }),
      ...(facts.confirmedRun === undefined ? {} : { confirmed_run: facts.confirmedRun }),
    })
    .where('entry', '=', entry)
    .execute()
}

export async function visitCancelledAt(db: ImportReader, visit: string): Promise<number | null> {
  const row = await db
    .selectFrom('import_visit')
    .select('cancelled_at')
    .where('visit', '=', visit)
    .executeTakeFirst()
  return row?.cancelled_at ?? null
}

export async function keepCancelledVisit(tx: ImportTx, visit: string, now: number): Promise<void> {
  await tx
    .insertInto('import_visit')
    .values({ visit, cancelled_at: now })
    .onConflict((c) => c.column('visit').doNothing())
    .execute()
}

export interface RunRow {
  run: string
  kind: 'csv' | 'adt'
  source: string
  digest: string
  startedAt: number
  startedBy: string
  undoneAt: number | null
  entries: number
}

export async function recentRuns(db: ImportReader, limit: number): Promise<RunRow[]> {
  const rows = await db
    .selectFrom('import_run as r')
    .selectAll('r')
    .select((e) =>
      e
        .selectFrom('import_entry as x')
        .select((f) => f.fn.countAll<number>().as('n'))
        .whereRef('x.run', '=', 'r.run')
        .as('entries'),
    )
    .orderBy('r.started_at', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    run: row.run,
    kind: row.kind as RunRow['kind'],
    source: row.source,
    digest: row.digest,
    startedAt: row.started_at,
    startedBy: row.started_by,
    undoneAt: row.undone_at,
    entries: row.entries ?? 0,
  }))
}
