import type { Env } from '@kakehashi/protocol/env'
import type { Log } from '@kakehashi/protocol/log'
import type { BaseSession } from '@kakehashi/ui/sessions'
import type { Account } from '../accounts/store.ts'
import type { OpsStore } from '../vault/ops.ts'
import type { IdentityStore } from '../vault/rooms.ts'

export interface ConsoleParts {
  env: Env
  log: Log
  https: boolean
  operatorName: string
  ops: OpsStore
  identity: IdentityStore
}

export interface ConsoleSession extends BaseSession {
  account: string
  message: string | null
}

export interface ConsoleEnv {
  Variables: { session: ConsoleSession; account: Account }
}
