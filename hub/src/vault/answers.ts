import { messageId } from '@kakehashi/protocol/ids'
import { CONTROL_IDS_MAX } from '@kakehashi/protocol/limits'
import { slices } from '../requests/charts.ts'
import { agentsOf, post } from './outbox.ts'
import type { VaultParts } from './parts.ts'

/** A heartbeat needs no answer; what was refused gets none, so that the hospital sees it unanswered. */
const SILENT = ['heartbeat', 'refused']

/** The agent said it again: our answer did not reach it, or it was put back from a backup. */
export async function answerAgain(parts: VaultParts, message: string): Promise<void> {
  await parts.ops.bookkeep((tx) =>
    tx
      .updateTable('control_in')
      .set({ answered_at: null })
      .where('message', '=', message)
      .where('type', 'not in', SILENT)
      .execute(),
  )
}

/**
 * Tells every agent which of its messages are applied here. Only this lets it forget them: a gateway that loses its
 * store between us loses no stop.
 */
export async function answerAgents(parts: VaultParts): Promise<number> {
  return parts.ops.bookkeep(async (tx) => {
    let answered = 0
    for (const agent of await agentsOf(tx)) {
      const rows = await tx
        .selectFrom('control_in')
        .select('message')
        .where('agent', '=', agent.agent)
        .where('answered_at', 'is', null)
        .orderBy('at')
        .limit(CONTROL_IDS_MAX)
        .execute()
      if (rows.length === 0) continue
      const messages = rows.map((row) => messageId(row.message))
      await post(tx, parts, agent, { type: 'reports-taken', messages })
      for (const part of slices(messages))
        await tx
          .updateTable('control_in')
          .set({ answered_at: parts.env.now() })
          .where('message', 'in', part)
          .execute()
      answered += messages.length
    }
    return answered
  })
}
