import type { StopOrdered } from '@kakehashi/protocol/messages'
import type { OpsTables } from '../vault/ops.ts'
import type { Unsent } from '../vault/outbox.ts'
import { speaksFully } from '../vault/speaks.ts'

/**
 * The order as this agent can read it. An older one takes charts and papers only: what it could not open it would never
 * acknowledge, and its batches would wait for that. The second gate holds whoever is named; nothing is erased by it.
 */
export function orderTo(
  agent: Pick<OpsTables['agent'], 'software'>,
  order: Unsent<StopOrdered>,
): Unsent<StopOrdered> {
  if (speaksFully(agent.software)) return order
  const { standing, person: _person, ...plain } = order
  return { ...plain, erasureAsked: plain.erasureAsked && standing !== 'provisional' }
}
