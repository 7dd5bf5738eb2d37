import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import { systemEnv } from '@kakehashi/protocol/env'
import { leafHash, verifyConsistency, verifyInclusion } from '@kakehashi/protocol/merkle'
import { newSigningKey } from '@kakehashi/protocol/signing'
import { describe, expect, test } from 'vitest'
import {
  checkpointOf,
  consistencyOf,
  inclusionOf,
  LogForked,
  publishLog,
  recoverLeaves,
  verifyAuditLog,
  verifyAuditTable,
} from './audit-log.ts'
import { appendLeaf, type AuditTables } from './audit.ts'
import { closeFresh, ENGINES, freshFolder, freshLocation } from './location.fixture.ts'
import { openStore, type Store } from './store.ts'
import { tilePath } from './tiles.ts'

const env = systemEnv()
const ORIGIN = 'kakehashi.example/test'
const key = newSigningKey(env)

/** Many leaves in one transaction: the log does not care how they came in. */
async function grow(store: Store<AuditTables>, leaves: number): Promise<void> {
  await store.bookkeep(async (tx) => {
    for (let i = 0; i < leaves; i++)
      await appendLeaf(tx, { act: 'test.grown', actor: 'test', detail: { i } }, 1)
  })
}

async function logOf(
  leaves: number,
): Promise<{ store: Store<AuditTables>; folder: ReturnType<typeof freshFolder> }> {
  const store = await openStore(freshLocation('sqlite'), [], env)
  await grow(store, leaves)
  const folder = freshFolder()
  await publishLog(store, folder.path, ORIGIN, key)
  return { store, folder }
}

const verdict = (dir: string) => verifyAuditLog(dir, ORIGIN, key.public)

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = bytes[at]! ^ 1
  writeFileSync(path, bytes)
}

describe.each(ENGINES)('published log on %s', (engine) => {
  test('grows, verifies at every size, and needs only files and the public key', async () => {
    const at = freshLocation(engine)
    const store = await openStore(at, [], env)
    using folder = freshFolder()
    let size = 0
    for (const more of [0, 1, 254, 1, 1, 60]) {
      await grow(store, more)
      size += more
      const note = await publishLog(store, folder.path, ORIGIN, key)
      expect(verifyCheckpoint(note, ORIGIN, key.public)?.size).toBe(size)
      expect(verdict(folder.path)).toMatchObject({ ok: true, size, problems: [] })
      expect(await checkpointOf(store, ORIGIN, key)).toBe(note)
    }
    await closeFresh(store, at)
  }, 60_000)
})

test('files follow the tlog-tiles names; complete tiles lose their partial forms', async () => {
  expect(tilePath(0, 1_234_067)).toBe('tile/0/x001/x234/067')
  expect(tilePath('entries', 5, 12)).toBe('tile/entries/005.p/12')
  const { store, folder } = await logOf(100)
  using _ = folder
  await grow(store, 500)
  await publishLog(store, folder.path, ORIGIN, key)
  expect(readdirSync(join(folder.path, 'tile/0')).toSorted()).toEqual(['000', '001', '002.p'])
  expect(readdirSync(join(folder.path, 'tile/1/000.p'))).toEqual(['2'])
})

test('publishing catches up from a run that was cut short, whatever it left behind', async () => {
  const { store, folder } = await logOf(10)
  using _ = folder
  const stale = join(folder.path, tilePath(0, 0))
  writeFileSync(stale, new Uint8Array(256 * 32))
  writeFileSync(join(folder.path, tilePath('entries', 0)), 'stale')
  await grow(store, 600)
  await publishLog(store, folder.path, ORIGIN, key)
  expect(verdict(folder.path)).toMatchObject({ ok: true, size: 610 })
})

test('publishing twice without news changes nothing', async () => {
  const { store, folder } = await logOf(300)
  using _ = folder
  const note = readFileSync(join(folder.path, 'checkpoint'), 'utf8')
  expect(await publishLog(store, folder.path, ORIGIN, key)).toBe(note)
  expect(verdict(folder.path)).toMatchObject({ ok: true, size: 300 })
})

test('S8 a restored, shorter table is not signed over; the published leaves are put back and the log goes on', async () => {
  const { store, folder } = await logOf(600)
  using _ = folder
  const restored = await openStore(freshLocation('sqlite'), [], env)
  await grow(restored, 270)
  await expect(publishLog(restored, folder.path, ORIGIN, key)).rejects.toThrow(LogForked)
  expect(await recoverLeaves(restored, folder.path, ORIGIN, key.public)).toBe(330)
  expect(await recoverLeaves(restored, folder.path, ORIGIN, key.public)).toBe(0)
  await grow(restored, 5)
  await publishLog(restored, folder.path, ORIGIN, key)
  expect(verdict(folder.path)).toMatchObject({ ok: true, size: 605 })
  expect(await verifyAuditTable(restored)).toMatchObject({ ok: true, size: 605 })
  await store.close()
})

test('S8 a table that went another way is neither signed nor mended', async () => {
  const { folder } = await logOf(20)
  using _ = folder
  const other = await openStore(freshLocation('sqlite'), [], env)
  await other.transact({ act: 'test.other', actor: 'test' }, async () => {})
  using empty = freshFolder()
  expect(await recoverLeaves(other, empty.path, ORIGIN, key.public)).toBe(0)
  await expect(publishLog(other, folder.path, ORIGIN, key)).rejects.toThrow(LogForked)
  await expect(recoverLeaves(other, folder.path, ORIGIN, key.public)).rejects.toThrow('no beginning')
  await grow(other, 40)
  await expect(publishLog(other, folder.path, ORIGIN, key)).rejects.toThrow(LogForked)
  expect(await recoverLeaves(other, folder.path, ORIGIN, key.public)).toBe(0)
})

test('two who ask for a checkpoint at once get the same', async () => {
  const { store, folder } = await logOf(1500)
  using _ = folder
  const notes = await Promise.all([1, 2, 3].map(() => checkpointOf(store, ORIGIN, key)))
  expect(new Set(notes).size).toBe(1)
})

test('an altered leaf is named', async () => {
  const { folder } = await logOf(300)
  using _ = folder
  const path = join(folder.path, tilePath('entries', 1, 44))
  const text = readFileSync(path).toString('latin1')
  writeFileSync(path, Buffer.from(text.replace('"i":290', '"i":999'), 'latin1'))
  expect(verdict(folder.path)).toMatchObject({ ok: false, problems: [{ seq: 290, what: 'leaf-altered' }] })
})

test('an altered hash is told from an altered leaf', async () => {
  const { folder } = await logOf(300)
  using _ = folder
  flip(join(folder.path, tilePath(0, 1, 44)), 32 * 7)
  expect(verdict(folder.path).problems).toEqual([{ seq: 263, what: 'hash-altered' }])
})

test('a leaf altered together with its hash is found by the level above', async () => {
  const { folder } = await logOf(600)
  using _ = folder
  const entries = join(folder.path, tilePath('entries', 1))
  const text = readFileSync(entries).toString('latin1').replace('"i":300', '"i":999')
  writeFileSync(entries, Buffer.from(text, 'latin1'))
  const leaf = Buffer.from(/\{[^{]*\{"i":999\}[^}]*\}/.exec(text)![0], 'latin1')
  const hashes = readFileSync(join(folder.path, tilePath(0, 1)))
  hashes.set(leafHash(leaf), 32 * (300 - 256))
  writeFileSync(join(folder.path, tilePath(0, 1)), hashes)
  expect(verdict(folder.path).problems).toEqual([
    { seq: 256, what: 'tile-altered' },
    { seq: null, what: 'root-differs' },
  ])
})

test('missing files, a cut log, a foreign or altered checkpoint are told', async () => {
  const { store, folder } = await logOf(300)
  using _ = folder
  expect(verifyAuditLog(folder.path, 'other.example', key.public).problems[0]?.what).toBe(
    'checkpoint-invalid',
  )
  expect(verifyAuditLog(folder.path, ORIGIN, newSigningKey(env).public).ok).toBe(false)
  using empty = freshFolder()
  expect(verdict(empty.path).problems).toEqual([{ seq: null, what: 'checkpoint-missing' }])
  writeFileSync(join(folder.path, tilePath(0, 1, 44)), new Uint8Array(32 * 43))
  expect(verdict(folder.path).problems[0]).toEqual({ seq: 256, what: 'tile-damaged' })
  await publishLog(store, empty.path, ORIGIN, key)
  flip(join(empty.path, 'checkpoint'), ORIGIN.length + 1)
  expect(verdict(empty.path).problems[0]?.what).toBe('checkpoint-invalid')
})

test('an altered row of the table is named', async () => {
  const altered = await logOf(20)
  using _ = altered.folder
  await altered.store.bookkeep(async (tx) =>
    tx
      .updateTable('audit_leaf')
      .set({ leaf: Buffer.from('{"seq":7}') })
      .where('seq', '=', 7)
      .execute(),
  )
  expect(await verifyAuditTable(altered.store)).toMatchObject({
    problems: [{ seq: 7, what: 'leaf-altered' }],
  })
})

test('a removed row of the table is named, and no checkpoint is signed over the gap', async () => {
  const removed = await logOf(20)
  using _ = removed.folder
  await removed.store.bookkeep(async (tx) => tx.deleteFrom('audit_leaf').where('seq', '=', 7).execute())
  expect((await verifyAuditTable(removed.store)).problems[0]).toEqual({ seq: 8, what: 'leaf-out-of-place' })
  await expect(publishLog(removed.store, removed.folder.path, ORIGIN, key)).rejects.toThrow('7 is missing')
})

test('proofs from the store verify against its checkpoints', async () => {
  const { store, folder } = await logOf(70)
  using _ = folder
  const before = verifyCheckpoint(await checkpointOf(store, ORIGIN, key), ORIGIN, key.public)!
  await grow(store, 30)
  const after = verifyCheckpoint(await checkpointOf(store, ORIGIN, key), ORIGIN, key.public)!
  const row = await store.db
    .selectFrom('audit_leaf')
    .selectAll()
    .where('seq', '=', 33)
    .executeTakeFirstOrThrow()
  expect(verifyInclusion(leafHash(row.leaf), 33, 100, await inclusionOf(store, 33, 100), after.root)).toBe(
    true,
  )
  const proof = await consistencyOf(store, 70, 100)
  expect(verifyConsistency(70, 100, before.root, after.root, proof)).toBe(true)
  await expect(inclusionOf(store, 0, 101)).rejects.toThrow(RangeError)
})
