import { expect, test } from 'vitest'
import type { SourceConnector } from './connector.ts'
import {
  exportFolder,
  type ExportFolder,
  fetched,
  key,
  ledgerOf,
  observation,
  openReader,
  patient,
  type Reader,
} from './folder.fixture.ts'
import { enterGiven, missingKeys } from './ledger.ts'
import { clearToRead, dueTombstones, markToRead, patientsToRead, recordSent, sentHashes } from './store.ts'
import { confirmDeletions, heldDeletions } from './sweep.ts'

const lines = (all: string[]) => all.map((one) => `${one}\n`).join('')
const EVERYTHING = { types: null, except: [], files: null }
const range = (n: number) => Array.from({ length: n }, (_, at) => at)

/** As if the vault had accepted everything. */
async function sendAll(reader: Reader, connector: SourceConnector, patients: string[]): Promise<void> {
  const { records } = await fetched(connector, patients.map(key))
  const sent = records.map((record) => ({
    key: `${record.key.source}|${record.key.type}|${record.key.id}`,
    hash: record.contentHash,
    patient: record.patients[0] as ReturnType<typeof key>,
  }))
  await reader.store.bookkeep((tx) => recordSent(tx as never, sent, 1))
}

test('T40 corrected record (DATA T13): what vanished is told to the vault if it had been sent, and only then', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put('Observation.ndjson', lines([observation('a', '1'), observation('b', '1')]))
  await reader.gather(connector)
  await sendAll(reader, connector, ['1'])
  await folder.put(
    'Observation.ndjson',
    lines([observation('a', '1'), observation('b', '1'), observation('c', '1')]),
  )
  await reader.gather(connector)
  await folder.put('Observation.ndjson', lines([observation('a', '1')]))
  expect(await reader.gather(connector)).toMatchObject({ vanished: 2 })
  const due = await dueTombstones(reader.store.db as never, key('1'))
  expect(due).toMatchObject([{ key: { id: 'b' }, patients: [key('1')], reason: 'vanished' }])
})

test('DATA T13 what was given before any pass had shown it is missed by the next full one', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put('Observation.ndjson', lines([observation('a', '1'), observation('b', '1')]))
  await reader.gather(connector)
  const late = { key: `${connector.id}|Observation|late`, hash: 'f'.repeat(64), patient: key('1') }
  await reader.store.bookkeep(async (tx) => {
    await recordSent(tx as never, [late], 1)
    await enterGiven(tx as never, [late], 0)
    await enterGiven(tx as never, [{ ...late, hash: 'e'.repeat(64) }], 0)
  })
  expect(await missingKeys(reader.store.db as never, connector.id, 1, EVERYTHING, 'Observation')).toEqual([
    {
      key: { source: connector.id, type: 'Observation', id: 'late' },
      patients: [key('1')],
      told: false,
    },
  ])
})

test('DATA T15 what comes back after it had gone is new again', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const both = lines([observation('a', '1'), observation('b', '1')])
  await folder.put('Observation.ndjson', both)
  await reader.gather(connector)
  await folder.put('Observation.ndjson', lines([observation('a', '1')]))
  expect(await reader.gather(connector)).toMatchObject({ vanished: 1 })
  await folder.put('Observation.ndjson', both)
  expect(await reader.gather(connector)).toMatchObject({ added: 1, unchanged: 1, vanished: 0 })
})

test('what comes back before its tombstone was sent needs none', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const both = lines([observation('a', '1'), observation('b', '1')])
  await folder.put('Observation.ndjson', both)
  await reader.gather(connector)
  await sendAll(reader, connector, ['1'])
  await folder.put('Observation.ndjson', lines([observation('a', '1')]))
  await reader.gather(connector)
  expect(await dueTombstones(reader.store.db as never, key('1'))).toHaveLength(1)
  await folder.put('Observation.ndjson', both)
  await reader.gather(connector)
  expect(await dueTombstones(reader.store.db as never, key('1'))).toEqual([])
})

test('of a record given twice in one export the later one prevails', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put(
    'Observation.ndjson',
    lines([observation('a', '1', '1.0'), observation('b', '1'), observation('a', '1', '2.0')]),
  )
  expect(await reader.gather(connector)).toMatchObject({ seen: 3, added: 2 })
  const { records } = await fetched(connector, [key('1')])
  expect(records.map((record) => record.key.id)).toEqual(['b', 'a'])
  expect(Buffer.from(records[1]?.payload ?? []).toString()).toBe(observation('a', '1', '2.0'))
})

test('a record that turns out to be about somebody else is taken back from whom it was sent for', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put('Observation.ndjson', lines([observation('a', '1')]))
  await reader.gather(connector)
  await sendAll(reader, connector, ['1'])
  await folder.put('Observation.ndjson', lines([observation('a', '2')]))
  await reader.gather(connector)
  expect(await dueTombstones(reader.store.db as never, key('1'))).toMatchObject([
    { key: { id: 'a' }, reason: 'superseded' },
  ])
})

test('DATA T13 the brake: too many missing are held until a person confirms, and then no more than were shown', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const put = (n: number) =>
    folder.put('Observation.ndjson', lines(range(n).map((at) => observation(`o${at}`, '1'))))
  const confirm = () =>
    confirmDeletions(reader.store as never, { source: 'ehr', type: 'Observation', by: 'staff-1' })
  await put(1000)
  await reader.gather(connector)
  await put(960)
  expect(await reader.gather(connector)).toMatchObject({ vanished: 40, braked: 0 })
  await put(900)
  expect(await reader.gather(connector)).toMatchObject({ vanished: 0, braked: 60 })
  expect(await heldDeletions(reader.store as never)).toMatchObject([
    { type: 'Observation', missing: 60, total: 960 },
  ])
  expect(await confirm()).toBe(true)
  await put(100)
  expect(await reader.gather(connector)).toMatchObject({ vanished: 0, braked: 860 })
  expect(await confirm()).toBe(true)
  expect(await reader.gather(connector)).toMatchObject({ vanished: 860, braked: 0 })
  expect(await heldDeletions(reader.store as never)).toEqual([])
  const leaves = await reader.store.db
    .selectFrom('audit_leaf' as never)
    .selectAll()
    .execute()
  expect(leaves).toHaveLength(2)
})

test('DATA T13 an empty folder deletes nothing', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put('Observation.ndjson', lines(range(300).map((at) => observation(`o${at}`, '1'))))
  await reader.gather(connector)
  await folder.remove('Observation.ndjson')
  expect(await reader.gather(connector)).toMatchObject({ vanished: 0, braked: 300 })
})

interface Told {
  records: number
  /** Records told since the last checkpoint: what a kill now would lose. */
  open: number
  lost: number[]
}

/** Ends the process, as far as the tables can tell: the connector throws in the midst of a window. */
function killedAfter(connector: SourceConnector, events: number, told: Told): SourceConnector {
  return {
    id: connector.id,
    kind: connector.kind,
    probe: (signal) => connector.probe(signal),
    fetchPatient: (one, signal) => connector.fetchPatient(one, signal),
    fetchPatients: (some, signal) => connector.fetchPatients(some, signal),
    async *changes(from, options) {
      let left = events
      told.open = 0
      for await (const event of connector.changes(from, options)) {
        if (left-- === 0) {
          told.lost.push(told.open)
          throw new Error('killed')
        }
        if (event.t === 'record') {
          told.records++
          told.open++
        }
        if (event.t === 'checkpoint') told.open = 0
        yield event
      }
    },
  }
}

async function fill(folder: ExportFolder, from: number, to: number, value: string): Promise<void> {
  const ids = range(to).slice(from)
  await folder.put('Patient.ndjson', lines(range(50).map((n) => patient(`p${n}`))))
  await folder.put('Observation.ndjson', lines(ids.map((n) => observation(`o${n}`, `p${n % 50}`, value))))
  await folder.put(
    'Condition.ndjson',
    lines(ids.map((n) => observation(`c${n}`, `p${n % 50}`).replace('Observation', 'Condition'))),
  )
}

test(
  'killed anywhere, it reads at most one window again, and ends as if it had never been killed',
  { timeout: 60_000 },
  async () => {
    await using folder = await exportFolder()
    await using other = await exportFolder()
    const [clean, reader] = [await openReader(), await openReader()]
    await fill(folder, 0, 2300, '1.0')
    await fill(other, 0, 2300, '1.0')
    await clean.gather(other.connector(clean.index))
    await reader.gather(folder.connector(reader.index))
    await fill(folder, 100, 2400, '1.00')
    await fill(other, 100, 2400, '1.00')
    const expected = await clean.gather(other.connector(clean.index))
    const connector = folder.connector(reader.index)
    const told: Told = { records: 0, open: 0, lost: [] }
    const points = [1, 2, 49, 52, 1500, 2010, 60, 5, 2300, 301]
    for (let n = 0; ; n++) {
      const kill = points[n % points.length] as number
      const ended = await reader.gather(killedAfter(connector, kill, told)).catch(String)
      if (typeof ended !== 'string') break
      expect(ended).toContain('killed')
    }
    // every record once, and those of the windows that were lost once more
    expect(told.records).toBe(expected.seen + told.lost.reduce((sum, lost) => sum + lost, 0))
    expect(Math.max(...told.lost)).toBeLessThanOrEqual(2000)
    expect(told.lost.length).toBeGreaterThan(8)
    expect(await ledgerOf(reader.store)).toEqual(await ledgerOf(clean.store))
    expect(expected).toMatchObject({ added: 200, changed: 2200, vanished: 200 })
    const spans = async ({ store }: Reader) =>
      store.db
        .selectFrom('source_span')
        .selectAll()
        .orderBy('file')
        .orderBy('start')
        .orderBy('patient')
        .execute()
    expect(await spans(reader)).toEqual(await spans(clean))
    const patients = range(50).map((n) => key(`p${n}`))
    const [one, two] = [
      await fetched(connector, patients),
      await fetched(other.connector(clean.index), patients),
    ]
    expect(one.records.map((r) => r.contentHash)).toEqual(two.records.map((r) => r.contentHash))
    expect(one.complete).toEqual(patients)
  },
)

test('a mark that came while the patient was being read is not lost', async () => {
  const reader = await openReader()
  const bookkeep = (change: (tx: never) => Promise<void>) =>
    reader.store.bookkeep((tx) => change(tx as never))
  await bookkeep((tx) => markToRead(tx, key('1'), 1))
  await bookkeep((tx) => markToRead(tx, key('2'), 2))
  const [first, second] = await patientsToRead(reader.store.db as never, 10)
  expect([first, second]).toEqual([
    { patient: key('1'), since: 1, marks: 1 },
    { patient: key('2'), since: 2, marks: 1 },
  ])
  expect(await patientsToRead(reader.store.db as never, 10, first)).toEqual([second])
  await bookkeep((tx) => markToRead(tx, key('1'), 3))
  await bookkeep((tx) => clearToRead(tx, first as NonNullable<typeof first>))
  await bookkeep((tx) => clearToRead(tx, second as NonNullable<typeof second>))
  expect(await patientsToRead(reader.store.db as never, 10)).toEqual([
    { patient: key('1'), since: 1, marks: 2 },
  ])
})

test('the newest version the vault has is remembered by key', async () => {
  const reader = await openReader()
  const sent = (hash: string, seq: number) =>
    reader.store.bookkeep((tx) =>
      recordSent(tx as never, [{ key: 'ehr|Observation|a', hash, patient: key('1') }], seq),
    )
  await sent('x', 1)
  await sent('y', 2)
  expect(await sentHashes(reader.store.db as never, key('1'))).toEqual(new Map([['ehr|Observation|a', 'y']]))
})
