import type { Env } from '@kakehashi/protocol/env'
import type { Log } from '@kakehashi/protocol/log'
import type { OpenVault } from '../vault/opening.ts'

/** What every command gets: where the hub lives, how to answer, and the vault's zone opened for one act. */
export interface HubContext {
  env: Env
  log: Log
  /** The hub's folder (`--dir`). */
  dir(): string
  /** Opens the vault's stores and keys for the time of `act`. */
  withVault<T>(act: (vault: OpenVault) => Promise<T>): Promise<T>
  /** Prints `value` as JSON under `--json`, otherwise the sentence. */
  tell(sentence: string, value: unknown): void
  /** A line of progress on long work; silent under `--json`. */
  progress(sentence: string): void
  /** Ends with exit code 1 and says, in Japanese: what happened, why, what to do next. */
  fail(sentence: string): never
}

/** A failure already put into words for staff. */
export class CommandFailed extends Error {
  override name = 'CommandFailed'
}
