import { canonicalBytes } from '@kakehashi/protocol/canonical'
import { leafHash } from '@kakehashi/protocol/merkle'
import type { Transaction } from 'kysely'
import { LEAF_BYTES_MAX } from './tiles.ts'
import type { Migration } from './migrate.ts'

/**
 * What one transaction did. `act` is a fixed word such as `notice.recorded`; `actor` a staff or machine id;
 * `about` names a person only by keyed hash; `detail` holds counts, codes and ids that identify nobody.
 */
export interface AuditEvent {
  act: string
  actor: string
  about?: string
  detail?: Record<string, string | number | boolean | null>
}

export interface AuditTables {
  audit_leaf: { seq: number; at: number; leaf: Uint8Array; hash: Uint8Array }
}

export const auditMigration: Migration = {
  name: '000-audit',
  up: (w) => [
    `CREATE TABLE audit_leaf (seq ${w.int} PRIMARY KEY, at ${w.int} NOT NULL, leaf ${w.bytes} NOT NULL, hash ${w.bytes} NOT NULL)${w.strict}`,
  ],
}

/** Appends one leaf inside the transaction that makes the change it tells of. Sequence numbers have no gaps. */
export async function appendLeaf(
  tx: Transaction<AuditTables>,
  event: AuditEvent,
  at: number,
): Promise<number> {
  const last = await tx
    .selectFrom('audit_leaf')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  const before = last?.seq ?? null
  const seq = before === null ? 0 : Number(before) + 1
  const leaf = canonicalBytes({ seq, at, ...event })
  if (leaf.length > LEAF_BYTES_MAX) throw new RangeError('audit leaf too long')
  await tx
    .insertInto('audit_leaf')
    .values({ seq, at, leaf, hash: leafHash(leaf) })
    .execute()
  return seq
}
