import { httpGet } from '@kakehashi/agent/sources/fhir/wire'
import { Refused } from '@kakehashi/protocol/refusals'
import { expect, test } from 'vitest'
import { listen } from './fhir-server.ts'
import { createFhirService, type FhirAnswer, type FhirService } from './fhir-service.ts'
import { hospitalCharts } from './generator.ts'
import { fetched, getOf, key, openReader } from './reader.fixture.ts'

const charts = [...hospitalCharts({ seed: 'rest', hospital: 1, patients: 12 })]
const lines = charts.flatMap((chart) => chart.lines)
const numbers = charts.map((chart) => key(chart.number))
const START = Date.parse('2026-04-01T00:00:00Z')

function hospital(more: Parameters<typeof createFhirService>[0] = {}): FhirService {
  const service = createFhirService({ now: () => START, ...more })
  for (const { line } of lines) service.put(line)
  return service
}

const observation = (id: string, of: string) =>
  `{"resourceType":"Observation","id":"${id}","status":"final","subject":{"reference":"Patient/${of}"},"valueQuantity":{"value":1.50}}`

const signal = new AbortController().signal
const text = (body: string, status = 200, type = 'application/fhir+json'): FhirAnswer => ({
  status,
  headers: { 'content-type': type },
  body,
})

test('reads a whole server over a real socket, page by page, with every decimal as it was written', async () => {
  const server = await listen(hospital({ token: 'secret' }))
  try {
    const reader = await openReader()
    const client = {
      base: server.url,
      credentials: { kind: 'bearer' as const, token: 'secret' },
      get: httpGet(),
    }
    const connector = reader.rest({ get: httpGet(), client, pageCount: 7 })
    expect(await connector.probe(signal)).toMatchObject({ fhirVersion: '4.0.1', everything: true, skewMs: 0 })
    expect(await reader.gather(connector)).toMatchObject({
      seen: lines.length,
      added: lines.length,
      faults: [],
    })
    const { records, complete } = await fetched(connector, numbers)
    expect(complete).toEqual(numbers)
    const served = records.map((record) => Buffer.from(record.payload).toString()).toSorted()
    expect(served).toEqual(lines.map(({ line }) => line).toSorted())
  } finally {
    await server.close()
  }
})

test('a second round asks only for what is new, and at most once per type when nothing is', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service) })
  for (const type of ['Patient', 'Coverage'])
    for (const { line } of lines.filter((one) => one.type === type)) service.put(line, START - 86_400_000)
  await reader.gather(connector)
  const calls = service.calls
  expect(await reader.gather(connector)).toMatchObject({ seen: 0 })
  expect(service.calls - calls).toBe(service.repository.types().length + 1)
  reader.env.at += 60_000
  service.put(observation('new', charts[0]?.number ?? ''), START - 1000)
  await reader.store.db.deleteFrom('to_read').execute()
  expect(await reader.gather(connector)).toMatchObject({ seen: 1, added: 1 })
  // DATA T2: read again within the overlap, counted once
  expect(await reader.gather(connector)).toMatchObject({ seen: 1, added: 0, changed: 0 })
  const rows = await reader.store.db.selectFrom('to_read').select('patient').execute()
  expect(rows).toEqual([{ patient: numbers[0] }])
})

test('DATA T13 what a full pass does not show is asked for: gone, there after all, or not to be known', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service) })
  await reader.gather(connector)
  const ids = lines
    .filter((one) => one.type === 'Observation')
    .map((one) => (JSON.parse(one.line) as { id: string }).id)
  const [gone, hidden, locked] = ids as [string, string, string]
  service.remove('Observation', gone)
  const kept = [hidden, locked].map((id) => service.repository.textOf('Observation', id) as string)
  for (const id of [hidden, locked]) service.remove('Observation', id)
  service.intercept = (call) => {
    if (call.url.endsWith(`/Observation/${hidden}`)) return text(kept[0] as string)
    return call.url.endsWith(`/Observation/${locked}`) ? text('{}', 403) : null
  }
  expect(await reader.gather(connector, true)).toMatchObject({ vanished: 1, braked: 0, faults: [] })
  const states = await reader.store.db
    .selectFrom('source_ledger')
    .select(['id', 'state'])
    .where('state', '=', 'gone')
    .execute()
  expect(states).toEqual([{ id: gone, state: 'gone' }])
})

test('one patient by searches, when the server has no $everything or does not keep its word', async () => {
  const service = hospital({ everything: false })
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service), pageCount: 3 })
  const [chart] = charts
  const own = chart?.lines.length
  expect(await fetched(connector, [numbers[0] as never])).toMatchObject({
    complete: [numbers[0]],
    faults: [],
  })
  service.options.everything = true
  await connector.probe(signal)
  service.intercept = (call) => (call.url.includes('$everything') ? text('{}', 404) : null)
  const { records, complete } = await fetched(connector, [numbers[0] as never])
  expect(records).toHaveLength(own ?? -1)
  expect(complete).toEqual([numbers[0]])
})

test('DATA T5 an expired search begins its window again, and a second time is a fault', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service), pageCount: 5 })
  let expired = 0
  service.intercept = (call) =>
    call.url.includes('Observation?') && call.url.includes('_offset=10') && expired++ === 0
      ? text('{}', 410)
      : null
  expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [] })
  const other = await openReader()
  service.intercept = (call) =>
    call.url.includes('Observation?') && call.url.includes('_offset=10') ? text('{}', 410) : null
  const { faults } = await other.gather(other.rest({ get: getOf(service), pageCount: 5 }))
  expect(faults).toEqual([
    { code: 'SOURCE_ANSWER_BAD', place: 'Observation (search expires)', retryable: true },
  ])
})

test('DATA T29 a busy server is waited for as long as it says, within bounds', async () => {
  const service = hospital()
  const reader = await openReader()
  const busy = ['3', String((START + 90_000) / 1000), String(START + 120_000), '99999999', '-1']
  service.intercept = (call) => {
    const told = call.url.includes('Patient?') ? busy.shift() : undefined
    if (told === undefined) return null
    return {
      status: 429,
      headers: { 'retry-after': told, 'content-type': 'text/html' },
      body: '<h1>Too many</h1>',
    }
  }
  const connector = reader.rest({
    get: getOf(service),
    client: {
      base: 'http://hospital.example/fhir',
      credentials: { kind: 'none' },
      get: getOf(service),
      attemptsMax: 6,
    },
  })
  expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [] })
  expect(reader.env.waits).toEqual([3000, 87_000, 30_000, 900_000, 1000])
})

test('DATA T37 a refused credential ends the round by name and says nothing else', async () => {
  const service = hospital({ token: 'right' })
  const reader = await openReader()
  const { faults, seen } = await reader.gather(reader.rest({ get: getOf(service), token: 'wrong' }))
  expect(faults).toEqual([{ code: 'SOURCE_UNAUTHORIZED', place: 'CapabilityStatement', retryable: true }])
  expect(seen).toBe(0)
  expect(service.calls).toBe(1)
})

test('DATA T30 T35 pages that are no FHIR JSON are a fault of their type; the others are read', async () => {
  for (const bad of [
    text('<html>login</html>', 200, 'text/html'),
    text('<Bundle xmlns="http://hl7.org/fhir"/>', 200, 'application/fhir+xml'),
    text('{"resourceType":"OperationOutcome"}'),
    text('{"resourceType":"Bundle","entry":[{"resource"', 200),
    { status: 302, headers: { location: 'https://evil.example/' }, body: '' },
  ]) {
    const service = hospital()
    const reader = await openReader()
    service.intercept = (call) => (call.url.includes('/Condition?') ? bad : null)
    const { faults, added } = await reader.gather(reader.rest({ get: getOf(service) }))
    expect(faults).toMatchObject([{ code: 'SOURCE_ANSWER_BAD' }])
    expect(faults[0]?.place).toMatch(/^Condition/)
    expect(added).toBe(lines.filter((one) => one.type !== 'Condition').length)
  }
})

test('DATA T30 a type that could not be read in a full pass deletes nothing', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service) })
  await reader.gather(connector)
  service.intercept = (call) => (call.url.includes('/Condition?') ? text('', 502) : null)
  expect(await reader.gather(connector, true)).toMatchObject({ vanished: 0, braked: 0 })
  expect((await fetched(connector, [numbers[0] as never])).complete).toEqual([numbers[0]])
})

test('DATA T8 T9 next links that lead away, in circles, or to nothing for ever', async () => {
  const service = hospital()
  const bundle = (next: string, entry: string) =>
    text(
      `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"${next}"}],"entry":[${entry}]}`,
    )
  const entry = `{"resource":${observation('x', charts[0]?.number ?? '')}}`
  let count = 0
  for (const [next, place, some] of [
    ['https://evil.example/fhir/Observation?p=2', 'next link to another host', entry],
    ['http://hospital.example/fhir/Observation?loop=1', 'Observation (next link repeats)', entry],
    ['?p=N', 'Observation (only empty pages)', ''],
  ] as const) {
    const reader = await openReader()
    const asked: string[] = []
    service.intercept = (call) => {
      asked.push(new URL(call.url).host)
      return call.url.includes('/Observation?') ? bundle(next.replace('N', String(++count)), some) : null
    }
    const { faults } = await reader.gather(reader.rest({ get: getOf(service), token: 'secret' }))
    expect(faults).toEqual([{ code: 'SOURCE_ANSWER_BAD', place, retryable: true }])
    expect(new Set(asked)).toEqual(new Set(['hospital.example']))
  }
})

test('DATA T31 an answer larger than the cap is refused, and asked for again in smaller pages, over a real socket', async () => {
  const server = await listen(hospital())
  try {
    const reader = await openReader()
    const client = {
      base: server.url,
      credentials: { kind: 'none' as const },
      get: httpGet(),
      answerBytesMax: 20_000,
    }
    const connector = reader.rest({ get: httpGet(), client, pageCount: 500 })
    expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [] })
    const tiny = { ...client, answerBytesMax: 500 }
    const small = await openReader()
    const { faults } = await small.gather(small.rest({ get: httpGet(), client: tiny, pageCount: 4 }))
    expect(faults.map((fault) => fault.place)).toContain('CapabilityStatement: answer too large')
  } finally {
    await server.close()
  }
})

test('a server that is not there, one of another version, and one that is no FHIR server', async () => {
  const reader = await openReader()
  const away = reader.rest({
    get: async () => {
      throw new Refused('SOURCE_UNREACHABLE')
    },
  })
  expect((await reader.gather(away)).faults).toEqual([
    { code: 'SOURCE_UNREACHABLE', place: 'CapabilityStatement', retryable: true },
  ])
  expect(reader.env.waits).toEqual([1000, 2000, 4000, 8000])
  const saying = (body: string) =>
    reader.rest({ get: async () => ({ status: 200, headers: {}, body: Buffer.from(body) }) })
  await expect(
    saying('{"resourceType":"CapabilityStatement","fhirVersion":"5.0.0"}').probe(signal),
  ).rejects.toThrow('FHIR R4 is needed')
  await expect(saying('<html/>').probe(signal)).rejects.toThrow('SOURCE_ANSWER_BAD')
  await expect(saying('{}').probe(signal)).rejects.toThrow('SOURCE_ANSWER_BAD')
})

test('never more than four questions at once', async () => {
  const service = hospital()
  const reader = await openReader()
  let [now, most] = [0, 0]
  service.intercept = async () => {
    most = Math.max(most, ++now)
    await new Promise((soon) => setTimeout(soon, 2))
    now--
    return null
  }
  await fetched(reader.rest({ get: getOf(service) }), numbers)
  expect(most).toBe(4)
})

test('and no more a minute than the hospital allows', async () => {
  const service = hospital()
  const reader = await openReader()
  const client = { base: 'http://hospital.example/fhir', credentials: { kind: 'none' as const } }
  const begun = reader.env.at
  const connector = reader.rest({
    get: getOf(service),
    client: { ...client, get: getOf(service), perMinuteMax: 30 },
  })
  await reader.gather(connector)
  expect(service.calls).toBeGreaterThan(5)
  expect(reader.env.at - begun).toBe((service.calls - 1) * 2000)
})

test('killed between pages, it goes on at the page it was at', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service), pageCount: 5 })
  let left = 20
  service.intercept = () => {
    if (left-- === 0) throw new Error('killed')
    return null
  }
  await expect(reader.gather(connector)).rejects.toThrow('killed')
  const { n } = await reader.store.db
    .selectFrom('source_ledger')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  expect(n).toBeGreaterThan(50)
  service.intercept = null
  const rest = await reader.gather(reader.rest({ get: getOf(service), pageCount: 5 }))
  expect(rest.unchanged).toBeLessThanOrEqual(5)
  expect(n + rest.added).toBe(lines.length)
})
