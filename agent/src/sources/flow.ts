import { Refused } from '@kakehashi/protocol/refusals'
import type { Log } from '@kakehashi/protocol/log'
import type { Store } from '@kakehashi/store/store'
import type { Gathered, Gathering } from './gathering.ts'
import { type Standing, standingOf } from './round-start.ts'
import type { SourcesTables } from './store.ts'
import { commit, emptyWindow, take } from './window.ts'

export type { Gathered, Gathering, PatientShown } from './gathering.ts'

/**
 * One round of one source: what changed is marked, never kept. Each window is one transaction of ledger marks, patients
 * to read and checkpoint, so that whatever kills the agent, at most one window is read again. A record that named
 * nobody known is looked at once more when somebody became known in the same round.
 */
export async function gather<DB extends SourcesTables>(gathering: Gathering<DB>): Promise<Gathered> {
  const gathered = nothing()
  const store = gathering.store as unknown as Store<SourcesTables>
  const { connector, log } = gathering
  await round(gathering, await standingOf(store, connector.id), gathered)
  const after = await standingOf(store, connector.id)
  if (after.again.length > 0 && gathered.faults.length === 0)
    await round({ ...gathering, full: false }, after, gathered)
  const { seen, quarantined } = gathered
  if (quarantined > Math.max(QUARANTINE_MIN, seen * QUARANTINE_SHARE_MAX))
    log('source.quarantine-high', { seen, quarantined })
  log('source.gathered', {
    seen,
    quarantined,
    added: gathered.added,
    changed: gathered.changed,
    vanished: gathered.vanished,
    braked: gathered.braked,
    faults: gathered.faults.length,
  })
  return gathered
}

async function round<DB extends SourcesTables>(
  gathering: Gathering<DB>,
  standing: Standing,
  gathered: Gathered,
): Promise<void> {
  const { connector, env, signal, log } = gathering
  const { confirmed, again } = standing
  const options = { run: env.id(), signal, full: gathering.full === true || confirmed, again }
  let window = emptyWindow()
  try {
    for await (const event of connector.changes(standing.checkpoint, options)) {
      if (event.t === 'fault') fault(gathered, event, log)
      else if (event.t === 'checkpoint') {
        await commit(gathering, window, event, gathered)
        window = emptyWindow()
      } else take(window, event)
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { code, place = connector.id } = error.refusal
    fault(gathered, { code, place, retryable: true }, log)
  }
}

/** More than this is rather a broken export than a few broken lines. */
const QUARANTINE_MIN = 20
const QUARANTINE_SHARE_MAX = 0.01

function fault(gathered: Gathered, { code, place, retryable }: Gathered['faults'][number], log: Log): void {
  gathered.faults.push({ code, place, retryable })
  log('source.fault', { code, retryable })
}

function nothing(): Gathered {
  return {
    seen: 0,
    added: 0,
    changed: 0,
    unchanged: 0,
    held: 0,
    quarantined: 0,
    vanished: 0,
    braked: 0,
    windows: 0,
    faults: [],
  }
}
