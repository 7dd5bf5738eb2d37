import { rm } from 'node:fs/promises'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Tx } from '@kakehashi/store/store'
import { applicationDigest, readApplication, readStoredProfile } from './application.ts'
import { buildPackage, type BuiltPackage } from './build.ts'
import type { ReleaseContext } from './context.ts'
import { dropBuild, removeDroppedBuilds } from './erase.ts'
import { next } from './rules.ts'
import type { ReleaseTables } from './store.ts'
import { hasPassed, move, releaseRow, ReleaseRefused } from './transition.ts'

const INSERT_MAX = 400

/**
 * Builds the package of an approved release. Refuses without two approvals of exactly what is asked now; `asked`
 * (the digest the caller has in mind) must be it. Building again voids the votes on the earlier package.
 */
export async function buildRelease(
  context: ReleaseContext,
  release: string,
  actor: string,
  asked: string | null = null,
): Promise<BuiltPackage> {
  const row = await releaseRow(context.ops.db, release)
  const application = readApplication(row.application)
  const profile = readStoredProfile(row.profile)
  const approved = applicationDigest(application, profile, Number(row.revision))
  if (
    next(row.state, 'build') === null ||
    approved !== row.digest ||
    (asked !== null && asked !== approved) ||
    !(await hasPassed(context.ops.db, release, 'review', approved))
  )
    throw new ReleaseRefused(
      '承認された内容と一致しないため作成できません。申請を直して、もう一度審査を受けてください。',
    )
  const built = await buildPackage(context, { id: release, digest: approved }, application, profile)
  try {
    await refuseBlocked(context, built)
    await context.ops.transact(
      {
        act: 'release.built',
        actor,
        detail: { release, build: built.build, digest: built.digest, persons: built.members.length },
      },
      (tx) => keepBuild(tx, context, release, actor, approved, built),
    )
  } catch (error) {
    await rm(built.directory, { recursive: true, force: true })
    throw error
  }
  await removeDroppedBuilds(context.ops)
  return built
}

/** A stop that came while the package was made. */
async function refuseBlocked(context: ReleaseContext, built: BuiltPackage): Promise<void> {
  const charts = built.members.flatMap((m) => m.charts) as PatientKey[]
  for (let i = 0; i < charts.length; i += INSERT_MAX) {
    const blocked = await context.blocked(charts.slice(i, i + INSERT_MAX), 'ANON')
    if (blocked.size > 0)
      throw new ReleaseRefused('作成中に提供停止の求めがありました。もう一度作成してください。')
  }
}

async function keepBuild(
  tx: Tx<ReleaseTables>,
  context: ReleaseContext,
  release: string,
  actor: string,
  approved: string,
  built: BuiltPackage,
): Promise<void> {
  const row = await releaseRow(tx, release)
  if (row.digest !== approved)
    throw new ReleaseRefused('作成中に申請の内容が変わりました。もう一度審査を受けてください。')
  if (row.build) await dropBuild(tx, context.env, row.build)
  const at = context.env.now()
  await tx
    .insertInto('release_build')
    .values({
      id: built.build,
      release,
      directory: built.directory,
      package_digest: built.digest,
      persons: built.members.length,
      fingerprint: built.fingerprint,
      made_at: at,
      dropped_at: null,
    })
    .execute()
  const people = built.members.map((m) => ({
    build: built.build,
    person: m.person,
    pseudonym: m.pseudonym,
    offset_days: m.offsetDays,
  }))
  const charts = built.members.flatMap((m) => m.charts.map((patient) => ({ build: built.build, patient })))
  for (let i = 0; i < people.length; i += INSERT_MAX)
    await tx
      .insertInto('release_person')
      .values(people.slice(i, i + INSERT_MAX))
      .execute()
  for (let i = 0; i < charts.length; i += INSERT_MAX)
    await tx
      .insertInto('release_member')
      .values(charts.slice(i, i + INSERT_MAX))
      .execute()
  await move(tx, row, 'build', { actor, at }, { build: built.build, package_digest: built.digest })
}
