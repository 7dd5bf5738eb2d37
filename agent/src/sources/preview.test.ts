import type { Store } from '@kakehashi/store/store'
import { expect, test } from 'vitest'
import { exportFolder, ledgerOf, nobodys, observation, openReader, patient } from './folder.fixture.ts'
import { preview } from './preview.ts'
import { sourceStandings } from './standing.ts'
import type { SourcesTables } from './store.ts'

const lines = (of: string[]) => of.map((line) => `${line}\n`).join('')

/** A folder that was read once, and has changed since. */
async function changedFolder() {
  const folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const values = Array.from({ length: 30 }, (_, n) => observation(`o${n}`, '1'))
  await folder.put('Patient.ndjson', lines([patient('1'), patient('2')]))
  await folder.put('Observation.ndjson', lines([...values, nobodys('lost')]))
  await reader.gather(connector)
  await folder.put(
    'Observation.ndjson',
    lines([...values.slice(2), observation('o2', '1', '2.0'), observation('new', '2'), '{"resourceType"']),
  )
  const store = reader.store as unknown as Store<SourcesTables>
  const signal = new AbortController().signal
  const look = (full: boolean) => preview({ store, connector, env: reader.env, signal, full })
  return { folder, reader, connector, store, look }
}

test('a preview counts what a round then does, and changes nothing', async () => {
  const { folder, reader, connector, look } = await changedFolder()
  await using _ = folder
  const before = await ledgerOf(reader.store)
  const dry = await look(false)
  expect(await ledgerOf(reader.store)).toEqual(before)
  expect(dry).toMatchObject({ source: 'ehr', seen: 29, added: 1, quarantined: 1, faults: [] })
  expect(await look(false)).toEqual(dry)
  const real = await reader.gather(connector)
  expect(real).toMatchObject({ added: dry.added, quarantined: dry.quarantined })
})

test('a preview of a sweep names what is missing, by type, and whether the brake would hold', async () => {
  const { folder, reader, connector, look } = await changedFolder()
  await using _ = folder
  await folder.put('Observation.ndjson', lines([observation('o5', '1')]))
  expect((await look(true)).missing).toEqual([{ type: 'Observation', missing: 30, total: 31, braked: true }])
  await folder.put(
    'Observation.ndjson',
    lines(Array.from({ length: 30 }, (_, n) => observation(`o${n}`, '1'))),
  )
  expect((await look(true)).missing).toEqual([{ type: 'Observation', missing: 1, total: 31, braked: false }])
  expect(await reader.gather(connector, { full: true })).toMatchObject({ vanished: 1 })
  expect((await look(true)).missing).toEqual([])
})

test('the standing of a source adds up to its ledger, and says since when something waits', async () => {
  const { folder, reader, connector, store } = await changedFolder()
  await using _ = folder
  const first = reader.env.at
  await reader.gather(connector)
  const [standing, ...others] = await sourceStandings(store.db)
  expect(others).toEqual([])
  expect(standing).toMatchObject({ source: 'ehr', quarantined: [{ code: 'LINE_NOT_JSON', places: 1 }] })
  const { records, readable, gone, held } = standing as NonNullable<typeof standing>
  expect(readable + gone + held.reduce((n, one) => n + one.records, 0)).toBe(records)
  expect(records).toBe((await ledgerOf(reader.store)).length)
  expect(held.map(({ code, records: n }) => [code, n])).toEqual([['PATIENT_UNRESOLVED', 1]])
  expect(held[0]?.oldest).toBeLessThan(first)
  expect(standing?.readAt).toBeGreaterThan(first)
})
