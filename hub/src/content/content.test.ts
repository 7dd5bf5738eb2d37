import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv } from '@kakehashi/protocol/env'
import { batchId, parsePatientKey } from '@kakehashi/protocol/ids'
import { closeFresh, freshLocation } from '@kakehashi/store/location.fixture'
import { openStore, type Location } from '@kakehashi/store/store'
import { afterEach, expect, test, vi } from 'vitest'
import type { Content } from './content.ts'
import { ENGINE } from './engine.fixture.ts'
import { eraseContent, liftErasure } from './erase.ts'
import { rewrapContentKeys } from './key-table.ts'
import { newStoreKey } from './keys.ts'
import { landRecords, type Landed } from './landing.ts'
import { MEMORY_ROOT } from './memory.ts'
import { openPartitions } from './open.ts'
import { HOSPITAL_A, sourceRecord } from './records.fixture.ts'
import { settle } from './settle.ts'
import { contentMigrations, type ContentTables } from './store.ts'

const PATIENCE_MS = 60_000
vi.setConfig({ testTimeout: PATIENCE_MS })

const env = systemEnv()
const clean: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const step of clean.splice(0)) await step()
})

async function newContent(): Promise<Content & { root: string; at: Location }> {
  const root = await mkdtemp(join(tmpdir(), 'kakehashi-content-'))
  const at = ENGINE === 'sqlite' ? join(root, 'ops.db') : freshLocation(ENGINE)
  const store = await openStore<ContentTables>(at, contentMigrations, env)
  clean.push(async () => {
    await closeFresh(store, at)
    await rm(root, { recursive: true })
  })
  return {
    store,
    directory: join(root, 'content'),
    memory: MEMORY_ROOT,
    key: newStoreKey(env),
    env,
    root,
    at,
  }
}

async function land(
  content: Content,
  records: ReturnType<typeof sourceRecord>[],
  tombstones: Parameters<typeof landRecords>[4] = [],
): Promise<Landed> {
  return content.store.bookkeep((tx) =>
    landRecords(tx, content, { batch: batchId('batch-1'), facility: HOSPITAL_A }, records, tombstones),
  )
}

async function codes(content: Content): Promise<unknown[]> {
  return openPartitions(content, async (db) => {
    const rows = await db.runAndReadAll('SELECT owner, code, number FROM content ORDER BY owner, code')
    return rows.getRowsJson()
  })
}

const condition = (id: string, code: string) => ({
  resourceType: 'Condition',
  id,
  code: { coding: [{ system: 'http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full', code }] },
})

test('R35 content: a record goes through landing into a sealed partition and reads back', async () => {
  const content = await newContent()
  const glucose = {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
    valueQuantity: { value: 98.5, code: 'mg/dL' },
    effectiveDateTime: '2026-02-01',
  }
  const first = await land(content, [
    sourceRecord('hospital-a/0001', condition('c1', 'E11.9')),
    sourceRecord('hospital-a/0002', glucose),
  ])
  expect(first).toMatchObject({ landed: 2, duplicates: 0 })
  expect(await land(content, [sourceRecord('hospital-a/0001', condition('c1', 'E11.9'))])).toMatchObject({
    landed: 0,
    duplicates: 1,
  })
  expect(await codes(content)).toEqual([
    ['hospital-a/0001', 'E11.9', null],
    ['hospital-a/0002', '2345-7', 98.5],
  ])
  expect(await land(content, [sourceRecord('hospital-a/0001', condition('c1', 'E11.9'))])).toMatchObject({
    duplicates: 1,
  })
})

test('T40 corrected record: the copy is corrected, and a tombstone erases it', async () => {
  const content = await newContent()
  const old = sourceRecord('hospital-a/0001', condition('c1', 'E11.9'))
  await land(content, [old, sourceRecord('hospital-a/0001', condition('c2', 'I10'))])
  await settle(content)
  expect(await land(content, [sourceRecord('hospital-a/0001', condition('c1', 'E10.9'))])).toMatchObject({
    landed: 1,
    versions: 1,
  })
  expect(await codes(content)).toEqual([
    ['hospital-a/0001', 'E10.9', null],
    ['hospital-a/0001', 'I10', null],
  ])
  const gone = { key: old.key, patients: old.patients, reason: 'deleted' as const }
  expect(await land(content, [], [gone])).toMatchObject({ tombstoned: 1 })
  expect(await land(content, [], [gone])).toMatchObject({ tombstoned: 0 })
  expect(await codes(content)).toEqual([['hospital-a/0001', 'I10', null]])
  expect(await land(content, [old])).toMatchObject({ landed: 1 })
  expect(await codes(content)).toHaveLength(2)
})

test('R35 content keeps no name, number or address of a Patient, and no Coverage', async () => {
  const content = await newContent()
  const patient = {
    resourceType: 'Patient',
    id: 'p1',
    identifier: [{ system: 'urn:oid:1.2.392.100495.20.3.51.1', value: 'SECRET-NUMBER' }],
    name: [{ text: '山田 太郎' }],
    birthDate: '1950-01-01',
    gender: 'male',
    address: [{ state: '13', text: '秘密町' }],
  }
  const coverage = { resourceType: 'Coverage', id: 'cov1', subscriberId: 'SECRET-NUMBER' }
  const result = await land(content, [
    sourceRecord('hospital-a/0001', patient),
    sourceRecord('hospital-a/0001', coverage),
  ])
  expect(result).toMatchObject({ landed: 1, identityOnly: 1 })
  const payloads = await openPartitions(content, async (db) =>
    (await db.runAndReadAll('SELECT payload FROM content')).getRowsJson(),
  )
  expect(payloads).toEqual([
    ['{"resourceType":"Patient","gender":"male","birthDate":"1950-01-01","address":[{"state":"13"}]}'],
  ])
})

test('R20 erasure: rows, landing and file go, keys are destroyed, an old copy of file and store stays shut', async () => {
  const content = await newContent()
  const mother = parsePatientKey('hospital-a/0001')
  await land(content, [
    sourceRecord('hospital-a/0001', condition('c1', 'O80')),
    sourceRecord('hospital-a/0002', condition('c2', 'P07.3')),
    sourceRecord(['hospital-a/0002', 'hospital-a/0001'], condition('both', 'Z37.0')),
  ])
  await settle(content)
  await land(content, [sourceRecord('hospital-a/0001', condition('late', 'O90'))])
  const before = await content.store.db.selectFrom('content_partition').selectAll().execute()
  const oldKeys = await content.store.db
    .selectFrom('content_key')
    .selectAll()
    .where('purpose', '=', 'file')
    .execute()

  const erased = await eraseContent(content, [mother])
  expect(erased.places.map((p) => p.place)).toContain('content/landing')
  expect(await codes(content)).toEqual([['hospital-a/0002', 'P07.3', null]])
  const touched = before.filter((row) => erased.keysDestroyed.includes(row.key_id))
  expect(touched.length).toBeGreaterThan(0)
  const present = await readdir(content.directory)
  for (const row of touched) expect(present).not.toContain(row.file)
  const kept = await content.store.db
    .selectFrom('content_key')
    .select(['id', 'wrapped', 'destroyed_at'])
    .where('id', 'in', erased.keysDestroyed)
    .execute()
  for (const key of kept) expect([key.wrapped.length, key.destroyed_at === null]).toEqual([0, false])
  const refused = await land(content, [sourceRecord('hospital-a/0001', condition('c9', 'I10'))])
  expect(refused).toMatchObject({ landed: 0, erased: [0] })
  expect(await eraseContent(content, [mother])).toMatchObject({ places: [] })

  const fresh = newStoreKey(env)
  await content.store.bookkeep((tx) => rewrapContentKeys(tx, content, fresh))
  await expect(codes(content)).rejects.toThrow('another store key')
  const rekeyed = { ...content, key: fresh }
  expect(await codes(rekeyed)).toHaveLength(1)
  expect(oldKeys.every((k) => k.wrapped_by !== fresh.id)).toBe(true)

  await content.store.bookkeep((tx) => liftErasure(tx, rekeyed, [mother]))
  expect(await land(rekeyed, [sourceRecord('hospital-a/0001', condition('c9', 'I10'))])).toMatchObject({
    landed: 1,
  })
})

test('R35 no plaintext of content is in any file of the vault, and nothing stays in memory-backed files', async () => {
  const content = await newContent()
  const planted = 'PLANTED-CANARY-7731'
  await land(content, [
    sourceRecord('hospital-a/0001', { ...condition('c1', 'E11.9'), note: [{ text: planted }] }),
  ])
  await settle(content)
  await land(content, [
    sourceRecord('hospital-a/0001', { ...condition('c2', 'E11.9'), note: [{ text: planted }] }),
  ])
  const files = await readdir(content.root, { recursive: true, withFileTypes: true })
  let read = 0
  for (const file of files) {
    if (!file.isFile()) continue
    const bytes = await readFile(join(file.parentPath, file.name))
    read += bytes.length
    expect(bytes.includes(planted)).toBe(false)
  }
  expect(read).toBeGreaterThan(1000)
  const open = (await readdir(MEMORY_ROOT)).filter((n) => n.startsWith(`kakehashi-open-${process.pid}-`))
  expect(open).toEqual([])
})

test('R35 an altered or cut partition file is refused', async () => {
  const content = await newContent()
  await land(content, [sourceRecord('hospital-a/0001', condition('c1', 'E11.9'))])
  await settle(content)
  const [file] = await readdir(content.directory)
  const path = join(content.directory, file ?? '')
  const bytes = await readFile(path)
  await writeFile(path, bytes.subarray(0, bytes.length - 1))
  await expect(codes(content)).rejects.toThrow(/cut short|does not open/)
})

test('R20 a settling that fails or is killed loses nothing and leaves no file behind', async () => {
  const content = await newContent()
  await land(content, [sourceRecord('hospital-a/0001', condition('c1', 'E11.9'))])
  const failing = Object.create(content.store) as Content['store']
  failing.transact = async () => {
    throw new Error('disk full')
  }
  await expect(settle({ ...content, store: failing })).rejects.toThrow('disk full')
  expect(await readdir(content.directory)).toHaveLength(1)
  const dead = 4_194_300
  await writeFile(join(content.directory, `p001-${dead}-left-behind.sealed`), 'x')
  await settle(content)
  expect(await readdir(content.directory)).toHaveLength(1)
  expect(await codes(content)).toHaveLength(1)
})

test('R20 two processes that settle at once neither lose nor double a record', async () => {
  const content = await newContent()
  const patients = Array.from({ length: 40 }, (_, i) => `hospital-a/${1000 + i}`)
  await land(
    content,
    patients.map((p) => sourceRecord(p, condition(`first-${p}`, 'I10'))),
  )
  await settle(content)
  await land(
    content,
    patients.map((p) => sourceRecord(p, condition(`second-${p}`, 'J00'))),
  )
  const store = await openStore<ContentTables>(content.at, contentMigrations, env)
  const other: Content = { ...content, store }
  await Promise.all([
    settle(content),
    settle(other),
    eraseContent(other, [parsePatientKey('hospital-a/1000')]),
  ])
  expect(await codes(content)).toHaveLength(78)
  expect(await codes(other)).toHaveLength(78)
  await store.close()
})
