import type { FacilityId } from '@kakehashi/protocol/ids'
import type { AskedPerson } from '@kakehashi/protocol/messages'

/** Who is meant by a stop that was said by name or number, and to whom it was said. */
export interface SaidOfStop {
  person: AskedPerson
  facilities: FacilityId[] | null
  erasureWanted: boolean
}

/**
 * Never part of a backup, like the list of stops: a restore must not forget whom a stop means. It names people, so each
 * stands alone and is destroyed when the person is erased.
 */
export interface SaidList {
  keep(stop: string, said: SaidOfStop): void
  read(stop: string): SaidOfStop | null
  forget(stop: string): void
}

/** For tests and the simulation: as durable as the map it is given. */
export function saidListOf(kept: Map<string, SaidOfStop>): SaidList {
  return {
    keep: (stop, said) => void kept.set(stop, said),
    read: (stop) => kept.get(stop) ?? null,
    forget: (stop) => void kept.delete(stop),
  }
}
