import { createHash } from 'node:crypto'
import { sql, type Kysely } from 'kysely'

/** Words of the two engines' column types, so that one migration text serves both. */
export interface Words {
  int: string
  text: string
  bytes: string
  real: string
  /** Ends a `CREATE TABLE`: ` STRICT` on SQLite, nothing on PostgreSQL. */
  strict: string
}

export const SQLITE_WORDS: Words = {
  int: 'INTEGER',
  text: 'TEXT',
  bytes: 'BLOB',
  real: 'REAL',
  strict: ' STRICT',
}
export const POSTGRES_WORDS: Words = {
  int: 'BIGINT',
  text: 'TEXT',
  bytes: 'BYTEA',
  real: 'DOUBLE PRECISION',
  strict: '',
}

/** Append-only: once shipped, a migration is never edited; its hash is pinned in every database it ran on. */
export interface Migration {
  name: string
  up: (words: Words) => string[]
}

export class MigrationChanged extends Error {
  override name = 'MigrationChanged'
}

interface MigrationTable {
  migration: { name: string; hash: string; ran_at: number }
}

/**
 * Brings the database to the newest migration, each in its own transaction.
 * Throws {@link MigrationChanged} when a migration that ran before has another text now, or is missing.
 */
export async function migrate(
  db: Kysely<unknown>,
  words: Words,
  migrations: readonly Migration[],
  now: number,
): Promise<void> {
  const own = db as Kysely<MigrationTable>
  await sql
    .raw(
      `CREATE TABLE IF NOT EXISTS migration (name ${words.text} PRIMARY KEY, hash ${words.text} NOT NULL, ran_at ${words.int} NOT NULL)${words.strict}`,
    )
    .execute(db)
  const ran = new Map(
    (await own.selectFrom('migration').selectAll().execute()).map((row) => [row.name, row.hash]),
  )
  for (const migration of migrations) {
    const hash = createHash('sha256').update(migration.up(SQLITE_WORDS).join(';\n')).digest('hex')
    const before = ran.get(migration.name)
    ran.delete(migration.name)
    if (before === hash) continue
    if (before !== undefined)
      throw new MigrationChanged(`migration ${migration.name} was edited after it ran`)
    await own.transaction().execute(async (tx) => {
      for (const statement of migration.up(words)) await sql.raw(statement).execute(tx)
      await tx.insertInto('migration').values({ name: migration.name, hash, ran_at: now }).execute()
    })
  }
  const [unknown] = ran.keys()
  if (unknown !== undefined)
    throw new MigrationChanged(`the database ran migration ${unknown}, which this version does not know`)
}
