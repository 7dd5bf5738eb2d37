import { createHmac } from 'node:crypto'
import type { Env } from '@kakehashi/protocol/env'
import type { FacilityId, PatientKey } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import type { EnrolmentAnswer } from '@kakehashi/protocol/messages'
import type { decide } from '@kakehashi/protocol/rules/decide'
import type { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import type { Track } from '@kakehashi/protocol/rules/state'
import type { AgentKeys } from './keys.ts'
import type { AgentStore } from './store/store.ts'

/** What every flow of the agent is handed. */
export interface AgentContext {
  env: Env
  store: AgentStore
  keys: AgentKeys
  facility: FacilityId
  hub: EnrolmentAnswer
  track: Track
  decide: typeof decide
  rulesAt: typeof rulesAt
  log: Log
}

/** How the audit log names a person: a hash that only this agent's key makes. */
export function aboutPatient(context: Pick<AgentContext, 'keys'>, patient: PatientKey): string {
  return createHmac('sha256', context.keys.about).update(patient).digest('hex').slice(0, 32)
}
