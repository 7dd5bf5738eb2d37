import type { DatabaseSync } from 'node:sqlite'
import type { Env } from '@kakehashi/protocol/env'
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'
import { appendLeaf, auditMigration, type AuditEvent, type AuditTables } from './audit.ts'
import { migrate, POSTGRES_WORDS, SQLITE_WORDS, type Migration } from './migrate.ts'
import { openDatabase, sqliteDialect } from './sqlite.ts'

/** A file path (SQLite), an open SQLite database (simulation), or a PostgreSQL schema. */
export type Location = string | DatabaseSync | { postgres: string; schema: string }

export type Tx<DB> = Transaction<DB>

/**
 * One store of one process. Reading is free; writing goes through {@link Store.transact}, which cannot be called
 * without saying what happened: the change and its audit leaf commit together or not at all.
 */
export class Store<DB> {
  readonly db: Kysely<DB>
  readonly env: Env
  readonly engine: 'sqlite' | 'postgres'
  constructor(db: Kysely<DB>, env: Env, engine: 'sqlite' | 'postgres') {
    this.db = db
    this.env = env
    this.engine = engine
  }

  /**
   * Runs `change` in one serializable transaction with one audit leaf. Leaves are numbered without gaps, so these
   * transactions run one after another; on PostgreSQL the lock comes before the first read fixes what is seen. `event` may be a function of the result, for
   * counts that are known only afterwards; when it returns `null` nothing changed and no leaf is written.
   */
  async transact<T>(
    event: AuditEvent | ((result: T) => AuditEvent | null),
    change: (tx: Tx<DB>) => Promise<T>,
  ): Promise<T> {
    return this.#retrying(async (tx) => {
      if (this.engine === 'postgres') await sql`LOCK TABLE audit_leaf IN EXCLUSIVE MODE`.execute(tx)
      const result = await change(tx)
      const leaf = typeof event === 'function' ? event(result) : event
      if (leaf) await appendLeaf(tx as unknown as Transaction<AuditTables>, leaf, this.env.now())
      return result
    })
  }

  /** A transaction whose change is no event of its own: caches, cursors, queue bookkeeping. Leaves no leaf. */
  async bookkeep<T>(change: (tx: Tx<DB>) => Promise<T>): Promise<T> {
    return this.#retrying(change)
  }

  /** Like {@link bookkeep} for one single statement, which is a transaction of its own: nothing is begun and ended around it. */
  async bookkeepOne<T>(statement: (db: Kysely<DB>) => Promise<T>): Promise<T> {
    return retrying(() => statement(this.db))
  }

  /**
   * Call after an erasure: SQLite overwrote what was deleted, but the write-ahead log keeps earlier pages until it is
   * emptied. True when nothing deleted is left in the files; false while another process reads, and always on
   * PostgreSQL, where vacuum and the keeping of its log are the administrator's.
   */
  async scrub(): Promise<boolean> {
    if (this.engine === 'postgres') return false
    const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(this.db)
    return rows[0]?.busy === 0
  }

  async close(): Promise<void> {
    await this.db.destroy()
  }

  async #retrying<T>(change: (tx: Tx<DB>) => Promise<T>): Promise<T> {
    return retrying(() => {
      const open = this.db.transaction()
      return (this.engine === 'postgres' ? open.setIsolationLevel('serializable') : open).execute(change)
    })
  }
}

async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= 20 || !isPassing(error)) throw error
    }
  }
}

/** Any store has an audit table; here its other tables do not matter. */
export function audited<DB extends AuditTables>(store: Store<DB>): Store<AuditTables> {
  return store as unknown as Store<AuditTables>
}

const SQLITE_BUSY = 5

/** Another transaction won (PostgreSQL), or another process wrote between our reading and writing (SQLite). */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  if (code === '40001' || code === '40P01') return true
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_BUSY
}

/** Opens the store and brings it to its newest migration. The audit table comes first in every store. */
export async function openStore<DB>(
  location: Location,
  migrations: readonly Migration[],
  env: Env,
): Promise<Store<DB & AuditTables>> {
  const all = [auditMigration, ...migrations]
  if (typeof location === 'object' && 'postgres' in location) {
    const db = await openPostgres(location)
    await migrate(db, POSTGRES_WORDS, all, env.now())
    return new Store(db as Kysely<DB & AuditTables>, env, 'postgres')
  }
  const file = typeof location === 'string' ? openDatabase(location) : location
  const db = new Kysely<unknown>({ dialect: sqliteDialect(file) })
  await migrate(db, SQLITE_WORDS, all, env.now())
  return new Store(db as Kysely<DB & AuditTables>, env, 'sqlite')
}

async function openPostgres(at: { postgres: string; schema: string }): Promise<Kysely<unknown>> {
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(at.schema)) throw new Error('not a schema name')
  const types = new pg.TypeOverrides()
  types.setTypeParser(pg.types.builtins.INT8, Number)
  types.setTypeParser(pg.types.builtins.NUMERIC, Number)
  const pool = new pg.Pool({
    connectionString: at.postgres,
    options: `-c search_path=${at.schema} -c synchronous_commit=on`,
    types,
    max: 8,
  })
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  await sql.raw(`CREATE SCHEMA IF NOT EXISTS ${at.schema}`).execute(db)
  return db
}
