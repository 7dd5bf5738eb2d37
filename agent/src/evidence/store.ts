import type { Control } from '@kakehashi/protocol/messages'
import type { Signed } from '@kakehashi/protocol/signing'
import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'

export interface EvidenceTables {
  /** The vault's receipts as it signed them: its word can be shown to others. */
  kept_receipt: { batch: string; sealed_to: string; signed: string }
}

export const evidenceMigrations: readonly Migration[] = [
  {
    name: 'evidence-001',
    up: (w) => [
      `CREATE TABLE kept_receipt (batch ${w.text} PRIMARY KEY, sealed_to ${w.text} NOT NULL, signed ${w.text} NOT NULL)${w.strict}`,
    ],
  },
]

export async function keepReceipt(
  tx: Tx<EvidenceTables>,
  receipt: { batch: string; sealedTo: string; signed: Signed<Control> },
): Promise<void> {
  await tx
    .insertInto('kept_receipt')
    .values({ batch: receipt.batch, sealed_to: receipt.sealedTo, signed: JSON.stringify(receipt.signed) })
    .onConflict((c) => c.column('batch').doNothing())
    .execute()
}

export interface KeptReceipt {
  sealedTo: string
  signed: Signed<Control>
}

export async function receiptOf(
  db: Pick<Kysely<EvidenceTables>, 'selectFrom'>,
  batch: string,
): Promise<KeptReceipt | null> {
  const row = await db.selectFrom('kept_receipt').selectAll().where('batch', '=', batch).executeTakeFirst()
  return row ? { sealedTo: row.sealed_to, signed: JSON.parse(row.signed) as Signed<Control> } : null
}
