import { join } from 'node:path'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { readApplication, readStoredProfile } from './application.ts'
import type { ReleaseContext } from './context.ts'
import { destroyKeyTable, dropBuildsWith } from './erase.ts'
import { sealParcel, type ParcelLabel } from './parcel.ts'
import { next } from './rules.ts'
import { hasPassed, move, releaseRow, ReleaseRefused } from './transition.ts'
import { verifyPackage } from './verify.ts'

const PAGE = 400

/**
 * Hands a checked package over: looks once more whether anyone in it has stopped or been erased since, checks that
 * the files are those the reviewers saw, seals them to the user, and destroys the key table.
 */
export async function deliverRelease(
  context: ReleaseContext,
  release: string,
  actor: string,
): Promise<{ parcel: string; label: ParcelLabel }> {
  const row = await releaseRow(context.ops.db, release)
  const build = row.build
  if (next(row.state, 'deliver') === null || build === null || row.package_digest === null)
    throw new ReleaseRefused('出力確認が済んでいないため提供できません。二人の確認を受けてください。')
  if (!(await hasPassed(context.ops.db, release, 'output', row.package_digest)))
    throw new ReleaseRefused('この内容への二人の確認がありません。出力確認をやり直してください。')
  await refuseBlockedMembers(context, build, readStoredProfile(row.profile).track)
  const made = await context.ops.db
    .selectFrom('release_build')
    .selectAll()
    .where('id', '=', build)
    .executeTakeFirstOrThrow()
  const checked = await verifyPackage(made.directory, context.signing.public, context.content.memory)
  if (!checked.ok || checked.digest !== row.package_digest)
    throw new ReleaseRefused('作成したファイルが確認したときと違います。作成からやり直してください。')
  const parcel = join(context.directory, release, 'parcel')
  const recipientKey = readApplication(row.application).recipient.key
  const about = { release, packageDigest: row.package_digest, recipientKey }
  const label = await sealParcel(made.directory, parcel, about, context.signing, context.env)
  await context.ops.transact(
    {
      act: 'release.delivered',
      actor,
      detail: { release, digest: about.packageDigest, sha256: label.sha256 },
    },
    async (tx) => {
      const now = await releaseRow(tx, release)
      if (now.build !== build || now.package_digest !== about.packageDigest)
        throw new ReleaseRefused('提供の直前に内容が変わりました。状態を確認してください。')
      await move(tx, now, 'deliver', { actor, at: context.env.now() })
      await tx
        .insertInto('release_delivery')
        .values({
          release,
          build,
          package_digest: about.packageDigest,
          recipient_key: recipientKey,
          sealed_sha256: label.sha256,
          at: context.env.now(),
        })
        .execute()
      await destroyKeyTable(tx, build)
    },
  )
  return { parcel, label }
}

async function refuseBlockedMembers(
  context: ReleaseContext,
  build: string,
  track: 'ANON' | 'PSEUDO',
): Promise<void> {
  const members = await context.ops.db
    .selectFrom('release_member')
    .select('patient')
    .where('build', '=', build)
    .execute()
  const charts = members.map((m) => m.patient as PatientKey)
  const blocked: PatientKey[] = []
  for (let i = 0; i < charts.length; i += PAGE)
    blocked.push(...(await context.blocked(charts.slice(i, i + PAGE), track)))
  if (blocked.length === 0) return
  await dropBuildsWith(context.ops, blocked, 'stopped')
  throw new ReleaseRefused(
    '作成の後に提供停止または削除の求めがありました。この作成分は破棄しました。作成からやり直してください。',
  )
}
