import { join } from 'node:path'
import { signCheckpoint } from '@kakehashi/protocol/checkpoint'
import { consistencyProof, Frontier, inclusionProof, rootOf } from '@kakehashi/protocol/merkle'
import type { SigningKey } from '@kakehashi/protocol/signing'
import type { Kysely } from 'kysely'
import type { AuditTables } from './audit.ts'
import { audited, type Store } from './store.ts'
import {
  dropPartials,
  entryBundle,
  readHashTile,
  readIfThere,
  TILE_WIDTH,
  tilePath,
  writeDurably,
} from './tiles.ts'
import type { TileLevel } from './tiles.ts'

export { verifyAuditLog, verifyAuditTable, type AuditProblem, type AuditReport } from './audit-verify.ts'

/**
 * The audit leaves of a store as a public log: C2SP tlog-tiles files and a signed checkpoint. The table is the source;
 * the files are written after the commits they tell of and catch up from wherever they stopped.
 */
const LEVELS_MAX = 6
const CHECKPOINT_FILE = 'checkpoint'

interface Published {
  size: number
  /** Tiles completed this time: their partial forms may go once a checkpoint covers them. */
  completed: { level: TileLevel; index: number }[]
}

/** Writes every tile the leaves committed so far fill, complete or in part. Returns how many leaves the files hold. */
export async function publishTiles<DB extends AuditTables>(store: Store<DB>, dir: string): Promise<number> {
  return (await writeTiles(audited(store).db, dir)).size
}

/** {@link publishTiles}, then the signed checkpoint over exactly those leaves, in the file `checkpoint`. */
export async function publishLog<DB extends AuditTables>(
  store: Store<DB>,
  dir: string,
  origin: string,
  key: SigningKey,
): Promise<string> {
  const { db } = audited(store)
  const { size, completed } = await writeTiles(db, dir)
  const frontier = new Frontier()
  await appendFrom(db, frontier, size)
  const note = signCheckpoint(origin, size, frontier.root(), key)
  writeDurably(join(dir, CHECKPOINT_FILE), note)
  for (const { level, index } of completed) dropPartials(dir, level, index)
  return note
}

const frontiers = new WeakMap<object, Frontier>()

/** A signed checkpoint over every leaf committed so far. Reads only the leaves added since the last call. */
export async function checkpointOf<DB extends AuditTables>(
  store: Store<DB>,
  origin: string,
  key: SigningKey,
): Promise<string> {
  const { db } = audited(store)
  const frontier = frontiers.get(store) ?? new Frontier()
  frontiers.set(store, frontier)
  await appendFrom(db, frontier, Infinity)
  return signCheckpoint(origin, frontier.size, frontier.root(), key)
}

/** Proof that leaf `seq` is in the log of that size. */
export async function inclusionOf<DB extends AuditTables>(
  store: Store<DB>,
  seq: number,
  size: number,
): Promise<Uint8Array[]> {
  return inclusionProof(await hashesOf(audited(store).db, size), seq)
}

/** Proof that the log of size `size` extends the one of `oldSize`. */
export async function consistencyOf<DB extends AuditTables>(
  store: Store<DB>,
  oldSize: number,
  size: number,
): Promise<Uint8Array[]> {
  return consistencyProof(await hashesOf(audited(store).db, size), oldSize)
}

async function hashesOf(db: Kysely<AuditTables>, size: number): Promise<Uint8Array[]> {
  const rows = await db
    .selectFrom('audit_leaf')
    .select('hash')
    .where('seq', '<', size)
    .orderBy('seq')
    .execute()
  if (rows.length !== size) throw new RangeError('the log is shorter than that')
  return rows.map((row) => row.hash)
}

async function appendFrom(db: Kysely<AuditTables>, frontier: Frontier, size: number): Promise<void> {
  for (;;) {
    const want = Math.min(TILE_WIDTH * 4, size - frontier.size)
    const rows = want > 0 ? await leavesFrom(db, frontier.size, want) : []
    if (rows.length === 0) return
    for (const row of rows) {
      if (row.seq !== frontier.size) throw new Error(`audit leaf ${frontier.size} is missing`)
      frontier.append(row.hash)
    }
  }
}

async function leavesFrom(
  db: Kysely<AuditTables>,
  from: number,
  count: number,
): Promise<AuditTables['audit_leaf'][]> {
  return db
    .selectFrom('audit_leaf')
    .selectAll()
    .where('seq', '>=', from)
    .orderBy('seq')
    .limit(count)
    .execute()
}

/** How many complete tiles of a level are there; they are written in order and never removed. */
function completeTiles(dir: string, level: number | 'entries'): number {
  const there = (index: number): boolean => readIfThere(join(dir, tilePath(level, index))) !== null
  let end = 1
  while (there(end - 1)) end *= 2
  let [low, high] = [Math.floor(end / 2), end - 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (there(middle)) low = middle + 1
    else high = middle
  }
  return low
}

async function writeTiles(db: Kysely<AuditTables>, dir: string): Promise<Published> {
  const completed: Published['completed'] = []
  let size = completeTiles(dir, 'entries') * TILE_WIDTH
  for (;;) {
    const rows = await leavesFrom(db, size, TILE_WIDTH)
    if (rows.length > 0) {
      const index = size / TILE_WIDTH
      const hashes = Buffer.concat(rows.map((row) => row.hash))
      writeDurably(join(dir, tilePath(0, index, rows.length)), hashes)
      writeDurably(
        join(dir, tilePath('entries', index, rows.length)),
        entryBundle(rows.map((row) => row.leaf)),
      )
      if (rows.length === TILE_WIDTH) completed.push({ level: 0, index }, { level: 'entries', index })
      size += rows.length
    }
    if (rows.length < TILE_WIDTH) break
  }
  for (let level = 1; level < LEVELS_MAX; level++) writeUpperLevel(dir, level, size, completed)
  return { size, completed }
}

/** Above the leaves, each hash is the root of one complete tile below. */
function writeUpperLevel(dir: string, level: number, size: number, completed: Published['completed']): void {
  const below = Math.floor(size / TILE_WIDTH ** level)
  if (below === 0) return
  for (let index = completeTiles(dir, level); index * TILE_WIDTH < below; index++) {
    const width = Math.min(TILE_WIDTH, below - index * TILE_WIDTH)
    const hashes = Array.from({ length: width }, (_, i) => rootOfTile(dir, level - 1, index * TILE_WIDTH + i))
    writeDurably(join(dir, tilePath(level, index, width)), Buffer.concat(hashes))
    if (width === TILE_WIDTH) completed.push({ level, index })
  }
}

function rootOfTile(dir: string, level: number, index: number): Uint8Array {
  const bytes = readIfThere(join(dir, tilePath(level, index)))
  const hashes = bytes && readHashTile(bytes, TILE_WIDTH)
  if (!hashes) throw new Error(`tile ${level}/${index} is missing or damaged`)
  return rootOf(hashes)
}
