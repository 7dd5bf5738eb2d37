import type { Instant } from '@kakehashi/protocol/env'
import type { StaffAsked } from './flow.ts'
import { isKeeper } from './rules.ts'
import type { StaffMember } from './store.ts'

/** Whoever is disabled counts for so long: nobody gets to act alone by disabling the other. */
const COUNTS_ON_MS = 30 * 86_400_000

type Change = Pick<StaffAsked, 'id' | 'role' | 'pin' | 'disabled'>

/** Chose a PIN of their own, and may keep the list of staff. */
function mayKeep(member: StaffMember): boolean {
  return isKeeper(member.role) && member.pinUntil === null
}

/** Somebody new, a PIN, a role, a return: from then on they can stand for a person of their own. */
function makesSomebody(before: StaffMember | undefined, asked: Change): boolean {
  const role = asked.role !== undefined && asked.role !== before?.role
  const back = asked.disabled === false && before?.disabled === true
  return before === undefined || role || back || asked.pin !== undefined
}

/**
 * How many privacy officers or IT people must prove that they want this change: none while there is none (the first
 * set-up), two for whatever makes somebody who can be the second of two, once there are two; else one.
 */
export function peopleNeeded(staff: readonly StaffMember[], asked: Change, now: Instant): 0 | 1 | 2 {
  const keepers = staff.filter(mayKeep)
  if (!keepers.some((one) => !one.disabled)) return 0
  const counted = keepers.filter((one) => one.disabledAt === null || now - one.disabledAt < COUNTS_ON_MS)
  const before = staff.find((one) => one.id === asked.id)
  return makesSomebody(before, asked) && counted.length > 1 ? 2 : 1
}

/** Whether nobody would be left to keep the list: anybody at the machine could begin anew. */
export function leavesNobody(staff: readonly StaffMember[], asked: Change): boolean {
  const keepers = staff.filter((one) => mayKeep(one) && !one.disabled)
  const stays = (one: StaffMember) =>
    one.id !== asked.id ||
    (asked.disabled !== true && asked.pin !== 'new' && isKeeper(asked.role ?? one.role))
  return keepers.length > 0 && !keepers.some(stays)
}
