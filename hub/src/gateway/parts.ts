import type { Env } from '@kakehashi/protocol/env'
import type { AgentId, OperatorId } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import type { SigningKey } from '@kakehashi/protocol/signing'
import type { Call } from '../call.ts'
import type { GatewayStore } from './store.ts'

/** Everything a gateway is made of; each part may be exchanged by a test or the simulator. */
export interface GatewayParts {
  env: Env
  store: GatewayStore
  /** Signs acknowledgements; opens nothing. */
  key: SigningKey
  operator: { operator: OperatorId; name: string; address: string }
  /** Public halves of the vault's keys, told to agents at enrolment. */
  vault: { box: Uint8Array; signing: Uint8Array }
  log: Log
  /** Sealed bytes kept at most; beyond this uploads are refused with `DISK_FULL`. */
  storedBytesMax?: number
}

export type Enrolled = { agent: AgentId; facility: string; inboxKey: string; signing: Uint8Array }

/** A verified caller: an enrolled agent or the vault. */
export interface Asked {
  call: Call
  url: URL
  by: string
  agent: Enrolled | null
  /** What the pattern's groups held. */
  params: string[]
}

export type Hint = (agent: string) => void
