import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dropBuildsWith } from '@kakehashi/hub/release/erase'
import { newHouse } from '@kakehashi/hub/release/people.fixture'
import { PORTAL_JA } from '@kakehashi/hub/portal/pages/words.ja'
import { patientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'

const MEMBER = patientKey('hospital-a' as never, '0001')

test('T33 deletion and released data: undelivered sets drop the record, in a delivered one nobody is looked for, and the page says so', async () => {
  const house = await newHouse()
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-released-'))
  try {
    const release = (id: string, state: 'BUILT' | 'DELIVERED') => ({
      id,
      state,
      author: 'author',
      application: '{}',
      profile: '{}',
      revision: 1,
      digest: 'd',
      build: `build-${id}`,
      package_digest: null,
      created_at: 0,
      changed_at: 0,
    })
    const build = (id: string) => ({
      id: `build-${id}`,
      release: id,
      directory: join(dir, id),
      package_digest: 'p',
      persons: 1,
      fingerprint: new Uint8Array(1),
      made_at: 0,
      dropped_at: null,
    })
    await house.ops.bookkeep(async (tx) => {
      for (const [id, state] of [
        ['march', 'DELIVERED'],
        ['june', 'BUILT'],
      ] as const) {
        mkdirSync(join(dir, id))
        await tx.insertInto('release').values(release(id, state)).execute()
        await tx.insertInto('release_build').values(build(id)).execute()
      }
      // a delivery destroyed the key table of March: only the undelivered set still knows whose charts it holds
      await tx.insertInto('release_member').values({ build: 'build-june', patient: MEMBER }).execute()
      const key = { build: 'build-june', person: 'p-1', pseudonym: 'x', offset_days: 7 }
      await tx.insertInto('release_person').values(key).execute()
    })
    expect(await dropBuildsWith(house.ops, [MEMBER])).toMatchObject({ releases: ['june'] })
    expect([existsSync(join(dir, 'june')), existsSync(join(dir, 'march'))]).toEqual([false, true])
    expect(await house.ops.db.selectFrom('release_person').selectAll().execute()).toEqual([])
    const march = await house.ops.db
      .selectFrom('release_build')
      .selectAll()
      .where('release', '=', 'march')
      .executeTakeFirstOrThrow()
    expect(march.dropped_at).toBeNull()
    expect(await dropBuildsWith(house.ops, [MEMBER])).toEqual({ releases: [], places: [] })
  } finally {
    rmSync(dir, { recursive: true, force: true })
    await house.close()
  }
  expect(PORTAL_JA.erasureHint).toContain('取り戻せません')
})
