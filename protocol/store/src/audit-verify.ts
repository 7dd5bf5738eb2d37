import { join } from 'node:path'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import { Frontier, leafHash, rootOf } from '@kakehashi/protocol/merkle'
import { toHex } from '@kakehashi/protocol/signing'
import type { AuditTables } from './audit.ts'
import { audited, type Store } from './store.ts'
import { readEntryBundle, readHashTile, readIfThere, TILE_WIDTH, tilePath } from './tiles.ts'

export interface AuditProblem {
  /** The leaf it is about, or `null` when it concerns the log as a whole. */
  seq: number | null
  what:
    | 'checkpoint-missing'
    | 'checkpoint-invalid'
    | 'tile-missing'
    | 'tile-damaged'
    | 'tile-altered'
    | 'leaf-altered'
    | 'leaf-out-of-place'
    | 'hash-altered'
    | 'root-differs'
}

export interface AuditReport {
  ok: boolean
  /** Leaves the checkpoint covers. */
  size: number
  /** Root the leaves give, hex. */
  root: string
  problems: AuditProblem[]
}

const PROBLEMS_MAX = 100

/** Checks a published log with nothing but its files and the log's public key. Names the leaves that were altered. */
export function verifyAuditLog(dir: string, origin: string, publicKey: Uint8Array): AuditReport {
  const note = readIfThere(join(dir, 'checkpoint'))
  if (!note) return report(0, new Frontier(), [{ seq: null, what: 'checkpoint-missing' }])
  const checkpoint = verifyCheckpoint(Buffer.from(note).toString('utf8'), origin, publicKey)
  if (!checkpoint) return report(0, new Frontier(), [{ seq: null, what: 'checkpoint-invalid' }])
  const found = new Found()
  const leaves = new Frontier()
  const tiles = new Frontier()
  for (let from = 0; from < checkpoint.size; from += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, checkpoint.size - from)
    checkTile(dir, from, width, { leaves, tiles, found })
    if (width === TILE_WIDTH && !standsAbove(dir, from / TILE_WIDTH, checkpoint.size))
      found.add(from, 'tile-altered')
    if (found.full) break
  }
  const signed = toHex(checkpoint.root)
  if (toHex(leaves.root()) !== signed) {
    if (toHex(tiles.root()) !== signed || found.problems.length === 0) found.add(null, 'root-differs')
  } else found.blameHashes()
  return report(checkpoint.size, leaves, found.problems)
}

interface Walk {
  leaves: Frontier
  tiles: Frontier
  found: Found
}

function checkTile(dir: string, from: number, width: number, { leaves, tiles, found }: Walk): void {
  const index = from / TILE_WIDTH
  const bundle = readTile(dir, 'entries', index, width)
  const hashTile = readTile(dir, 0, index, width)
  if (!bundle || !hashTile) return found.add(from, 'tile-missing')
  const entries = readEntryBundle(bundle, width)
  const hashes = readHashTile(hashTile, width)
  if (!entries || !hashes) return found.add(from, 'tile-damaged')
  for (const [i, entry] of entries.entries()) {
    const hash = leafHash(entry)
    const kept = hashes[i] ?? hash
    leaves.append(hash)
    tiles.append(kept)
    if (Buffer.compare(hash, kept) !== 0) found.add(from + i, 'leaf-altered')
    else if (seqOf(entry) !== from + i) found.add(from + i, 'leaf-out-of-place')
  }
}

/** Whether the level above vouches for this complete tile of leaf hashes: finds leaf and hash altered together. */
function standsAbove(dir: string, index: number, size: number): boolean {
  const above = Math.floor(index / TILE_WIDTH)
  const width = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH) - above * TILE_WIDTH)
  const kept = readTile(dir, 1, above, width)
  const bytes = readTile(dir, 0, index, TILE_WIDTH)
  const hash = kept && readHashTile(kept, width)?.[index % TILE_WIDTH]
  const hashes = bytes && readHashTile(bytes, TILE_WIDTH)
  return Boolean(hash && hashes && Buffer.compare(rootOf(hashes), hash) === 0)
}

function readTile(dir: string, level: number | 'entries', index: number, width: number): Uint8Array | null {
  return readIfThere(join(dir, tilePath(level, index, width)))
}

/** Checks the table itself: no gap, and every leaf under its hash. */
export async function verifyAuditTable<DB extends AuditTables>(store: Store<DB>): Promise<AuditReport> {
  const { db } = audited(store)
  const found = new Found()
  const leaves = new Frontier()
  for (let from = 0; ; from += TILE_WIDTH) {
    const rows = await db
      .selectFrom('audit_leaf')
      .selectAll()
      .where('seq', '>=', from)
      .where('seq', '<', from + TILE_WIDTH)
      .orderBy('seq')
      .execute()
    for (const row of rows) {
      const hash = leafHash(row.leaf)
      if (row.seq !== leaves.size || seqOf(row.leaf) !== row.seq) found.add(row.seq, 'leaf-out-of-place')
      else if (Buffer.compare(hash, row.hash) !== 0) found.add(row.seq, 'leaf-altered')
      leaves.append(hash)
    }
    if (rows.length < TILE_WIDTH || found.full) return report(leaves.size, leaves, found.problems)
  }
}

function seqOf(leaf: Uint8Array): number | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(leaf).toString('utf8'))
    if (typeof value !== 'object' || value === null || !('seq' in value)) return null
    return typeof value.seq === 'number' ? value.seq : null
  } catch {
    return null
  }
}

class Found {
  readonly problems: AuditProblem[] = []
  get full(): boolean {
    return this.problems.length >= PROBLEMS_MAX
  }
  add(seq: number | null, what: AuditProblem['what']): void {
    this.problems.push({ seq, what })
  }
  /** The leaves give the signed root: where leaf and hash differ, the hash was altered. */
  blameHashes(): void {
    for (const problem of this.problems) if (problem.what === 'leaf-altered') problem.what = 'hash-altered'
  }
}

function report(size: number, leaves: Frontier, problems: AuditProblem[]): AuditReport {
  return { ok: problems.length === 0, size, root: toHex(leaves.root()), problems }
}
