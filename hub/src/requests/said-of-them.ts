import type { PatientKey } from '@kakehashi/protocol/ids'
import type { OpsStore } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import { chartHash, slices } from './charts.ts'
import { queuedTicketOf } from './portal-stop.ts'
import { answerOf } from './tickets.ts'

/**
 * What somebody said of these people, or they of themselves: of the stop that is the reason, of every stop that means
 * nobody else, and of the tickets of such a stop. The stop itself holds on, by keyed hashes.
 */
export async function saidOfThem(
  db: OpsStore['db'],
  tombstoneKey: Uint8Array,
  reason: string | null,
  patients: readonly PatientKey[],
): Promise<string[]> {
  const stops = new Set<string>(reason === null ? [] : [reason])
  const own = new Set(patients.map((patient) => chartHash(tombstoneKey, patient)))
  const touched = new Set<string>()
  for (const part of slices([...own]))
    for (const { stop } of await db
      .selectFrom('stop_hash')
      .select('stop')
      .where('hash', 'in', part)
      .execute())
      touched.add(stop)
  for (const part of slices([...touched])) {
    const rows = await db.selectFrom('stop_hash').selectAll().where('stop', 'in', part).execute()
    const others = new Set(rows.filter(({ hash }) => !own.has(hash)).map(({ stop }) => stop))
    for (const stop of part) if (!others.has(stop)) stops.add(stop)
  }
  const said = [...stops]
  for (const stop of stops) {
    const ticket = queuedTicketOf(stop)
    if (ticket !== null) said.push(ticket, answerOf(ticket))
  }
  for (const part of slices([...stops]))
    for (const { ticket } of await db
      .selectFrom('ticket')
      .select('ticket')
      .where('stop', 'in', part)
      .execute())
      said.push(ticket, answerOf(ticket))
  return [...new Set(said)]
}

export async function forgetWords(parts: VaultParts, about: readonly string[]): Promise<number> {
  for (const one of about) parts.saids?.forget(one)
  return parts.rooms.forgetSaid(about)
}
