import type { Env } from '@kakehashi/protocol/env'
import type { Log } from '@kakehashi/protocol/log'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { BaseSession } from '@kakehashi/ui/sessions'
import type { Account } from '../accounts/store.ts'
import type { IntakeParts } from '../requests/intake.ts'
import type { OpsStore } from '../vault/ops.ts'
import type { IdentityStore } from '../vault/rooms.ts'

export interface ConsoleParts {
  env: Env
  log: Log
  https: boolean
  operatorName: string
  ops: OpsStore
  identity: IdentityStore
  /** What a stop taken here needs of the vault. */
  vault: IntakeParts
  /** A stop that a hospital has not applied after this long is work for somebody. */
  stopLateMs: number
}

export interface ConsoleSession extends BaseSession {
  account: string
  message: string | null
}

export interface ConsoleEnv {
  Variables: {
    session: ConsoleSession
    account: Account
    /** Both factors once more, whoever sits at the open screen; what is wrong, field by field. */
    stepUp(form: Record<string, unknown>): Promise<FieldError[]>
  }
}
