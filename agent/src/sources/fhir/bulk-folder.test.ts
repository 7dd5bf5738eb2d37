import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { FetchEvent } from '../connector.ts'
import { LABEL_POLICY } from '../labels.ts'
import { ledgerCounts, quarantined } from '../store.ts'
import { fetchFromFolder } from './folder-fetch.ts'
import { filesOf } from './folder-files.ts'
import {
  exportFolder,
  FACILITY,
  fetched,
  key,
  ledgerOf,
  observation,
  openReader,
  patient,
} from '../folder.fixture.ts'

const lines = (...all: string[]) => `${all.join('\n')}\n`

test('reads plain and packed files, and counts a second round as nothing', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put('Patient.ndjson', lines(patient('1'), patient('2')))
  await folder.put('Observation.ndjson.gz', gzipSync(lines(observation('a', '1'), observation('b', '2'))))
  expect(await reader.gather(connector)).toMatchObject({ seen: 4, added: 4, quarantined: 0, faults: [] })
  expect(await reader.gather(connector)).toMatchObject({ seen: 0, added: 0, changed: 0, vanished: 0 })
  expect(await reader.gather(connector, { full: true })).toMatchObject({ seen: 4, unchanged: 4, changed: 0 })
  const rows = await reader.store.db.selectFrom('to_read').select('patient').orderBy('patient').execute()
  expect(rows.map((row) => row.patient)).toEqual([key('1'), key('2')])
})

test('DATA T4 T17 a change is a change of content, whatever lastUpdated says', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const at = (text: string, version: string, when: string) =>
    text.replace('"status"', `"meta":{"versionId":"${version}","lastUpdated":"${when}"},"status"`)
  const put = (...all: string[]) => folder.put('Observation.ndjson', lines(...all))
  await put(
    at(observation('a', '1', '1.0'), '1', '2026-01-01'),
    at(observation('b', '1', '1.0'), '1', '2026-01-01'),
  )
  await reader.gather(connector)
  await put(
    at(observation('a', '1', '1.00'), '1', '2026-01-01'),
    at(observation('b', '1', '1.0'), '2', '2026-03-03'),
  )
  expect(await reader.gather(connector)).toMatchObject({ added: 0, changed: 1, unchanged: 1 })
})

test('bad input: each broken line is named by file and line, the others are read, nothing is taken for deleted', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put(
    'Observation.ndjson',
    lines(observation('a', '1'), observation('b', '1'), observation('c', '1')),
  )
  await reader.gather(connector)
  const secret = '{"resourceType":"Observation","id":"x","note":"秘密'
  await folder.put(
    'Observation.ndjson',
    Buffer.concat([
      Buffer.from(`\ufeff${observation('a', '1')}\r\n\r\n${secret}\n`),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d, 0x0a]),
      Buffer.from(
        `${observation('d', '1')}\n{"resourceType":"Observation"}\n${observation('b', '1').slice(0, 40)}`,
      ),
    ]),
  )
  expect(await reader.gather(connector)).toMatchObject({
    seen: 2,
    added: 1,
    quarantined: 4,
    vanished: 0,
    braked: 0,
  })
  const rows = await reader.store.db.selectFrom('quarantine').selectAll().orderBy('place').execute()
  expect(rows.map(({ place, code }) => [place, code])).toEqual([
    ['Observation.ndjson:3', 'LINE_NOT_JSON'],
    ['Observation.ndjson:4', 'NOT_UTF8'],
    ['Observation.ndjson:6', 'NOT_A_RESOURCE'],
    ['Observation.ndjson:7', 'LINE_NOT_JSON'],
  ])
  expect(JSON.stringify(rows)).not.toContain('秘密')
  expect(await quarantined(reader.store.db as never, 2)).toMatchObject([
    { code: 'LINE_NOT_JSON' },
    { code: 'NOT_UTF8' },
  ])
  expect(await ledgerCounts(reader.store.db as never)).toEqual([
    { source: 'ehr', type: 'Observation', state: 'active', code: null, records: 4 },
  ])
  await folder.put('Observation.ndjson', lines(observation('a', '1'), observation('d', '1')))
  expect(await reader.gather(connector)).toMatchObject({ quarantined: 0, vanished: 2 })
  expect(await reader.store.db.selectFrom('quarantine').selectAll().execute()).toEqual([])
})

test('DATA T24 a truncated download is a fault of that file alone, tried again, and deletes nothing', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const many = Array.from({ length: 500 }, (_, n) => observation(`o${n}`, '1', `${n}.50`))
  const packed = gzipSync(lines(...many))
  await folder.put('Patient.ndjson', lines(patient('1')))
  await folder.put('Observation.ndjson.gz', packed)
  await reader.gather(connector)
  await folder.put('Observation.ndjson.gz', packed.subarray(0, packed.length - 200))
  await folder.put('Patient.ndjson', lines(patient('1'), patient('2')))
  const cut = await reader.gather(connector)
  expect(cut).toMatchObject({ added: 1, vanished: 0, braked: 0 })
  expect(cut.faults).toEqual([{ code: 'SOURCE_ANSWER_BAD', place: 'Observation.ndjson.gz', retryable: true }])
  expect((await fetched(connector, [key('1')])).complete).toEqual([])
  await folder.put('Observation.ndjson.gz', packed)
  expect(await reader.gather(connector)).toMatchObject({ added: 0, changed: 0, vanished: 0, faults: [] })
  expect((await fetched(connector, [key('1')])).records).toHaveLength(501)
})

test('a folder that is not there is a fault with its name', async () => {
  const folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder[Symbol.asyncDispose]()
  const { faults } = await reader.gather(connector)
  expect(faults).toEqual([{ code: 'SOURCE_UNREACHABLE', place: 'export folder', retryable: true }])
  await expect(connector.probe()).rejects.toThrow('SOURCE_UNREACHABLE')
})

test('reads one patient, or many, afresh by their places, payloads byte for byte, one patient after the other', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const plain = ['1', '2', '3'].flatMap((n) => [
    observation(`a${n}`, n, '1.00'),
    observation(`b${n}`, n, '2.50'),
  ])
  const packed = ['3', '1', '2', '1'].map((n, at) => observation(`c${at}`, n, '0.30'))
  await folder.put('Patient.ndjson', `\ufeff${patient('1')}\r\n${patient('2')}\r\n\r\n${patient('3')}`)
  await folder.put('Observation.ndjson', lines(...plain))
  await folder.put('2.Observation.ndjson.gz', gzipSync(lines(...packed)))
  await reader.gather(connector)
  const { records, complete, events } = await fetched(connector, [key('2'), key('1'), key('9')])
  expect(complete).toEqual([key('2'), key('1'), key('9')])
  const order = events.map((e) =>
    e.t === 'record' ? e.record.patients[0] : e.t === 'patient-read' ? `end ${e.patient}` : e.t,
  )
  expect(order).toEqual([
    ...Array.from({ length: 4 }, () => key('2')),
    `end ${key('2')}`,
    ...Array.from({ length: 5 }, () => key('1')),
    `end ${key('1')}`,
    `end ${key('9')}`,
  ])
  const all = new Set([...plain, ...packed, patient('1'), patient('2')])
  for (const record of records) expect(all).toContain(Buffer.from(record.payload).toString())
  const places = records.map(({ provenance: { file, line } }) => `${file}:${line}`)
  expect(places).toEqual([
    'Patient.ndjson:2',
    '2.Observation.ndjson.gz:3',
    'Observation.ndjson:3',
    'Observation.ndjson:4',
    'Patient.ndjson:1',
    '2.Observation.ndjson.gz:2',
    '2.Observation.ndjson.gz:4',
    'Observation.ndjson:1',
    'Observation.ndjson:2',
  ])
})

test('a file that changed since the scan is not read by its old places', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put('Patient.ndjson', lines(patient('1')))
  await folder.put('Observation.ndjson', lines(observation('a', '1')))
  await reader.gather(connector)
  await folder.put('Observation.ndjson', lines(observation('b', '2'), observation('a', '1')))
  const { records, complete } = await fetched(connector, [key('1')])
  expect(records.map((record) => record.key.type)).toEqual(['Patient'])
  expect(complete).toEqual([])
  await reader.gather(connector)
  expect((await fetched(connector, [key('1')])).complete).toEqual([key('1')])
})

test('DATA T18 T19 an identifier-only record waits until somebody bears the identifier', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const identifier = { system: 'urn:oid:1.2.392.100495.20.3.51.11310000001', value: '0012' }
  const named = JSON.stringify({ resourceType: 'Observation', id: 'a', subject: { identifier } })
  await folder.put('Observation.ndjson', lines(named))
  expect(await reader.gather(connector)).toMatchObject({ seen: 1, held: 1 })
  expect(await reader.store.db.selectFrom('to_read').selectAll().execute()).toEqual([])
  await folder.put('Patient.ndjson', lines(patient('p12', { identifier: [identifier] })))
  expect(await reader.gather(connector)).toMatchObject({ held: 0, changed: 1 })
  expect((await fetched(connector, [key('p12')])).records.map((record) => record.key.id)).toEqual([
    'p12',
    'a',
  ])
  await folder.put(
    'Patient.ndjson',
    lines(patient('p12', { identifier: [identifier] }), patient('p13', { identifier: [identifier] })),
  )
  await reader.gather(connector)
  expect(await reader.gather(connector, { full: true })).toMatchObject({ held: 1 })
})

test('DATA T23 restricted records and test patients are counted and held', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const labelled = (id: string, meta: object) =>
    JSON.stringify({ resourceType: 'Condition', id, meta, subject: { reference: 'Patient/1' } })
  await folder.put(
    'Condition.ndjson',
    lines(
      labelled('n', { security: [{ code: 'N' }], tag: [{ code: 'LTS' }] }),
      labelled('r', { security: [{ code: 'R' }] }),
      labelled('v', { security: [{ code: 'N' }, { code: 'V' }] }),
      labelled('odd', { security: [{ system: 'urn:x', code: 'TOPSECRET' }] }),
      labelled('u', { tag: [{ code: 'UNINFORMED' }] }),
      labelled('t', { security: [{ code: 'HTEST' }] }),
    ),
  )
  expect(await reader.gather(connector)).toMatchObject({ seen: 6, held: 5 })
  const { records, events } = await fetched(connector, [key('1')])
  expect(records.map((record) => record.key.id)).toEqual(['n'])
  expect(events.filter((e) => e.t === 'held' && e.code === 'LABEL_HELD')).toHaveLength(5)
})

test('single JSON files are read too: a Bundle, byte for byte', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const inside =
    '{"resourceType" : "Observation","id":"o", "subject":{"reference":"urn:uuid:1"},"valueQuantity":{"value":7.10}}'
  const bundle = `\ufeff{\n"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":${patient('5')}},\n{"resource":${inside}}]}`
  await folder.put('Bundle-1.json', bundle)
  await folder.put('manifest.json', '{}')
  expect(await reader.gather(connector)).toMatchObject({ seen: 2, quarantined: 0 })
  const { records, complete } = await fetched(connector, [key('5')])
  expect(records.map((record) => Buffer.from(record.payload).toString())).toEqual([patient('5'), inside])
  expect(complete).toEqual([key('5')])
})

test('records that move between files of one export stay the same records', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  await folder.put('1.Observation.ndjson', lines(observation('a', '1'), observation('b', '1')))
  await folder.put('2.Observation.ndjson', lines(observation('c', '1')))
  await reader.gather(connector)
  const before = await ledgerOf(reader.store)
  await folder.put('1.Observation.ndjson', lines(observation('c', '1')))
  await folder.remove('2.Observation.ndjson')
  await folder.put('3.Observation.ndjson', lines(observation('a', '1'), observation('b', '1')))
  expect(await reader.gather(connector)).toMatchObject({ added: 0, changed: 0, vanished: 0 })
  expect(await ledgerOf(reader.store)).toEqual(before)
  expect((await fetched(connector, [key('1')])).records).toHaveLength(3)
})

test('an export that is still being written when it is read deletes nothing, and is read again', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const all = lines(observation('a', '1'), observation('b', '1'))
  await folder.put('Observation.ndjson', all)
  await reader.gather(connector)
  await folder.put('Observation.ndjson', lines(observation('a', '1')))
  const growing = folder.connector(reader.index)
  const changes = growing.changes.bind(growing)
  growing.changes = async function* (from, options) {
    for await (const event of changes(from, options)) {
      if (event.t === 'file') await folder.put('Observation.ndjson', all)
      yield event
    }
  }
  expect(await reader.gather(growing)).toMatchObject({ vanished: 0, braked: 0 })
  expect(await reader.gather(connector)).toMatchObject({ seen: 2, added: 0, vanished: 0 })
})

test('a file replaced after its print was taken gives no line of its successor for a line of its own', async () => {
  await using folder = await exportFolder()
  const reader = await openReader()
  const connector = folder.connector(reader.index)
  const [before, after] = [observation('a', '1', '1.00'), observation('a', '1', '2.00')]
  await folder.put('Condition.ndjson', lines(before))
  await folder.put('Observation.ndjson.gz', gzipSync(lines(before)))
  await reader.gather(connector)
  const listed = await filesOf(folder.path)
  await folder.put('Condition.ndjson', lines(after))
  await folder.put('Observation.ndjson.gz', gzipSync(lines(after)))
  const reading = { source: 'ehr', facility: FACILITY, bases: [], labels: LABEL_POLICY, index: reader.index }
  const events: FetchEvent[] = []
  for await (const event of fetchFromFolder(reading, listed, [key('1')], new AbortController().signal))
    events.push(event)
  expect(events).toEqual([{ t: 'patient-read', patient: key('1'), complete: false }])
})
