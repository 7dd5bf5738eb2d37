import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'

/** Size and root out of a C2SP checkpoint; it came inside a message the vault signed. */
function treeOf(checkpoint: string): { size: number; root: string } | null {
  const [origin, size, root] = checkpoint.split('\n')
  if (!origin || !root || !size || !/^\d{1,15}$/.test(size)) return null
  return { size: Number(size), root }
}

/** Checkpoints kept at most; the first is never dropped. */
const WITNESSED_MAX = 4096

/**
 * Keeps what the hub showed of its audit log, so that it cannot show somebody else another history. A log that shrank,
 * or has another root at a size already seen, is kept and marked: `doctor` shows it.
 */
export async function keepCheckpoint(tx: AgentTx, context: AgentContext, checkpoint: string): Promise<void> {
  const shown = treeOf(checkpoint)
  const last = await tx.selectFrom('witness').selectAll().orderBy('seq', 'desc').limit(1).executeTakeFirst()
  if (last?.checkpoint === checkpoint) return
  const before = last ? treeOf(last.checkpoint) : null
  const contradicts =
    shown !== null &&
    before !== null &&
    (shown.size < before.size || (shown.size === before.size && shown.root !== before.root))
  if (contradicts) context.log('witness.contradiction', { size: shown.size })
  const seq = (last?.seq ?? 0) + 1
  await tx
    .insertInto('witness')
    .values({
      seq,
      at: context.env.now(),
      checkpoint,
      standing: shown === null ? 'unreadable' : contradicts ? 'contradiction' : 'kept',
    })
    .execute()
  await tx
    .deleteFrom('witness')
    .where('seq', '>', 1)
    .where('seq', '<=', seq - WITNESSED_MAX)
    .where('standing', '=', 'kept')
    .execute()
}
