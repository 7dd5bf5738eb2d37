import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentContext } from '../context.ts'
import { dropForRestore } from '../outbox/restore.ts'

/**
 * The published log beside the store tells of more than the store holds: somebody put an older copy in its place without
 * `agent restore`. Then the same holds as after one: nothing leaves before the hub has told its stops.
 */
export async function noticeRollback(context: AgentContext, dir: string): Promise<boolean> {
  const path = join(dir, 'checkpoint')
  if (!existsSync(path)) return false
  const published = Number(readFileSync(path, 'utf8').split('\n')[1] ?? 0)
  const { leaves } = await context.store.db
    .selectFrom('audit_leaf')
    .select((e) => e.fn.countAll<number>().as('leaves'))
    .executeTakeFirstOrThrow()
  if (!(published > leaves)) return false
  await dropForRestore(context)
  // kept as evidence of what is missing; the store's own log is published anew
  renameSync(dir, `${dir}.lost.${context.env.now()}`)
  context.log('agent.rolled-back', { published, leaves })
  return true
}
