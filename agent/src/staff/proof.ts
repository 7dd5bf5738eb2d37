import { NOBODYS_SECRET, secretMatches } from '@kakehashi/protocol/secret-hash'
import { Attempts, type AttemptTables } from '@kakehashi/store/attempts'
import type { Store } from '@kakehashi/store/store'
import type { AgentStore } from '../store/store.ts'
import type { StaffMember } from './store.ts'

/** Guesses at PINs and badges, counted alike at every counter and on the command line. */
export function attemptsAt(house: { store: AgentStore; keys: { about: Uint8Array } }): Attempts {
  return new Attempts(house.store as unknown as Store<AttemptTables>, house.keys.about)
}

export type Proof = { is: 'proven'; member: StaffMember } | { is: 'wait'; ms: number } | { is: 'refused' }

/**
 * Whether whoever typed `name` knows that member's PIN. Nobody's, a disabled member's and a first PIN that is too late are
 * refused alike, and take as long.
 */
export async function provePin(
  house: { attempts: Attempts; now: number; read(name: string): Promise<StaffMember | null> },
  name: string,
  pin: string,
): Promise<Proof> {
  const ms = await house.attempts.begin(name)
  if (ms > 0) return { is: 'wait', ms }
  const member = await house.read(name)
  const matches = await secretMatches(pin, member?.pin || NOBODYS_SECRET)
  const late = (member?.pinUntil ?? Infinity) <= house.now
  if (!member || member.disabled || late || !matches) return { is: 'refused' }
  await house.attempts.succeeded(name)
  return { is: 'proven', member }
}

/** Whoever is the second of two: knows patients, and chose the PIN they showed. */
export function mayStandIn(member: StaffMember): boolean {
  return member.pinUntil === null && member.role !== 'it'
}
