import type { StopWithdrawnReported } from '@kakehashi/protocol/messages'
import { Refused } from '@kakehashi/protocol/refusals'
import type { OpsTx } from '../vault/ops.ts'
import type { IntakeParts } from './intake.ts'

/**
 * A hospital ends, for itself, a stop that was said to several: its own charts are free by a fresh notice, the others
 * hold it as before. From where it was asked for the others, it says that the person took back that too.
 */
export async function leaveStop(
  tx: OpsTx,
  facility: string,
  said: Pick<StopWithdrawnReported, 'stop' | 'withdrawnAt' | 'undone'>,
): Promise<void> {
  await tx
    .insertInto('stop_left')
    .values({ stop: said.stop, facility, left_at: said.withdrawnAt, undone: said.undone === true ? 1 : 0 })
    .onConflict((c) => c.doNothing())
    .execute()
}

/**
 * The operator ends, for every hospital, a stop that was asked at one hospital's counter: only after the person took it
 * back at that counter, where they were identified (LAW §2.6). Each hospital ends its own copy at its own window.
 */
export async function endElsewhere(parts: IntakeParts, asked: { stop: string; by: string }): Promise<void> {
  const now = parts.env.now()
  await parts.ops.transact(
    { act: 'stop.withdrawn', actor: asked.by, detail: { stop: asked.stop } },
    async (tx) => {
      const row = await tx
        .selectFrom('stop as s')
        .innerJoin('agent as a', 'a.agent', 's.agent')
        .innerJoin('stop_left as l', (on) =>
          on.onRef('l.stop', '=', 's.stop').onRef('l.facility', '=', 'a.facility'),
        )
        .select(['s.standing', 'l.undone'])
        .where('s.stop', '=', asked.stop)
        .where('s.origin', '=', 'operator')
        .executeTakeFirst()
      if (!row) throw new Refused('NOT_ALLOWED', 'withdrawal')
      if (row.standing !== 'provisional' && row.standing !== 'confirmed')
        throw new Refused('NOT_ALLOWED', 'standing')
      const undone = Number(row.undone) === 1
      parts.stops?.append({ stop: asked.stop, withdrawnAt: now, ...(undone ? { undone } : {}) })
      await tx
        .updateTable('stop')
        .set({ standing: undone ? 'undone' : 'withdrawn', withdrawn_at: now })
        .where('stop', '=', asked.stop)
        .execute()
    },
  )
}
