import { Refused } from '@kakehashi/protocol/refusals'
import type { AgentContext } from '../context.ts'
import { latestSeen } from './read.ts'

/**
 * What is dated by the moment of its recording, and would open the gate too early if dated into the past, waits until
 * the clock is right again. Never asked for a stop, a hold, or what takes a notice back: these only close.
 */
export async function refuseUnsureClock(context: AgentContext): Promise<void> {
  const now = context.env.now()
  const seen = await latestSeen(context.store.db)
  if (now < seen - context.rulesAt(now).clockBackstepMs) throw new Refused('CLOCK_UNSURE', 'clock')
}
