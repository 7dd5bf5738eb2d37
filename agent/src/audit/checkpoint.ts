import { checkpointOf } from '@kakehashi/store/audit-log'
import type { AgentContext } from '../context.ts'

/** The name of this agent's audit log. */
export function auditOrigin(context: Pick<AgentContext, 'facility' | 'keys'>): string {
  return `kakehashi/agent/${context.facility}/${context.keys.agent}`
}

/** Size and root of our own log, signed: travels with every heartbeat, so that the hub is our witness. */
export async function ownCheckpoint(context: AgentContext): Promise<string> {
  return checkpointOf(context.store, auditOrigin(context), context.keys.signing)
}
