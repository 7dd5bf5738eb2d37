import { messageId } from '@kakehashi/protocol/ids'
import type { OpsTables, OpsTx } from './ops.ts'
import { post } from './outbox.ts'
import type { VaultParts } from './parts.ts'
import { speaksFully } from './speaks.ts'

export async function newestDeclaration(
  tx: OpsTx,
  facility: string,
): Promise<OpsTables['facility_declaration'] | undefined> {
  return tx
    .selectFrom('facility_declaration')
    .selectAll()
    .where('facility', '=', facility)
    .orderBy('declared_at', 'desc')
    .orderBy('received_at', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Which declaration of its facility is the newest here; by this an agent also knows that the hub is of this version. */
export async function postDeclaration(
  tx: OpsTx,
  parts: VaultParts,
  agent: OpsTables['agent'],
): Promise<void> {
  if (!speaksFully(agent.software)) return
  const row = await newestDeclaration(tx, agent.facility)
  const declared = row ? { message: messageId(row.message), at: Number(row.declared_at) } : null
  await post(tx, parts, agent, { type: 'declaration-known', declared })
}
