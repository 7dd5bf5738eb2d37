import type { Env } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { rm } from 'node:fs/promises'
import type { Store, Tx } from '@kakehashi/store/store'
import type { ReleaseTables } from './store.ts'
import { move, releaseRow } from './transition.ts'

export interface BuildsDropped {
  /** Releases whose build contained one of the charts and was never delivered. */
  releases: string[]
  places: { place: string; records: number }[]
}

const AT_ONCE = 400

/**
 * Drops every undelivered build that contains one of these charts: after an erasure, a stop, or an unlink. A delivered
 * release has no key table any more; nothing tries to find the person in it (LAW trap 33).
 */
export async function dropBuildsWith(
  store: Store<ReleaseTables>,
  patients: readonly PatientKey[],
  why: 'erased' | 'stopped' | 'unlinked' = 'erased',
): Promise<BuildsDropped> {
  const dropped = await store.transact<BuildsDropped>(
    (d) =>
      d.releases.length === 0
        ? null
        : { act: 'release.builds-dropped', actor: 'vault', detail: { why, builds: d.releases.length } },
    async (tx) => {
      const found: BuildsDropped = { releases: [], places: [] }
      for (const { build, release } of await buildsWith(tx, patients)) {
        const row = await releaseRow(tx, release)
        await dropBuild(tx, store.env, build)
        if (row.build === build)
          await move(
            tx,
            row,
            'drop-build',
            { actor: 'vault', at: store.env.now(), note: why },
            { build: null, package_digest: null },
          )
        found.releases.push(release)
        found.places.push({ place: `release/${release}/${build}`, records: 1 })
      }
      return found
    },
  )
  await removeDroppedBuilds(store)
  return dropped
}

async function buildsWith(
  tx: Tx<ReleaseTables>,
  patients: readonly PatientKey[],
): Promise<{ build: string; release: string }[]> {
  const builds = new Map<string, { build: string; release: string }>()
  for (let i = 0; i < patients.length; i += AT_ONCE) {
    const rows = await tx
      .selectFrom('release_member as m')
      .innerJoin('release_build as b', 'b.id', 'm.build')
      .select(['b.id as build', 'b.release'])
      .distinct()
      .where('m.patient', 'in', patients.slice(i, i + AT_ONCE))
      .where('b.dropped_at', 'is', null)
      .execute()
    for (const row of rows) builds.set(row.build, row)
  }
  return [...builds.values()]
}

/** The key table and the list of members go; the build's row stays for the history. */
export async function dropBuild(tx: Tx<ReleaseTables>, env: Env, build: string): Promise<void> {
  await destroyKeyTable(tx, build)
  await tx.updateTable('release_build').set({ dropped_at: env.now() }).where('id', '=', build).execute()
}

export async function destroyKeyTable(tx: Tx<ReleaseTables>, build: string): Promise<void> {
  await tx.deleteFrom('release_person').where('build', '=', build).execute()
  await tx.deleteFrom('release_member').where('build', '=', build).execute()
}

/** Files of builds that were dropped: after the transaction, and again whenever a crash left some. */
export async function removeDroppedBuilds(store: Store<ReleaseTables>): Promise<void> {
  const rows = await store.db
    .selectFrom('release_build')
    .select('directory')
    .where('dropped_at', 'is not', null)
    .execute()
  for (const { directory } of rows) await rm(directory, { recursive: true, force: true })
}
