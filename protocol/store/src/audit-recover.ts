import { join } from 'node:path'
import { verifyCheckpoint } from '@kakehashi/protocol/checkpoint'
import { Frontier, leafHash } from '@kakehashi/protocol/merkle'
import { toHex } from '@kakehashi/protocol/signing'
import type { Kysely } from 'kysely'
import type { AuditTables } from './audit.ts'
import { extend } from './audit-leaves.ts'
import { verifyAuditLog } from './audit-verify.ts'
import { audited, type Store } from './store.ts'
import { readEntryBundle, readIfThere, TILE_WIDTH, tilePath } from './tiles.ts'

/**
 * Before the first leaf after a start: puts back the leaves that the published log has and the table lacks because a
 * backup was restored, so that the log goes on where it was signed last. Returns how many; at once when none is
 * lacking or nothing was published. Throws when the files do not verify, or when the table's own leaves are not the
 * beginning of what was signed.
 */
export async function recoverLeaves<DB extends AuditTables>(
  store: Store<DB>,
  dir: string,
  origin: string,
  publicKey: Uint8Array,
): Promise<number> {
  const { db } = audited(store)
  const note = readIfThere(join(dir, 'checkpoint'))
  if (!note) return 0
  const signed = verifyCheckpoint(Buffer.from(note).toString('utf8'), origin, publicKey)
  if (signed && (await leafCount(db)) >= signed.size) return 0
  const report = verifyAuditLog(dir, origin, publicKey)
  if (!report.ok) throw new Error('the published audit log does not verify')
  const frontier = new Frontier()
  await extend(db, frontier, report.size)
  const from = frontier.size
  const leaves = leavesOnDisk(dir, from, report.size)
  for (const leaf of leaves) frontier.append(leafHash(leaf))
  if (toHex(frontier.root()) !== report.root)
    throw new Error('the audit table is no beginning of the published log')
  await audited(store).bookkeep(async (tx) => {
    for (const [i, leaf] of leaves.entries())
      await tx
        .insertInto('audit_leaf')
        .values({ seq: from + i, at: timeOf(leaf), leaf, hash: leafHash(leaf) })
        .execute()
  })
  return leaves.length
}

async function leafCount(db: Kysely<AuditTables>): Promise<number> {
  const row = await db
    .selectFrom('audit_leaf')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  const last = row?.seq ?? null
  return last === null ? 0 : Number(last) + 1
}

function leavesOnDisk(dir: string, from: number, size: number): Uint8Array[] {
  const leaves: Uint8Array[] = []
  for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < size; index++) {
    const start = index * TILE_WIDTH
    const width = Math.min(TILE_WIDTH, size - start)
    const bytes = readIfThere(join(dir, tilePath('entries', index, width)))
    const bundle = bytes && readEntryBundle(bytes, width)
    if (!bundle) throw new Error(`entry bundle ${index} is missing or damaged`)
    leaves.push(...bundle.slice(Math.max(0, from - start)))
  }
  return leaves
}

function timeOf(leaf: Uint8Array): number {
  const value: unknown = JSON.parse(Buffer.from(leaf).toString('utf8'))
  if (typeof value === 'object' && value !== null && 'at' in value && typeof value.at === 'number')
    return value.at
  throw new Error('an audit leaf without a time')
}
