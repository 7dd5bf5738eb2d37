import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { rootsIn } from './roots.ts'
import { adt00, jis, pathOf } from './storage.fixture.ts'

const dir = await mkdtemp(join(tmpdir(), 'kakehashi-roots-'))
afterAll(() => rm(dir, { recursive: true, force: true }))

async function storage(name: string, patient = '0000123456'): Promise<string> {
  const root = join(dir, name)
  const path = pathOf(root, { patient, kind: 'ADT-00', at: '20260101000000000' })
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, jis(adt00(patient)))
  return root
}

test('a storage is known by its layout, wherever in the two levels it begins, and by nothing else', async () => {
  const root = await storage('one')
  expect(await rootsIn(root)).toEqual([{ path: root, institution: null }])
  const [a, b] = [await storage('many/1310000001_2024'), await storage('many/1310000001_2025')]
  expect(await rootsIn(join(dir, 'many'))).toEqual([
    { path: a, institution: '1310000001' },
    { path: b, institution: '1310000001' },
  ])
  // numbers shorter than six characters make short folders
  const short = await storage('short', '12345')
  expect(await rootsIn(short)).toHaveLength(1)
  const bulk = join(dir, 'bulk')
  await mkdir(join(bulk, '000', '000'), { recursive: true })
  await writeFile(join(bulk, 'Patient.ndjson'), '{}')
  expect(await rootsIn(bulk)).toEqual([])
  expect(await rootsIn(join(dir, 'nowhere'))).toEqual([])
})
