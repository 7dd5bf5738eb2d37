import { systemEnv } from '@kakehashi/protocol/env'
import { Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { closeFresh, ENGINES, freshLocation } from './location.fixture.ts'
import { MigrationChanged, type Migration } from './migrate.ts'
import { openStore, type Location } from './store.ts'

const env = systemEnv()

const FIRST: Migration = {
  name: '001-first',
  up: (w) => [`CREATE TABLE first (id ${w.int} PRIMARY KEY)${w.strict}`],
}
const SECOND: Migration = {
  name: '002-second',
  up: (w) => [`CREATE TABLE second (id ${w.int} PRIMARY KEY, bytes ${w.bytes}, real_ ${w.real})${w.strict}`],
}
const BROKEN: Migration = {
  name: '002-second',
  up: (w) => [`CREATE TABLE second (id ${w.int} PRIMARY KEY)${w.strict}`, 'INSERT INTO nowhere VALUES (1)'],
}

async function rowsIn(db: Kysely<never>, table: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM ${sql.table(table)}`.execute(db)
  return Number(rows[0]?.n)
}

describe.each(ENGINES)('migrations on %s', (engine) => {
  /** The same place opened again and again: on SQLite one database in memory, on PostgreSQL one schema. */
  async function at(work: (location: Location) => Promise<void>): Promise<void> {
    const location = freshLocation(engine)
    const keeper = await openStore(location, [], env)
    try {
      await work(location)
    } finally {
      await closeFresh(keeper, location)
    }
  }

  test('from every earlier version to the newest, data kept', () =>
    at(async (location) => {
      const old = await openStore<{ first: { id: number } }>(location, [FIRST], env)
      await old.bookkeep(async (tx) => tx.insertInto('first').values({ id: 1 }).execute())
      const fresh = await openStore(location, [FIRST, SECOND], env)
      expect(await rowsIn(fresh.db as never, 'first')).toBe(1)
      expect(await rowsIn(fresh.db as never, 'second')).toBe(0)
      expect(await rowsIn(fresh.db as never, 'migration')).toBe(3)
    }))

  test('a migration that was edited after it ran is refused by name', () =>
    at(async (location) => {
      await openStore(location, [FIRST], env)
      const edited = { ...FIRST, up: () => ['CREATE TABLE first (id INTEGER)'] }
      await expect(openStore(location, [edited], env)).rejects.toThrow(MigrationChanged)
      await expect(openStore(location, [edited], env)).rejects.toThrow('001-first')
    }))

  test('a database newer than the program is refused', () =>
    at(async (location) => {
      await openStore(location, [FIRST, SECOND], env)
      await expect(openStore(location, [FIRST], env)).rejects.toThrow('002-second')
    }))

  test('a migration that fails half-way leaves nothing behind and can be run again', () =>
    at(async (location) => {
      await expect(openStore(location, [FIRST, BROKEN], env)).rejects.toThrow('nowhere')
      const repaired = await openStore(location, [FIRST, SECOND], env)
      expect(await rowsIn(repaired.db as never, 'second')).toBe(0)
    }))
})
