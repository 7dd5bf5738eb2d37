import { signCheckpoint } from '@kakehashi/protocol/checkpoint'
import { consistencyProof, Frontier, inclusionProof } from '@kakehashi/protocol/merkle'
import type { SigningKey } from '@kakehashi/protocol/signing'
import type { Kysely } from 'kysely'
import type { AuditTables } from './audit.ts'
import { audited, type Store } from './store.ts'

/** Reading the log from its table: leaves in order, checkpoints and proofs over them. */
const PAGE = 1024

const frontiers = new WeakMap<object, Frontier>()

/** A signed checkpoint over every leaf committed so far. Reads only the leaves added since the last call. */
export async function checkpointOf<DB extends AuditTables>(
  store: Store<DB>,
  origin: string,
  key: SigningKey,
): Promise<string> {
  const frontier = frontiers.get(store) ?? new Frontier()
  frontiers.set(store, frontier)
  await extend(audited(store).db, frontier, Infinity)
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

/** Grows the tree with the leaves of the table, up to that size or the last leaf. Two may grow the same tree. */
export async function extend(db: Kysely<AuditTables>, frontier: Frontier, size: number): Promise<void> {
  for (;;) {
    const want = Math.min(PAGE, size - frontier.size)
    const rows = want > 0 ? await leavesFrom(db, frontier.size, want) : []
    if (rows.length === 0) return
    for (const row of rows) if (row.seq === frontier.size) frontier.append(row.hash)
  }
}

/** Leaves in order. Throws when one is missing between them. */
export async function leavesFrom(
  db: Kysely<AuditTables>,
  from: number,
  count: number,
): Promise<AuditTables['audit_leaf'][]> {
  const rows = await db
    .selectFrom('audit_leaf')
    .selectAll()
    .where('seq', '>=', from)
    .orderBy('seq')
    .limit(count)
    .execute()
  const gap = rows.findIndex((row, i) => row.seq !== from + i)
  if (gap >= 0) throw new Error(`audit leaf ${from + gap} is missing`)
  return rows
}
