import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { text } from '../content/memory.ts'
import type { Profile } from './profile.ts'
import { oneNumber } from './staging.ts'

export const FORMATS = ['parquet', 'csv', 'ndjson'] as const

export interface WrittenTable {
  name: string
  rows: number
  files: string[]
}

/** A spreadsheet runs what begins like a formula: such text gets an apostrophe in front. */
export function formulaSafe(column: string): string {
  return `CASE WHEN regexp_matches(${column}, '^[=+\\-@\\t\\r]') THEN '''' || ${column} ELSE ${column} END`
}

/** Writes each table three times. Rows are ordered by the random pseudonym: the order tells nothing of the source. */
export async function writeTables(
  db: DuckDBConnection,
  profile: Profile,
  directory: string,
): Promise<WrittenTable[]> {
  const written: WrittenTable[] = []
  for (const view of profile.views) {
    const columns = view.select.flatMap((s) => s.column)
    const names = columns.map((c) => `"${c.name}"`)
    const safe = columns.map((c) =>
      c.type === 'decimal' ? `"${c.name}"` : `${formulaSafe(`"${c.name}"`)} AS "${c.name}"`,
    )
    const from = `FROM "${view.name}" ORDER BY ${names.join(', ')}`
    const ordered = names.includes('"person"') ? from.replace('ORDER BY', 'ORDER BY person,') : from
    const file = (format: string): string => join(directory, `${view.name}.${format}`)
    await db.run(
      `COPY (SELECT ${names.join(', ')} ${ordered}) TO ${text(file('parquet'))} (FORMAT parquet, COMPRESSION zstd)`,
    )
    await db.run(
      `COPY (SELECT ${safe.join(', ')} ${ordered}) TO ${text(file('csv'))} (FORMAT csv, HEADER true)`,
    )
    await db.run(`COPY (SELECT ${names.join(', ')} ${ordered}) TO ${text(file('ndjson'))} (FORMAT json)`)
    written.push({
      name: view.name,
      rows: await oneNumber(db, `SELECT count(*) FROM "${view.name}"`),
      files: FORMATS.map((format) => `tables/${view.name}.${format}`),
    })
  }
  return written
}
