import type { NoticeId, PatientKey, StopHandle } from '@kakehashi/protocol/ids'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'

/** `printed` lies ready; `handed` has a notice in the register; `voided` was a misprint, its number means nobody. */
export type PaperState = 'printed' | 'handed' | 'posted' | 'voided'

export interface PaperTables {
  /** One sheet printed for one person. Its token is on the paper only; here stands what the token turns into. */
  printed_paper: {
    paper: string
    handle: string
    patient: string
    kind: string
    track: string
    version: number
    hash: string
    language: string
    run: string
    printed_at: number
    printed_by: string
    state: string
    notices: string
    moved_at: number
    moved_by: string
  }
}

export const paperMigrations: readonly Migration[] = [
  {
    name: 'papers-001',
    up: (w) => [
      `CREATE TABLE printed_paper (paper ${w.text} PRIMARY KEY, handle ${w.text} NOT NULL UNIQUE, patient ${w.text} NOT NULL, kind ${w.text} NOT NULL, track ${w.text} NOT NULL, version ${w.int} NOT NULL, hash ${w.text} NOT NULL, language ${w.text} NOT NULL, run ${w.text} NOT NULL, printed_at ${w.int} NOT NULL, printed_by ${w.text} NOT NULL, state ${w.text} NOT NULL CHECK (state IN ('printed', 'handed', 'posted', 'voided')), notices ${w.text} NOT NULL, moved_at ${w.int} NOT NULL, moved_by ${w.text} NOT NULL)${w.strict}`,
      `CREATE INDEX printed_paper_patient ON printed_paper (patient, state)`,
      `CREATE INDEX printed_paper_run ON printed_paper (run, paper)`,
      `CREATE INDEX printed_paper_printed ON printed_paper (printed_at)`,
    ],
  },
]

export type PaperReader = Pick<Kysely<PaperTables>, 'selectFrom'>
export type PaperTx = Tx<PaperTables>

export interface PrintedPaper {
  paper: string
  handle: StopHandle
  patient: PatientKey
  kind: 'notice' | 'letter'
  version: number
  hash: string
  language: NoticeLanguage
  run: string
  printedAt: number
  state: PaperState
  notices: NoticeId[]
}

function paperOf(row: PaperTables['printed_paper']): PrintedPaper {
  return {
    paper: row.paper,
    handle: row.handle as StopHandle,
    patient: row.patient as PatientKey,
    kind: row.kind as PrintedPaper['kind'],
    version: row.version,
    hash: row.hash,
    language: row.language as NoticeLanguage,
    run: row.run,
    printedAt: row.printed_at,
    state: row.state as PaperState,
    notices: JSON.parse(row.notices) as NoticeId[],
  }
}

export async function keepPaper(
  tx: PaperTx,
  paper: Omit<PrintedPaper, 'state' | 'notices'> & { track: string; by: string },
): Promise<void> {
  const { printedAt, by, ...facts } = paper
  await tx
    .insertInto('printed_paper')
    .values({
      ...facts,
      printed_at: printedAt,
      printed_by: by,
      state: 'printed',
      notices: '[]',
      moved_at: printedAt,
      moved_by: by,
    })
    .execute()
}

export async function readPaper(db: PaperReader, paper: string): Promise<PrintedPaper | null> {
  const row = await db.selectFrom('printed_paper').selectAll().where('paper', '=', paper).executeTakeFirst()
  return row ? paperOf(row) : null
}

/** Whose sheet bears the token of this handle; a misprint bears nobody's. */
export async function patientOfPaper(db: PaperReader, handle: StopHandle): Promise<PatientKey | null> {
  const row = await db
    .selectFrom('printed_paper')
    .select('patient')
    .where('handle', '=', handle)
    .where('state', '!=', 'voided')
    .executeTakeFirst()
  return (row?.patient ?? null) as PatientKey | null
}

/** A sheet of this version that was printed for them and neither handed over nor voided. */
export async function liesReady(
  db: PaperReader,
  patient: PatientKey,
  kind: PrintedPaper['kind'],
  version: number,
): Promise<boolean> {
  const row = await db
    .selectFrom('printed_paper')
    .select('paper')
    .where('patient', '=', patient)
    .where('state', '=', 'printed')
    .where('kind', '=', kind)
    .where('version', '=', version)
    .executeTakeFirst()
  return row !== undefined
}

export async function papersOfRun(db: PaperReader, run: string): Promise<PrintedPaper[]> {
  const rows = await db
    .selectFrom('printed_paper')
    .selectAll()
    .where('run', '=', run)
    .orderBy('paper')
    .execute()
  return rows.map(paperOf)
}

/** False when it is no longer where the caller thought. */
export async function movePaper(
  tx: PaperTx,
  paper: string,
  to: { state: PaperState; notices?: readonly NoticeId[]; by: string; now: number },
): Promise<boolean> {
  const done = await tx
    .updateTable('printed_paper')
    .set({
      state: to.state,
      moved_at: to.now,
      moved_by: to.by,
      ...(to.notices === undefined ? {} : { notices: JSON.stringify(to.notices) }),
    })
    .where('paper', '=', paper)
    .where('state', '=', 'printed')
    .executeTakeFirst()
  return Number(done.numUpdatedRows) === 1
}

export interface PrintRun {
  run: string
  kind: PrintedPaper['kind']
  printedAt: number
  printedBy: string
  papers: number
  printed: number
  voided: number
}

export async function recentPrintRuns(db: PaperReader, limit: number): Promise<PrintRun[]> {
  const rows = await db
    .selectFrom('printed_paper')
    .select((e) => [
      'run',
      e.fn.min('kind').as('kind'),
      e.fn.min('printed_at').as('at'),
      e.fn.min('printed_by').as('by'),
      e.fn.countAll<number>().as('papers'),
      e.fn.sum<number>(e.case().when('state', '=', 'printed').then(1).else(0).end()).as('printed'),
      e.fn.sum<number>(e.case().when('state', '=', 'voided').then(1).else(0).end()).as('voided'),
    ])
    .groupBy('run')
    .orderBy('at', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    run: row.run,
    kind: row.kind as PrintedPaper['kind'],
    printedAt: Number(row.at),
    printedBy: String(row.by),
    papers: Number(row.papers),
    printed: Number(row.printed),
    voided: Number(row.voided),
  }))
}
