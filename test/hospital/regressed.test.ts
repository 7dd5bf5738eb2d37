import { acceptOlder, regressedAmong } from '@kakehashi/agent/sources/regressed'
import type { SourcesTables } from '@kakehashi/agent/sources/store'
import type { Store } from '@kakehashi/store/store'
import { expect, test } from 'vitest'
import { createFhirService, type FhirService } from './fhir-service.ts'
import { hospitalCharts } from './generator.ts'
import { fetched, getOf, key, openReader, type Reader } from './reader.fixture.ts'

const [chart] = [...hospitalCharts({ seed: 'regressed', hospital: 1, patients: 1 })]
const number = chart?.number ?? ''
const MORNING = Date.parse('2026-04-01T00:00:00Z')
const NOON = MORNING + 12 * 3600_000

const SECRET =
  ',"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]'

const observation = (id: string, value: number, at: number, security = '') =>
  `{"resourceType":"Observation","id":"${id}","meta":{"lastUpdated":"${new Date(at).toISOString()}"${security}},"status":"final","subject":{"reference":"Patient/${number}"},"valueInteger":${value}}`

/** As it was at night when the backup was made: `o1` and `o2` in their first version. */
function asBackedUp(): FhirService {
  const service = createFhirService({ now: () => NOON })
  for (const { line } of chart?.lines ?? []) service.put(line, MORNING - 86_400_000)
  for (const id of ['o1', 'o2']) service.put(observation(id, 1, MORNING))
  return service
}

async function states(reader: Reader): Promise<Record<string, string>> {
  const rows = await reader.store.db
    .selectFrom('source_ledger')
    .select(['id', 'state', 'code'])
    .where('type', '=', 'Observation')
    .where('id', 'like', 'o_')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.id, `${row.state} ${row.code ?? ''}`.trim()]))
}

/** Read while `o1` was already in its second version; then the server is put back. */
async function putBack() {
  const reader = await openReader()
  let service = asBackedUp()
  service.put(observation('o1', 2, NOON))
  const connector = reader.rest({ get: (request) => getOf(service)(request) })
  await reader.gather(connector)
  service = asBackedUp()
  const told = await reader.gather(connector, true)
  const store = reader.store as unknown as Store<SourcesTables>
  const older = async () => {
    const { records } = await fetched(connector, [key(number)])
    return regressedAmong(store.db, records)
  }
  return { reader, service, connector, told, store, older }
}

test('DATA T38 a server put back from an old backup: what is older than before is held, and by no means taken back', async () => {
  const { reader, told, older } = await putBack()
  expect(told).toMatchObject({ changed: 1, held: 1, vanished: 0, faults: [] })
  expect(await states(reader)).toEqual({ o1: 'held SOURCE_REGRESSED', o2: 'active' })
  expect([...(await older())]).toEqual([['ehr|Observation|o1', true]])
  expect(await reader.store.db.selectFrom('due_tombstone').selectAll().execute()).toEqual([])
})

test('DATA T38 it stays held as long as the server shows it so, and is open again with a newer version', async () => {
  const { reader, service, connector, older } = await putBack()
  expect(await reader.gather(connector, true)).toMatchObject({ changed: 0, held: 1 })
  service.put(observation('o1', 3, NOON + 1000))
  expect(await reader.gather(connector, true)).toMatchObject({ changed: 1, held: 0 })
  expect(await states(reader)).toEqual({ o1: 'active', o2: 'active' })
  expect((await older()).size).toBe(0)
})

test('DATA T38 a person may say that the older content is what counts', async () => {
  const { reader, connector, store, older } = await putBack()
  await reader.store.db.deleteFrom('to_read').execute()
  expect(await acceptOlder(store, { source: 'ehr', by: 's-01' })).toBe(1)
  expect(await acceptOlder(store, { source: 'ehr', by: 's-01' })).toBe(0)
  expect(await states(reader)).toEqual({ o1: 'active', o2: 'active' })
  expect((await older()).size).toBe(0)
  const marked = await reader.store.db.selectFrom('to_read').select('patient').execute()
  expect(marked).toEqual([{ patient: key(number) }])
  expect(await reader.gather(connector, true)).toMatchObject({ changed: 0, held: 0 })
})

test('DATA T38 T23 a backup of before a record was labelled secret does not let it travel again', async () => {
  const reader = await openReader()
  let service = asBackedUp()
  service.put(observation('o1', 1, NOON, SECRET))
  const connector = reader.rest({ get: (request) => getOf(service)(request) })
  await reader.gather(connector)
  expect(await states(reader)).toEqual({ o1: 'held LABEL_HELD', o2: 'active' })
  service = asBackedUp()
  expect(await reader.gather(connector, true)).toMatchObject({ held: 1, vanished: 0 })
  expect(await states(reader)).toEqual({ o1: 'held SOURCE_REGRESSED', o2: 'active' })
  const { records } = await fetched(connector, [key(number)])
  const older = await regressedAmong((reader.store as unknown as Store<SourcesTables>).db, records)
  expect([...older]).toEqual([['ehr|Observation|o1', true]])
})
