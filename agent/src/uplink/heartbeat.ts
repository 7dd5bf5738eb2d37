import { ownCheckpoint } from '../audit/checkpoint.ts'
import type { AgentContext } from '../context.ts'
import { OPEN_LEGS } from '../outbox/store.ts'
import { enqueueControl } from './store.ts'

export const SOFTWARE = 'kakehashi-agent/0.2.0'
export const HEARTBEAT_MS = 10 * 60 * 1000

/** Tells the hub that we live, what waits, and where our audit log stands. An unsent one is replaced, not piled up. */
export async function enqueueHeartbeat(context: AgentContext): Promise<void> {
  const checkpoint = await ownCheckpoint(context)
  await context.store.bookkeep(async (tx) => {
    const waiting = await tx
      .selectFrom('outbox_batch')
      .select((e) => [e.fn.countAll<number>().as('n'), e.fn.min('created_at').as('oldest')])
      .where('leg', 'in', [...OPEN_LEGS])
      .executeTakeFirst()
    await tx.deleteFrom('control_out').where('type', '=', 'heartbeat').execute()
    await enqueueControl(tx, context, {
      type: 'heartbeat',
      software: SOFTWARE,
      pendingBatches: waiting?.n ?? 0,
      oldestPendingAt: waiting?.oldest ?? null,
      checkpoint,
    })
  })
}
