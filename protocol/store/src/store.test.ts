import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemEnv } from '@kakehashi/protocol/env'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { verifyAuditTable } from './audit-log.ts'
import type { AuditTables } from './audit.ts'
import { closeFresh, ENGINES, freshFolder, freshLocation } from './location.fixture.ts'
import type { Migration } from './migrate.ts'
import { openStore, type Store } from './store.ts'

interface Tables {
  counter: { name: string; value: number }
}

const MIGRATIONS: Migration[] = [
  {
    name: '001-counter',
    up: (w) => [
      `CREATE TABLE counter (name ${w.text} PRIMARY KEY, value ${w.int} NOT NULL)${w.strict}`,
      `INSERT INTO counter (name, value) VALUES ('a', 0)`,
    ],
  },
]

const env = systemEnv()
const event = { act: 'counter.raised', actor: 'test' }

async function valueOf(store: Store<Tables>): Promise<number> {
  const row = await store.db
    .selectFrom('counter')
    .select('value')
    .where('name', '=', 'a')
    .executeTakeFirstOrThrow()
  return Number(row.value)
}

async function leavesOf(store: Store<Tables & AuditTables>): Promise<{ seq: number; leaf: string }[]> {
  const rows = await store.db.selectFrom('audit_leaf').selectAll().orderBy('seq').execute()
  return rows.map((row) => ({ seq: row.seq, leaf: Buffer.from(row.leaf).toString('utf8') }))
}

const raise = (store: Store<Tables>, by = 1) =>
  store.transact(event, async (tx) => {
    const { value } = await tx
      .selectFrom('counter')
      .select('value')
      .where('name', '=', 'a')
      .executeTakeFirstOrThrow()
    await tx
      .updateTable('counter')
      .set({ value: Number(value) + by })
      .where('name', '=', 'a')
      .execute()
    return Number(value) + by
  })

describe.each(ENGINES)('store on %s', (engine) => {
  async function withStore(work: (store: Store<Tables & AuditTables>) => Promise<void>): Promise<void> {
    const at = freshLocation(engine)
    const store = await openStore<Tables>(at, MIGRATIONS, env)
    try {
      await work(store)
    } finally {
      await closeFresh(store, at)
    }
  }

  test('S8 change and leaf commit together', () =>
    withStore(async (store) => {
      expect(await raise(store)).toBe(1)
      expect(await valueOf(store)).toBe(1)
      const [leaf, ...others] = await leavesOf(store)
      expect(others).toEqual([])
      expect(JSON.parse(leaf!.leaf)).toMatchObject({ seq: 0, ...event })
    }))

  test('S8 a change that fails leaves neither change nor leaf', () =>
    withStore(async (store) => {
      const failing = store.transact(event, async (tx) => {
        await tx.updateTable('counter').set({ value: 7 }).execute()
        throw new Error('after the write')
      })
      await expect(failing).rejects.toThrow('after the write')
      expect(await valueOf(store)).toBe(0)
      expect(await leavesOf(store)).toEqual([])
    }))

  test('S8 a leaf that cannot be written takes its change back', () =>
    withStore(async (store) => {
      const tooLong = { ...event, detail: { text: 'x'.repeat(70_000) } }
      const failing = store.transact(tooLong, async (tx) =>
        tx.updateTable('counter').set({ value: 7 }).execute(),
      )
      await expect(failing).rejects.toThrow(RangeError)
      expect(await valueOf(store)).toBe(0)
    }))

  test('an event may be told from the result; null says that nothing happened', () =>
    withStore(async (store) => {
      await store.transact(
        (value: number) => ({ ...event, detail: { value } }),
        async () => 5,
      )
      await store.transact(
        () => null,
        async () => 6,
      )
      await store.bookkeep(async (tx) => tx.updateTable('counter').set({ value: 3 }).execute())
      const leaves = await leavesOf(store)
      expect(leaves).toHaveLength(1)
      expect(JSON.parse(leaves[0]!.leaf)).toMatchObject({ detail: { value: 5 } })
      expect(await valueOf(store)).toBe(3)
    }))

  test('40 changes at once: none is lost, leaves have no gap', () =>
    withStore(async (store) => {
      await Promise.all(Array.from({ length: 40 }, () => raise(store)))
      expect(await valueOf(store)).toBe(40)
      expect((await leavesOf(store)).map((leaf) => leaf.seq)).toEqual(Array.from({ length: 40 }, (_, i) => i))
      expect(await verifyAuditTable(store)).toMatchObject({ ok: true, size: 40 })
    }))

  test('bookkeeping that runs into another is tried again', () =>
    withStore(async (store) => {
      const step = () =>
        store.bookkeep(async (tx) => {
          const { value } = await tx.selectFrom('counter').select('value').executeTakeFirstOrThrow()
          await tx
            .updateTable('counter')
            .set({ value: Number(value) + 1 })
            .execute()
        })
      await Promise.all(Array.from({ length: 8 }, step))
      expect(await valueOf(store)).toBe(8)
    }))

  test('one statement alone keeps out of an open transaction, and what that undoes', () =>
    withStore(async (store) => {
      const set = (value: number) =>
        store.bookkeepOne((db) => db.updateTable('counter').set({ value }).execute())
      await set(3)
      let alone: Promise<unknown> | null = null
      const undone = store.bookkeep(async (tx) => {
        await tx.updateTable('counter').set({ value: 4 }).execute()
        alone = set(5)
        throw new Error('undone')
      })
      await expect(undone).rejects.toThrow('undone')
      await alone
      expect(await valueOf(store)).toBe(5)
      expect(await leavesOf(store)).toEqual([])
    }))
})

test('two stores on one file: what one writes the other sees, and neither loses a change', async () => {
  using folder = freshFolder()
  const path = join(folder.path, 'store.db')
  const [one, two] = [
    await openStore<Tables>(path, MIGRATIONS, env),
    await openStore<Tables>(path, MIGRATIONS, env),
  ]
  for (let i = 0; i < 10; i++) await raise(i % 2 === 0 ? one : two)
  expect(await valueOf(one)).toBe(10)
  expect((await leavesOf(two)).map((leaf) => leaf.seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await one.close()
  await two.close()
})

test('S7 a file store keeps write-ahead log, full sync, foreign keys and overwriting of deleted content', async () => {
  using folder = freshFolder()
  const store = await openStore<Tables>(join(folder.path, 'store.db'), MIGRATIONS, env)
  const pragma = async (name: string): Promise<unknown> => {
    const { rows } = await sql<Record<string, unknown>>`PRAGMA ${sql.raw(name)}`.execute(store.db)
    return Object.values(rows[0] ?? {})[0]
  }
  expect(await pragma('journal_mode')).toBe('wal')
  expect(await pragma('synchronous')).toBe(2)
  expect(await pragma('foreign_keys')).toBe(1)
  expect(await pragma('secure_delete')).toBe(1)
  await store.close()
})

test('S5 after an erasure and a scrub no byte of what was deleted is left in the files', async () => {
  using folder = freshFolder()
  const store = await openStore<Tables>(join(folder.path, 'store.db'), MIGRATIONS, env)
  const marker = 'planted-name-of-a-person'
  const found = (): string[] =>
    readdirSync(folder.path).filter((name) => readFileSync(join(folder.path, name)).includes(marker))
  await store.bookkeep(async (tx) => {
    for (let i = 0; i < 200; i++)
      await tx
        .insertInto('counter')
        .values({ name: `${marker}-${i}`, value: i })
        .execute()
  })
  await store.bookkeep((tx) => tx.deleteFrom('counter').where('name', 'like', `${marker}%`).execute())
  expect(found()).not.toEqual([])
  expect(await store.scrub()).toBe(true)
  expect(found()).toEqual([])
  await store.close()
})
