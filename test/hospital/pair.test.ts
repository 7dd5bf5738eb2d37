import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { confirmDeletions } from '@kakehashi/agent/sources/sweep'
import { expect, test } from 'vitest'
import { sharedData } from './clinosim.ts'
import { openReader } from './reader.fixture.ts'

const a = sharedData('data/ehr/clinosim-jp-pair-A-2026-02-10')
const b = sharedData('data/ehr/clinosim-jp-pair-B-2026-02-24')
const why = a && b ? '' : ' (skipped: the shared data is not on this machine)'

test.skipIf(!a || !b)(`two exports of one hospital: exactly +6,773, 296 changed, −145${why}`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kakehashi-pair-'))
  try {
    const reader = await openReader()
    const connector = reader.folder(folder)
    await cp(a as string, folder, { recursive: true })
    expect(await reader.gather(connector)).toMatchObject({
      seen: 34_338,
      added: 34_338,
      quarantined: 0,
      faults: [],
    })
    await reader.store.db.deleteFrom('to_read').execute()
    await cp(b as string, folder, { recursive: true, force: true })
    // 85 of 470 DocumentReferences are missing from B: the brake asks a person about those
    const second = await reader.gather(connector)
    expect(second).toMatchObject({ added: 6773, changed: 296, vanished: 60, braked: 85, faults: [] })
    await confirmDeletions(reader.store as never, { source: 'ehr', type: 'DocumentReference', by: 'staff-1' })
    const third = await reader.gather(connector)
    expect(third).toMatchObject({ added: 0, changed: 0, vanished: 85, braked: 0 })
    expect(second.vanished + third.vanished).toBe(145)
    expect(await reader.gather(connector, true)).toMatchObject({
      seen: 40_966,
      added: 0,
      changed: 0,
      vanished: 0,
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
