import { agentsOf } from './outbox.ts'
import { postStatus } from './enrolment.ts'
import type { VaultParts } from './parts.ts'

const STATUS_EVERY_MS = 24 * 3600 * 1000
const NAME = 'status-said'

/** The operator's own standing goes to every agent daily: a list older than a week is not believed there. */
export async function sayDaily(parts: VaultParts): Promise<void> {
  const now = parts.env.now()
  const last = await parts.ops.db
    .selectFrom('cursor')
    .select('value')
    .where('name', '=', NAME)
    .executeTakeFirst()
  if (last && now - Number(last.value) < STATUS_EVERY_MS) return
  await parts.ops.bookkeep(async (tx) => {
    for (const agent of await agentsOf(tx)) await postStatus(tx, parts, agent)
    await tx
      .insertInto('cursor')
      .values({ name: NAME, value: now })
      .onConflict((c) => c.column('name').doUpdateSet({ value: now }))
      .execute()
  })
}
