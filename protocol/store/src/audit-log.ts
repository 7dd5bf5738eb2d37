import { join } from 'node:path'
import { signCheckpoint, verifyCheckpoint, type Checkpoint } from '@kakehashi/protocol/checkpoint'
import { Frontier, rootOf } from '@kakehashi/protocol/merkle'
import type { SigningKey } from '@kakehashi/protocol/signing'
import type { Kysely } from 'kysely'
import { extend, leavesFrom } from './audit-leaves.ts'
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
  type TileLevel,
} from './tiles.ts'

export { checkpointOf, consistencyOf, inclusionOf } from './audit-leaves.ts'
export { recoverLeaves } from './audit-recover.ts'
export { verifyAuditLog, verifyAuditTable, type AuditProblem, type AuditReport } from './audit-verify.ts'

/**
 * The audit leaves of a store as a public log: C2SP tlog-tiles files and a signed checkpoint. The table is the source;
 * the files are written after the commits they tell of, and whatever lies beyond the last signed checkpoint is written
 * anew, so that a run that was cut short leaves no trace.
 */
const LEVELS_MAX = 6
const CHECKPOINT_FILE = 'checkpoint'

/** The table does not contain what was signed before: a backup was restored. Nothing is signed over a fork. */
export class LogForked extends Error {
  override name = 'LogForked'
  constructor(size: number) {
    super(
      `the audit table does not extend the checkpoint signed over ${size} leaves; recover the leaves first`,
    )
  }
}

/** How far each store was published by this process: saves reading the leaves from the first one again. */
const published = new WeakMap<object, Frontier>()

/** Writes the tiles the leaves committed so far fill, then the signed checkpoint over exactly them; returns it. */
export async function publishLog<DB extends AuditTables>(
  store: Store<DB>,
  dir: string,
  origin: string,
  key: SigningKey,
): Promise<string> {
  const { db } = audited(store)
  const before = readCheckpoint(dir, origin, key.public)
  const frontier = await extendedFrom(store, before)
  const { size, completed } = await writeTiles(db, dir, before?.size ?? 0)
  await extend(db, frontier, size)
  if (frontier.size !== size) throw new LogForked(frontier.size)
  published.set(store, frontier)
  const note = signCheckpoint(origin, size, frontier.root(), key)
  const latest = readCheckpoint(dir, origin, key.public)
  if (latest && latest.size > size) return note
  writeDurably(join(dir, CHECKPOINT_FILE), note)
  for (const { level, index } of completed) dropPartials(dir, level, index)
  return note
}

function readCheckpoint(dir: string, origin: string, publicKey: Uint8Array): Checkpoint | null {
  const note = readIfThere(join(dir, CHECKPOINT_FILE))
  return note && verifyCheckpoint(Buffer.from(note).toString('utf8'), origin, publicKey)
}

/** The table's tree at the size of the last checkpoint, once it is seen to have the same root. */
async function extendedFrom<DB extends AuditTables>(
  store: Store<DB>,
  before: Checkpoint | null,
): Promise<Frontier> {
  const kept = published.get(store)
  const size = before?.size ?? 0
  const frontier = kept && kept.size <= size ? kept : new Frontier()
  await extend(audited(store).db, frontier, size)
  if (frontier.size !== size) throw new LogForked(size)
  if (before && Buffer.compare(frontier.root(), before.root) !== 0) throw new LogForked(size)
  return frontier
}

interface Written {
  size: number
  /** Tiles completed this time: their partial forms may go once a checkpoint covers them. */
  completed: { level: TileLevel; index: number }[]
}

async function writeTiles(db: Kysely<AuditTables>, dir: string, signed: number): Promise<Written> {
  const completed: Written['completed'] = []
  let size = Math.floor(signed / TILE_WIDTH) * TILE_WIDTH
  for (;;) {
    const rows = await leavesFrom(db, size, TILE_WIDTH)
    const width = rows.length
    if (width > 0 && size + width > signed) {
      const index = size / TILE_WIDTH
      writeDurably(join(dir, tilePath(0, index, width)), Buffer.concat(rows.map((row) => row.hash)))
      writeDurably(join(dir, tilePath('entries', index, width)), entryBundle(rows.map((row) => row.leaf)))
      if (width === TILE_WIDTH) completed.push({ level: 0, index }, { level: 'entries', index })
    }
    size += width
    if (width < TILE_WIDTH) break
  }
  for (let level = 1; level < LEVELS_MAX; level++) writeUpperLevel(dir, level, { signed, size }, completed)
  return { size, completed }
}

/** Above the leaves, each hash is the root of one complete tile below. */
function writeUpperLevel(
  dir: string,
  level: number,
  { signed, size }: { signed: number; size: number },
  completed: Written['completed'],
): void {
  const [before, now] = [Math.floor(signed / TILE_WIDTH ** level), Math.floor(size / TILE_WIDTH ** level)]
  if (now === before) return
  for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < now; index++) {
    const width = Math.min(TILE_WIDTH, now - index * TILE_WIDTH)
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
