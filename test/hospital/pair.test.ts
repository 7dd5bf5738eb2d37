import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { confirmDeletions } from '@kakehashi/agent/sources/sweep'
import { expect, test } from 'vitest'
import { sharedData } from './clinosim.ts'
import { loadFolder } from './fhir-server.ts'
import { createFhirService } from './fhir-service.ts'
import { getOf, openReader } from './reader.fixture.ts'

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

test.skipIf(!a || !b)(
  `the same pair behind a server with next links: the same changes, then nothing by one request a type${why}`,
  async () => {
    const now = Date.parse('2026-04-01T00:00:00Z')
    const old = Date.parse('2026-01-01T00:00:00Z')
    const service = createFhirService({ now: () => old })
    const reader = await openReader()
    const connector = reader.rest({ get: getOf(service), pageCount: 1000 })
    await loadFolder(service, a as string)
    service.options.now = () => now
    expect(await reader.gather(connector)).toMatchObject({ added: 34_338, quarantined: 0, faults: [] })
    const before = keysOf(service)
    const later = createFhirService({ now: () => old })
    await loadFolder(later, b as string)
    const after = keysOf(later)
    for (const key of before.keys())
      if (!after.has(key)) service.remove(...(key.split('/') as [string, string]))
    service.options.now = () => old
    await loadFolder(service, b as string)
    service.options.now = () => now
    const second = await reader.gather(connector, true)
    expect(second).toMatchObject({ added: 6773, changed: 296, vanished: 60, braked: 85, faults: [] })
    await confirmDeletions(reader.store as never, { source: 'ehr', type: 'DocumentReference', by: 'staff-1' })
    expect(await reader.gather(connector)).toMatchObject({ added: 0, changed: 0, vanished: 85, braked: 0 })
    const rows = await reader.store.db.selectFrom('source_ledger').select(['type', 'id', 'state']).execute()
    const there = rows.filter((row) => row.state !== 'gone').map((row) => `${row.type}/${row.id}`)
    expect(there.toSorted()).toEqual([...after.keys()].toSorted())
    await reader.store.db.deleteFrom('to_read').execute()
    const calls = service.calls
    expect(await reader.gather(connector)).toMatchObject({ seen: 0, added: 0, changed: 0, vanished: 0 })
    // the capability statement, and one question a type
    expect(service.calls - calls).toBeLessThanOrEqual(service.repository.types().length + 1)
    expect(await reader.store.db.selectFrom('to_read').selectAll().execute()).toEqual([])
  },
)

function keysOf(service: ReturnType<typeof createFhirService>): Map<string, string> {
  const { repository } = service
  return new Map(
    repository
      .types()
      .flatMap((type) =>
        repository.since(type, -Infinity).map((v) => [`${v.type}/${v.id}`, v.text] as const),
      ),
  )
}
