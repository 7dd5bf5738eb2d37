import type { Store } from '@kakehashi/store/store'
import type { AccountStore } from '../accounts/store.ts'
import type { ReleaseTables } from '../release/store.ts'
import type { ConsoleParts } from './parts.ts'

/** The operations store, seen as the one that holds accounts. */
export function accountStore({ ops }: Pick<ConsoleParts, 'ops'>): AccountStore {
  return ops as unknown as AccountStore
}

/** The operations store, seen as the one that holds releases. */
export function releaseStore({ ops }: Pick<ConsoleParts, 'ops'>): Store<ReleaseTables> {
  return ops as unknown as Store<ReleaseTables>
}
