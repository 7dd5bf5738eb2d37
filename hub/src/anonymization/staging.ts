import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api'
import type { Profile } from './profile.ts'
import { compileView, type CompiledView, type Row } from './view/rows.ts'

/** The tables of one build while they are made: what the profile kept, in a DuckDB that lives in memory. */
export class Staging {
  readonly db: DuckDBConnection
  readonly views: CompiledView[]
  readonly #appenders = new Map<string, DuckDBAppender>()
  rows = 0
  private constructor(db: DuckDBConnection, views: CompiledView[]) {
    this.db = db
    this.views = views
  }

  static async open(db: DuckDBConnection, profile: Profile): Promise<Staging> {
    const staging = new Staging(
      db,
      profile.views.map((v) => compileView(v)),
    )
    for (const view of staging.views) {
      const columns = view.columns.map((c) => `"${c.name}" ${c.type === 'decimal' ? 'DOUBLE' : 'VARCHAR'}`)
      await db.run(`CREATE TABLE "${view.name}" (${columns.join(', ')}, seq BIGINT)`)
      staging.#appenders.set(view.name, await db.createAppender(view.name))
    }
    return staging
  }

  add(kept: { resourceType?: unknown }, seq: number): void {
    for (const view of this.views)
      if (view.resource === kept.resourceType)
        for (const row of view.rows(kept)) this.#append(view.name, row, seq)
  }

  #append(view: string, row: Row, seq: number): void {
    const appender = this.#appenders.get(view)
    if (!appender) throw new TypeError('no such view')
    for (const cell of row)
      if (cell === null) appender.appendNull()
      else if (typeof cell === 'number') appender.appendDouble(cell)
      else appender.appendVarchar(cell)
    appender.appendBigInt(BigInt(seq))
    appender.endRow()
    this.rows++
    if (this.rows % 5000 === 0) appender.flushSync()
  }

  finish(): void {
    for (const appender of this.#appenders.values()) appender.closeSync()
    this.#appenders.clear()
  }
}

export async function oneNumber(db: DuckDBConnection, sql: string): Promise<number> {
  const rows = await allRows(db, sql)
  return Number(rows[0]?.[0] ?? 0)
}

export async function allRows(db: DuckDBConnection, sql: string): Promise<unknown[][]> {
  return (await db.runAndReadAll(sql)).getRowsJS()
}
