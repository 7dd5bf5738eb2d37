import type { OpsStore, OpsTx } from '../vault/ops.ts'

/**
 * Whether this agent was ordered a stop that the vault could give to no chart of its hospital (a paper never seen in
 * evidence, a number, a name) and has not acknowledged it yet. Until then the vault cannot know whom the stop means, so
 * nothing of that hospital is admitted. An agent acknowledges after it has applied the order and handed up its report,
 * and the vault reads reports before batches, so that afterwards it knows the charts, or that there are none.
 *
 * Requests made up at the portal cannot stop the intake by this: every order costs one round trip however many there
 * are, all those waiting are fetched and acknowledged in one exchange, a batch that waits stays whole at the gateway and
 * is asked again every round, and an agent that is offline, and thus acknowledges nothing, sends nothing either.
 */
export async function awaitsAcknowledgement(db: OpsTx | OpsStore['db'], agent: string): Promise<boolean> {
  const rows = await db
    .selectFrom('stop_delivery as d')
    .innerJoin('agent as a', 'a.agent', 'd.agent')
    .select(['d.stop', 'a.facility'])
    .where('d.agent', '=', agent)
    .where('d.acked_at', 'is', null)
    .execute()
  for (const { stop, facility } of rows) {
    const placed = await db
      .selectFrom('stop_chart')
      .select('stop')
      .where('stop', '=', stop)
      .where('patient', 'like', `${facility}/%`)
      .limit(1)
      .executeTakeFirst()
    if (!placed) return true
  }
  return false
}
