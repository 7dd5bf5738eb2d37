import { facilityOf, messageId, type MessageId } from '@kakehashi/protocol/ids'
import type { RecordList } from '@kakehashi/protocol/messages'
import { recordKeyText } from '@kakehashi/protocol/records'
import type { AgentContext } from '../context.ts'
import { enterGiven, shownOtherwise } from '../sources/ledger.ts'
import { clearTombstones, forgetUntold, markAllToRead, recordSent } from '../sources/store.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { takeBack } from './receipt.ts'

/**
 * One page of what the vault holds, and this copy may have forgotten. What it holds is entered as sent: the same is not
 * sent again, another version is, and what the next full pass does not show is taken back by a tombstone, unless there
 * are so many that the brake waits for a person. What the vault holds no more, or never told, is sent again if the source
 * still has it.
 */
export async function takeRecordList(tx: AgentTx, context: AgentContext, list: RecordList): Promise<void> {
  const row = await tx.selectFrom('restored').selectAll().executeTakeFirst()
  const awaited =
    row?.asked === list.asked && row.records_state !== 'told' && row.records_place === list.after
  if (!row || !awaited) return
  const now = context.env.now()
  const told = list.records
    .filter(({ patient }) => facilityOf(patient) === context.facility)
    .map(({ key, patient, hash }) => ({ key: recordKeyText(key), patient, hash }))
  const held = told.flatMap(({ hash, ...one }) => (hash === null ? [] : { ...one, hash }))
  const gone = told.filter(({ hash }) => hash === null).map(({ key }) => key)
  await markAllToRead(tx, await shownOtherwise(tx as never, told), now)
  await recordSent(tx, held, row.records_seq)
  await enterGiven(
    tx as never,
    held.map((one) => ({ ...one, hash: null })),
    now,
  )
  await takeBack(
    tx,
    held.map(({ key }) => key),
    now,
  )
  await clearTombstones(tx, gone, row.records_seq)
  context.log('restore.records', { held: held.length, gone: gone.length, last: list.whole })
  if (list.whole && row.records_state !== 'again') {
    await markAllToRead(tx, await forgetUntold(tx, row.records_seq), now)
    await tx.updateTable('restored').set({ records_place: list.next, records_state: 'told' }).execute()
  } else await askOn(tx, context, { asked: list.asked, after: list.next })
}

async function askOn(
  tx: AgentTx,
  context: AgentContext,
  { asked, after }: { asked: MessageId; after: string },
): Promise<void> {
  await enqueueControl(tx, context, { type: 'records-asked', asked, after })
  await tx.updateTable('restored').set({ records_place: after, records_state: 'waits' }).execute()
}

/**
 * The receipt of a batch this copy knows nothing of, or dropped when it was put back: the vault took it after it had
 * begun to tell what it holds, and is asked what came since.
 */
export async function noticeForgotten(tx: AgentTx, context: AgentContext): Promise<void> {
  const row = await tx.selectFrom('restored').selectAll().executeTakeFirst()
  // untold: the list is yet to be made, and will have it
  if (!row || row.records_place === null) return
  if (row.records_state === 'told')
    await askOn(tx, context, { asked: messageId(row.asked), after: row.records_place })
  else await tx.updateTable('restored').set({ records_state: 'again' }).execute()
}
