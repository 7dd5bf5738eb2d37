import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'

export interface OfficeTables {
  /** The last reports that somebody asked for; counts and reasons only. */
  office_report: { kind: string; at: number; by: string; body: string }
}

export type ReportKind = 'dry-run' | 'sources'

export const officeMigrations: readonly Migration[] = [
  {
    name: 'office-001',
    up: (w) => [
      `CREATE TABLE office_report (kind ${w.text} PRIMARY KEY, at ${w.int} NOT NULL, by ${w.text} NOT NULL, body ${w.text} NOT NULL)${w.strict}`,
    ],
  },
]

export async function keepReport(
  tx: Tx<OfficeTables>,
  kind: ReportKind,
  report: { at: number; by: string; body: unknown },
): Promise<void> {
  const row = { at: report.at, by: report.by, body: JSON.stringify(report.body) }
  await tx
    .insertInto('office_report')
    .values({ kind, ...row })
    .onConflict((c) => c.column('kind').doUpdateSet(row))
    .execute()
}

export async function lastReport<T>(
  db: Pick<Kysely<OfficeTables>, 'selectFrom'>,
  kind: ReportKind,
): Promise<{ at: number; by: string; body: T } | null> {
  const row = await db.selectFrom('office_report').selectAll().where('kind', '=', kind).executeTakeFirst()
  return row ? { at: row.at, by: row.by, body: JSON.parse(row.body) as T } : null
}
