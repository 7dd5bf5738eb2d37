import { expect, test } from 'vitest'
import { createFhirService, type FhirService } from './fhir-service.ts'
import { hospitalCharts } from './generator.ts'
import { fetched, getOf, key, openReader, type Reader } from './reader.fixture.ts'

const charts = [...hospitalCharts({ seed: 'history', hospital: 1, patients: 4 })]
const START = Date.parse('2026-04-01T00:00:00Z')
const number = charts[0]?.number ?? ''
const DAY_MS = 86_400_000

const observation = (id: string, value: number) =>
  `{"resourceType":"Observation","id":"${id}","status":"final","subject":{"reference":"Patient/${number}"},"valueInteger":${value}}`

/** A hospital that lists its history, read once already. */
async function readHospital(): Promise<{ service: FhirService; reader: Reader; read: Reads }> {
  const service = createFhirService({ now: () => START, history: true, pageMax: 3 })
  for (const { line } of charts.flatMap((chart) => chart.lines)) service.put(line, START - DAY_MS)
  for (let n = 0; n < 4; n++) service.put(observation(`o${n}`, n), START - DAY_MS)
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service), pageCount: 3 })
  await reader.gather(connector)
  return { service, reader, read: (full = false) => reader.gather(connector, full) }
}
type Reads = (full?: boolean) => ReturnType<Reader['gather']>

async function standing(reader: Reader): Promise<Record<string, string>> {
  const rows = await reader.store.db
    .selectFrom('source_ledger')
    .select(['id', 'state', 'hash'])
    .where('type', '=', 'Observation')
    .where('id', 'like', 'o%')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.id, `${row.state} ${row.hash}`]))
}

test('DATA T13 T14 T15 history tells what was deleted within one round, and what came back', async () => {
  const { service, reader, read } = await readHospital()
  const connector = reader.rest({ get: getOf(service) })
  expect((await connector.probe(new AbortController().signal)).deletes).toBe('history')
  service.remove('Observation', 'o0', START - 4000)
  service.remove('Observation', 'o1', START - 3000)
  service.put(observation('o1', 11), START - 2000)
  service.put(observation('o2', 20), START - 1900)
  service.put(observation('o2', 21), START - 1800)
  service.put(observation('o2', 22), START - 1700)
  service.put(observation('o9', 9), START - 1600)
  service.remove('Observation', 'o9', START - 1500)
  expect(await read()).toMatchObject({ added: 0, changed: 2, vanished: 1, faults: [] })
  const told = await standing(reader)
  const { records } = await fetched(connector, [key(number)])
  const hashOf = (id: string) => records.find((one) => one.key.id === id)?.contentHash
  expect(told).toMatchObject({ o1: `active ${hashOf('o1')}`, o2: `active ${hashOf('o2')}` })
  expect(told['o0']).toMatch(/^gone/)
  expect(told['o9']).toBeUndefined()
  // what a full pass finds is what was told already
  expect(await read(true)).toMatchObject({ added: 0, changed: 0, vanished: 0 })
  expect(await standing(reader)).toEqual(told)
})

test('what is written while the pages of a history are read hides nothing', async () => {
  const { service, reader, read } = await readHospital()
  for (let n = 0; n < 10; n++) service.put(observation(`p${n}`, n), START - 10_000 + n)
  let written = 0
  service.intercept = ({ url }) => {
    if (url.includes('Observation/_history') && url.includes('_offset') && written < 4)
      service.put(observation(`o${written}`, 100), START - 1000 + written++)
    return null
  }
  const first = await read()
  expect(first.added).toBe(10)
  const second = await read()
  expect(first.changed + second.changed).toBe(4)
  expect(await reader.store.db.selectFrom('quarantine').selectAll().execute()).toEqual([])
})

test.each([
  ['refuses it', (body: string) => ({ status: 400, body })],
  ['does not know it', (body: string) => ({ status: 404, body })],
  ['may not show it', (body: string) => ({ status: 403, body })],
  ['breaks over it', (body: string) => ({ status: 500, body })],
])('a server that announces a history and %s is searched', async (_, told) => {
  const { service, read } = await readHospital()
  service.put(observation('o7', 7), START - 1000)
  let asked = 0
  service.intercept = ({ url }) => {
    if (!url.includes('/_history')) return null
    asked++
    return { ...told('{"resourceType":"OperationOutcome"}'), headers: {} }
  }
  expect(await read()).toMatchObject({ added: 1, faults: [] })
  const before = asked
  await read()
  // only a breakdown may be over
  expect(asked > before).toBe(told('').status === 500)
})

test('DATA T11 a server that overlooks since when it was asked is searched', async () => {
  const { service, read } = await readHospital()
  service.put(observation('o7', 7), START - 1000)
  service.intercept = ({ url }) =>
    url.includes('/_history')
      ? {
          status: 200,
          headers: {},
          body: `{"resourceType":"Bundle","type":"history","link":[{"relation":"self","url":"http://hospital.example/fhir/x/_history"}]}`,
        }
      : null
  expect(await read()).toMatchObject({ added: 1, faults: [] })
})
