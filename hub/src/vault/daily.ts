import { checkpointOf } from '@kakehashi/store/audit-log'
import { auditOrigin } from '../audit/origin.ts'
import { postBoxKey } from './box-key.ts'
import { postStatus } from './enrolment.ts'
import { postDeclaration } from './declaration.ts'
import { agentsOf, post } from './outbox.ts'
import type { VaultParts } from './parts.ts'
import { speaksFully } from './speaks.ts'

const EVERY_MS = 24 * 3600 * 1000
const NAME = 'status-said'

/**
 * Every day to every agent: the operator's own standing (a list older than a week is not believed there), a sealing
 * key that is new, a checkpoint of the audit log, so that the hospitals hold what the hub would have to contradict, and
 * which declaration of theirs is the newest here.
 */
export async function sayDaily(parts: VaultParts): Promise<void> {
  const now = parts.env.now()
  const last = await parts.ops.db
    .selectFrom('cursor')
    .select('value')
    .where('name', '=', NAME)
    .executeTakeFirst()
  if (last && now - Number(last.value) < (parts.sayEveryMs ?? EVERY_MS)) return
  const checkpoint = await checkpointOf(parts.ops, auditOrigin(parts.operator.operator), parts.keys.audit)
  await parts.ops.bookkeep(async (tx) => {
    for (const agent of await agentsOf(tx)) {
      await postStatus(tx, parts, agent)
      await postBoxKey(tx, parts, agent)
      await post(tx, parts, agent, { type: 'checkpoint-shown', checkpoint })
      await postDeclaration(tx, parts, agent)
    }
    await tx
      .insertInto('cursor')
      .values({ name: NAME, value: now })
      .onConflict((c) => c.column('name').doUpdateSet({ value: now }))
      .execute()
  })
}

/**
 * After a restore: every agent is told, so that it says and sends again what the backup has forgotten, and the daily words
 * are said in the next round.
 */
export async function sayRestored(parts: VaultParts): Promise<void> {
  await parts.ops.bookkeep(async (tx) => {
    await tx.deleteFrom('cursor').where('name', '=', NAME).execute()
    for (const agent of await agentsOf(tx))
      if (speaksFully(agent.software)) await post(tx, parts, agent, { type: 'vault-restored' })
  })
}
