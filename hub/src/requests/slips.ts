import type { SlipHanded } from '@kakehashi/protocol/messages'
import type { OpsTx } from '../vault/ops.ts'

/** What the hospital says of its document (Art. 53): its newest word holds, in whatever order they come. */
export async function keepSlip(
  tx: OpsTx,
  facility: string,
  { stop, document, move, movedAt }: SlipHanded,
  now: number,
): Promise<void> {
  const known = await tx
    .selectFrom('slip_move')
    .select('moved_at')
    .where('stop', '=', stop)
    .where('facility', '=', facility)
    .where('document', '=', document)
    .executeTakeFirst()
  if (known && Number(known.moved_at) > movedAt) return
  const said = { move, moved_at: movedAt, received_at: now }
  await tx
    .insertInto('slip_move')
    .values({ stop, facility, document, ...said })
    .onConflict((c) => c.columns(['stop', 'facility', 'document']).doUpdateSet(said))
    .execute()
}
