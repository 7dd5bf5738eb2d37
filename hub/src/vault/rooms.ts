import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Store } from '@kakehashi/store/store'
import type { AuditTables } from '@kakehashi/store/audit'
import type { Content } from '../content/content.ts'
import { eraseContent } from '../content/erase.ts'
import { landRecords } from '../content/landing.ts'
import { eraseIdentity, liftIdentityErasure } from '../identity/erase.ts'
import { takeIdentity } from '../identity/intake.ts'
import type { LinkingTables } from '../linkage/store.ts'
import { dropBuildsWith } from '../release/erase.ts'
import type { ReleaseTables } from '../release/store.ts'
import { slices } from '../requests/charts.ts'
import { forgetSaid, keepSaid, readSaid, takeNamedStop } from '../requests/intake.ts'
import { chartsNumbered } from '../requests/named.ts'
import type { OpsStore } from './ops.ts'
import type { Place, Rooms } from './parts.ts'

export type IdentityStore = Store<LinkingTables & AuditTables>

/** The rooms of the vault behind one face: identity apart from content, and every place that must forget. */
export function roomsOf(ops: OpsStore, content: Content, identity: IdentityStore): Rooms {
  const linking = identity as unknown as Store<LinkingTables>
  return {
    async takeIdentity(records, tombstones) {
      await takeIdentity(linking, records, tombstones)
    },
    async landRecords(tx, about, records, tombstones) {
      return landRecords(tx as never, content, about, records, tombstones)
    },
    async forgetUnadmitted(patients) {
      const strangers = await withoutContent(ops, await knownTo(identity, patients))
      if (strangers.length === 0) return
      await eraseIdentity(linking, strangers)
      await linking.bookkeep((tx) => liftIdentityErasure(tx, linking, strangers))
    },
    keepSaid: (about, said) => keepSaid(identity, about, said),
    readSaid: (about) => readSaid(identity, about),
    forgetSaid: (about) => forgetSaid(identity, about),
    stopNamed: (parts, asked) => takeNamedStop(parts, identity, asked),
    chartsNumbered: (facility, number, birthDate) => chartsNumbered(identity.db, facility, number, birthDate),
    async leaveBuilds(patients) {
      await dropBuildsWith(releasing(ops), patients, 'stopped')
    },
    places: [identityPlace(identity, linking), contentPlace(ops, content), releasePlace(ops)],
  }
}

async function knownTo(identity: IdentityStore, patients: readonly PatientKey[]): Promise<PatientKey[]> {
  const known: PatientKey[] = []
  for (const part of slices(patients))
    for (const row of await identity.db
      .selectFrom('identity_patient')
      .select('patient')
      .where('patient', 'in', part)
      .execute())
      known.push(row.patient as PatientKey)
  return known
}

async function withoutContent(ops: OpsStore, patients: readonly PatientKey[]): Promise<PatientKey[]> {
  const held = new Set<string>()
  for (const part of slices(patients)) {
    for (const row of await ops.db
      .selectFrom('content_record')
      .select('owner')
      .distinct()
      .where('owner', 'in', part)
      .execute())
      held.add(row.owner)
    for (const row of await ops.db
      .selectFrom('content_about')
      .select('patient')
      .distinct()
      .where('patient', 'in', part)
      .execute())
      held.add(row.patient)
  }
  return patients.filter((patient) => !held.has(patient))
}

function identityPlace(identity: IdentityStore, linking: Store<LinkingTables>): Place {
  return {
    place: 'identity',
    async erase(patients) {
      const { places } = await eraseIdentity(linking, patients)
      return places.map(({ place, records }) => ({ place, count: records, keysDestroyed: [] }))
    },
    async charts() {
      const charts = await identity.db.selectFrom('identity_patient').select('patient').execute()
      const sources = await identity.db.selectFrom('identity_source').select('patient').distinct().execute()
      const links = await identity.db.selectFrom('link').select('patient').execute()
      return [...new Set([...charts, ...sources, ...links].map((row) => row.patient as PatientKey))]
    },
  }
}

function contentPlace(ops: OpsStore, content: Content): Place {
  return {
    place: 'content',
    async erase(patients, erasure) {
      const { places, keysDestroyed } = await eraseContent(content, patients, erasure)
      const rows = places.map(({ place, records }) => ({
        place,
        count: records,
        keysDestroyed: [] as string[],
      }))
      return [...rows, { place: 'content/keys', count: keysDestroyed.length, keysDestroyed }]
    },
    async charts() {
      const owners = await ops.db.selectFrom('content_record').select('owner').distinct().execute()
      const about = await ops.db.selectFrom('content_about').select('patient').distinct().execute()
      const keys = [...owners.map((row) => row.owner), ...about.map((row) => row.patient)]
      return [...new Set(keys.filter((key) => key.includes('/')))] as PatientKey[]
    },
  }
}

const releasing = (ops: OpsStore): Store<ReleaseTables> => ops as unknown as Store<ReleaseTables>

function releasePlace(ops: OpsStore): Place {
  return {
    place: 'release',
    async erase(patients) {
      const { places } = await dropBuildsWith(releasing(ops), patients, 'erased')
      return places.map(({ place, records }) => ({ place, count: records, keysDestroyed: [] }))
    },
    async charts() {
      const members = await ops.db.selectFrom('release_member').select('patient').distinct().execute()
      return members.map((row) => row.patient as PatientKey)
    },
  }
}
