import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { SqliteDialect, type SqliteDatabase, type SqliteStatement } from 'kysely'

const STATEMENTS_MAX = 256
/** A kept statement keeps what was last bound to it: those with hundreds of rows are prepared anew. */
const KEPT_TEXT_MAX = 1000
const PAGES_KIB = 4096

/** Our transactions write: taking the lock first waits for another process, where taking it later would fail. */
const BEGIN_WRITING = 'begin immediate'

/** What Kysely's SQLite dialect asks of a driver, over `node:sqlite`, with prepared statements kept. */
class Adapter implements SqliteDatabase {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, Statement>()
  constructor(db: DatabaseSync) {
    this.#db = db
  }
  prepare(asked: string): SqliteStatement {
    const text = asked === 'begin' ? BEGIN_WRITING : asked
    if (text === 'rollback' && !(this.#db.isOpen && this.#db.isTransaction)) return NOTHING_TO_UNDO
    const kept = this.#statements.get(text)
    if (kept) return kept
    if (this.#statements.size >= STATEMENTS_MAX) this.#statements.clear()
    const fresh = new Statement(this.#db.prepare(text))
    if (text.length <= KEPT_TEXT_MAX) this.#statements.set(text, fresh)
    return fresh
  }
  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }
}

/** On a full or failing disk SQLite undoes the transaction itself; an error of the second undoing would hide the first. */
const NOTHING_TO_UNDO: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [][Symbol.iterator](),
}

class Statement implements SqliteStatement {
  readonly #statement: StatementSync
  readonly reader: boolean
  constructor(statement: StatementSync) {
    this.#statement = statement
    this.reader = statement.columns().length > 0
  }
  all(parameters: ReadonlyArray<unknown>): unknown[] {
    return this.#statement.all(...(parameters as never[]))
  }
  run(parameters: ReadonlyArray<unknown>): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...(parameters as never[]))
  }
  iterate(parameters: ReadonlyArray<unknown>): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as never[])) as IterableIterator<unknown>
  }
}

/**
 * Durability before speed: WAL with `synchronous=FULL`, so that what was committed survives power loss; deleted
 * content is overwritten (`secure_delete`), and foreign keys are enforced.
 */
export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  db.exec(`
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -${PAGES_KIB};
  `)
  return db
}

export function sqliteDialect(db: DatabaseSync): SqliteDialect {
  return new SqliteDialect({ database: new Adapter(db) })
}
