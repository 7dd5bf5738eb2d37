import type { Env } from '@kakehashi/protocol/env'
import { word, type Log } from '@kakehashi/protocol/log'
import { PeerFailed } from './peer.ts'
import type { Round, Vault } from './vault.ts'

export interface Loop {
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>
}

/** Rounds one after the other; a failed one is logged and the next tries again, later and later. */
export function pullLoop(
  vault: Vault,
  env: Env,
  log: Log,
  timing: { everyMs: number; backOffMsMax: number },
  after: (round: Round) => Promise<void>,
): Loop {
  let running = true
  let failures = 0
  let cancel = (): void => {}
  let current: Promise<void> = Promise.resolve()
  const turn = async (): Promise<void> => {
    let wait = timing.everyMs
    try {
      const round = await vault.round()
      failures = 0
      // whoever sent something is likely to have sent more meanwhile
      if (round.batches.more || round.batches.seen > round.batches.waits) wait = 0
      await after(round)
    } catch (error) {
      failures++
      wait = Math.min(timing.everyMs * 2 ** Math.min(failures, 10), timing.backOffMsMax)
      log(
        'vault.round-failed',
        error instanceof PeerFailed
          ? { failures, peer: word(error.peer as never), status: error.status }
          : { failures, peer: null, status: null },
      )
    }
    if (running) cancel = env.after(wait, next)
  }
  const next = (): void => {
    current = turn()
  }
  next()
  return {
    async stop() {
      running = false
      cancel()
      await current
      cancel()
    },
  }
}
