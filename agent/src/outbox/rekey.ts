import { Refused } from '@kakehashi/protocol/refusals'
import type { AgentContext } from '../context.ts'
import { hubIsCurrent, NEWER_VERBS } from '../uplink/store.ts'
import { dropForRestore } from './restore.ts'
import { batchesOnLeg } from './store.ts'

/**
 * What is under way was signed by the present key and is answered to the present agent: nothing of it may be open when
 * the keys change. Throws `Refused`, naming what waits.
 */
export async function readyForNewKeys(context: AgentContext): Promise<void> {
  const { db } = context.store
  const flying = await batchesOnLeg(db, ['in-flight', 'at-gateway'])
  if (flying.length > 0) throw new Refused('NOT_ALLOWED', '受領証を待っている封筒があります')
  const said = await db
    .selectFrom('control_out')
    .select('message')
    .where('envelope', 'is not', null)
    .where('type', 'not in', ['heartbeat', 'stops-asked', ...((await hubIsCurrent(db)) ? [] : NEWER_VERBS)])
    .executeTakeFirst()
  if (said) throw new Refused('NOT_ALLOWED', '認定事業者の確認を待っている連絡があります')
}

/**
 * With `context` of the new keys: what waits is sealed anew under them, and the gate is shut until the hub has told the
 * new agent every stop, since what was on its way to the former one is not.
 */
export async function moveToNewKeys(context: AgentContext): Promise<void> {
  await context.store.bookkeep((tx) => tx.deleteFrom('control_out').where('type', '=', 'heartbeat').execute())
  await dropForRestore(context, 'keys.rotated')
}
