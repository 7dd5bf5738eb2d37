import type { AgentContext } from '../context.ts'
import { choosePin } from '../staff/flow.ts'
import { readStaff, staffByBadge, type StaffMember } from '../staff/store.ts'

/** What the counter asks about staff; read at every request, so that a change bites at once. */
export interface StaffDirectory {
  read(id: string): Promise<StaffMember | null>
  byBadge(scanned: string): Promise<StaffMember | null>
  choosePin(id: string, pin: string): Promise<StaffMember>
}

export function staffDirectory({ store, keys, env }: AgentContext): StaffDirectory {
  return {
    read: (id) => readStaff(store.db, id),
    byBadge: (scanned) => staffByBadge(store.db, keys, scanned),
    choosePin: (id, pin) => choosePin({ store, keys, env }, { id, pin }),
  }
}
