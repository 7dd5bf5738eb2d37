import type { Content } from '@kakehashi/hub/content/content'
import { markErased } from '@kakehashi/hub/content/erase'
import type { StoreKey } from '@kakehashi/hub/content/keys'
import type { OpsStore } from '@kakehashi/hub/vault/ops'
import type { Place, Rooms } from '@kakehashi/hub/vault/parts'
import { roomsOf, type IdentityStore } from '@kakehashi/hub/vault/rooms'
import type { Env } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'

/** Whose records each batch brought in, as the vault was about to commit it; the row `batch` tells whether it did. */
export type Landings = Map<string, PatientKey[]>

/**
 * The real rooms, but for partition files: settling and rewriting them is DuckDB on real files (tested beside the
 * code); here everything accepted stays in landing, and an erasure takes it out of there.
 */
export function simRooms(
  ops: OpsStore,
  identity: IdentityStore,
  key: StoreKey,
  env: Env,
  landings: Landings,
): Rooms {
  const content: Content = { store: ops as never, directory: '/nowhere', memory: '/nowhere', key, env }
  const rooms = roomsOf(ops, content, identity)
  const places = rooms.places.map((place) =>
    place.place === 'content' ? landingOnly(place, content) : place,
  )
  return {
    ...rooms,
    places,
    async landRecords(tx, about, records, tombstones) {
      landings.set(about.batch, [...new Set(records.flatMap((record) => record.patients))])
      return rooms.landRecords(tx, about, records, tombstones)
    },
  }
}

function landingOnly(place: Place, content: Content): Place {
  return {
    ...place,
    async erase(patients, erasure) {
      const marked = await content.store.transact(
        (m: { records: number; landing: number }) => ({
          act: 'content.erasure-marked',
          actor: 'vault',
          detail: { charts: patients.length, records: m.records },
        }),
        (tx) => markErased(tx, content, patients, erasure),
      )
      return [{ place: 'content/landing', count: marked.landing, keysDestroyed: [] }]
    },
  }
}
