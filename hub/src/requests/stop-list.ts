import type { StopHandle } from '@kakehashi/protocol/ids'
import type { Track } from '@kakehashi/protocol/rules/state'

/** A stop, or its withdrawal, as kept outside the database: keyed hashes and handles, nothing that names anybody. */
export type StopEntry =
  | {
      stop: string
      origin: 'agent' | 'portal' | 'operator'
      charts: string[]
      handles: StopHandle[]
      tracks: Track[] | null
      operators: string[] | null
      requester: string
      standing: 'provisional' | 'confirmed'
      askedAt: number
      erasureAsked: boolean
      receipt: string | null
      /** Of a person said by name. */
      names?: string[]
      /** At whose counter it was asked, for the other hospitals. */
      agent?: string
    }
  | { stop: string; withdrawnAt: number; undone?: true }
  /** Charts, by keyed hash, of whom the stop was not. */
  | { stop: string; freed: string[]; freedAt: number }

/** Append-only and never part of a restore: a backup of yesterday must not undo a stop of today. */
export interface StopList {
  append(entry: StopEntry): void
  entries(): StopEntry[]
}

/** For tests and the simulation: as durable as the array it is given. */
export function stopListOf(kept: StopEntry[]): StopList {
  return { append: (entry) => void kept.push(entry), entries: () => [...kept] }
}
