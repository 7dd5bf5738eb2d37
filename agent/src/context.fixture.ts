import type { Env, Instant } from '@kakehashi/protocol/env'
import { facilityId, operatorId } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import { decide } from '@kakehashi/protocol/rules/decide'
import { rulesAt } from '@kakehashi/protocol/rules/rule-file'
import { newBoxKey, newSigningKey, toBase64, type SigningKey } from '@kakehashi/protocol/signing'
import type { AgentContext } from './context.ts'
import { newAgentKeys } from './keys.ts'
import type { AgentStore } from './store/store.ts'

export const FACILITY = facilityId('midori')
export const OPERATOR = operatorId('op-1')

export interface Clock {
  now: Instant
}

export function virtualEnv(clock: Clock): Env {
  let count = 0
  return {
    now: () => clock.now,
    random: (n) =>
      Uint8Array.from({ length: n }, () => (count = (count * 1_103_515_245 + 12_345) >>> 0) >>> 24),
    id: () => `id-${(count += 1).toString(36)}`,
    after: () => () => {},
  }
}

/** An agent as if enrolled at the operator; `vault` signs what comes from there. */
export function enrolledContext(
  env: Env,
  store: AgentStore,
  log: Log,
): { context: AgentContext; vault: SigningKey } {
  const vault = newSigningKey(env)
  const context: AgentContext = {
    env,
    store,
    keys: newAgentKeys(env),
    facility: FACILITY,
    hub: {
      operator: OPERATOR,
      operatorName: '一般財団法人 架け橋',
      operatorAddress: '東京都千代田区1-1',
      vaultKey: toBase64(newBoxKey(env).public),
      vaultSigningKey: toBase64(vault.public),
      gatewayKey: toBase64(newSigningKey(env).public),
    },
    track: 'ANON',
    decide,
    rulesAt,
    log,
  }
  return { context, vault }
}
