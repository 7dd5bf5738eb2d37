import { expect, test } from 'vitest'
import { createFhirService, type FhirAnswer, type FhirService } from './fhir-service.ts'
import { hospitalCharts } from './generator.ts'
import { fetched, getOf, key, openReader } from './reader.fixture.ts'

const charts = [...hospitalCharts({ seed: 'traps', hospital: 1, patients: 8 })]
const lines = charts.flatMap((chart) => chart.lines)
const START = Date.parse('2026-04-01T00:00:00Z')
const number = charts[0]?.number ?? ''
const signal = new AbortController().signal

function hospital(): FhirService {
  const service = createFhirService({ now: () => START })
  for (const { line } of lines) service.put(line, START - 86_400_000)
  return service
}

const observation = (id: string, more = '') =>
  `{"resourceType":"Observation","id":"${id}","status":"final","subject":{"reference":"Patient/${number}"}${more}}`
const json = (body: string, status = 200): FhirAnswer => ({
  status,
  headers: { 'content-type': 'application/fhir+json' },
  body,
})

test('DATA T2 a record that is committed late, with an earlier time, is found in the overlap', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service) })
  await reader.gather(connector)
  service.put(observation('late'), START - 4 * 60_000)
  expect(await reader.gather(connector)).toMatchObject({ added: 1 })
  service.put(observation('too-late'), START - 60 * 60_000)
  expect(await reader.gather(connector)).toMatchObject({ added: 0 })
  expect(await reader.gather(connector, true)).toMatchObject({ added: 1 })
})

test('DATA T3 windows are cut by the server’s clock, however wrong our own is', async () => {
  const service = hospital()
  const reader = await openReader()
  reader.env.at = START + 30 * 86_400_000
  const connector = reader.rest({ get: getOf(service) })
  expect((await connector.probe(signal)).skewMs).toBe(-30 * 86_400_000)
  await reader.gather(connector)
  service.put(observation('new'), START - 1000)
  expect(await reader.gather(connector)).toMatchObject({ added: 1 })
})

test('DATA T6 records that change while pages are read are neither lost nor counted twice', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service), pageCount: 5 })
  await reader.gather(connector)
  for (let n = 0; n < 20; n++) service.put(observation(`o${n}`), START - 200_000 + n)
  let moved = 0
  service.intercept = (call) => {
    // what was on a page that was read already moves behind its end
    if (call.url.includes('/Observation?') && call.url.includes('_offset') && moved < 3)
      service.put(observation(`o${moved}`, ',"note":[{"text":"x"}]'), START - 1000 + moved++)
    return null
  }
  let [added, changed] = [0, 0]
  for (let round = 0; round < 3; round++) {
    const told = await reader.gather(connector)
    added += told.added
    changed += told.changed
  }
  expect(added).toBe(20)
  expect(changed).toBe(3)
})

test('DATA T7 no answer of before is taken: every question says no-cache', async () => {
  const service = hospital()
  const reader = await openReader()
  const said = new Set<string | undefined>()
  service.intercept = (call) => {
    said.add(call.headers['cache-control'])
    return null
  }
  await reader.gather(reader.rest({ get: getOf(service) }))
  expect([...said]).toEqual(['no-cache'])
})

test('DATA T9 a next link that leads to itself ends the type with a fault', async () => {
  const service = hospital()
  const reader = await openReader()
  service.intercept = (call) =>
    call.url.includes('/Condition?')
      ? json(
          JSON.stringify({
            resourceType: 'Bundle',
            link: [{ relation: 'next', url: call.url }],
            entry: [{ resource: JSON.parse(observation('x')) as unknown }],
          }),
        )
      : null
  const { faults } = await reader.gather(reader.rest({ get: getOf(service) }))
  expect(faults).toMatchObject([{ place: 'Condition (next link repeats)' }])
})

test('DATA T10 a total that is wrong or absent changes nothing', async () => {
  for (const total of ['0', '999999', '"many"']) {
    const service = hospital()
    const reader = await openReader()
    const get = getOf(service)
    const lying = reader.rest({
      get: async (request) => {
        const answer = await get(request)
        const text = Buffer.from(answer.body)
          .toString()
          .replace('"type":"searchset"', `"type":"searchset","total":${total}`)
        return { ...answer, body: Buffer.from(text) }
      },
      pageCount: 7,
    })
    expect(await reader.gather(lying)).toMatchObject({ added: lines.length, faults: [] })
  }
})

test('DATA T11 a server that overlooks _lastUpdated is found out by its self link; full passes read that type', async () => {
  const service = hospital()
  const reader = await openReader()
  const asked: string[] = []
  const get = getOf(service)
  const connector = reader.rest({
    get: (request) => {
      asked.push(request.url)
      const url = new URL(request.url)
      if (url.pathname.endsWith('/Observation')) url.searchParams.delete('_lastUpdated')
      return get({ ...request, url: url.href })
    },
  })
  await reader.gather(connector)
  const count = () => asked.filter((url) => url.includes('/Observation?')).length
  const before = count()
  expect(await reader.gather(connector)).toMatchObject({ faults: [] })
  expect(count()).toBe(before + 1)
  service.put(observation('new'), START)
  expect(await reader.gather(connector)).toMatchObject({ added: 0, faults: [] })
  expect(count()).toBe(before + 1)
  expect(await reader.gather(connector, true)).toMatchObject({ added: 1, faults: [] })
})

test('DATA T12 a server that answers 400 to _lastUpdated is asked once, and read by full passes', async () => {
  const service = hospital()
  const reader = await openReader()
  let refused = 0
  service.intercept = (call) => {
    if (!call.url.includes('/Observation?') || !call.url.includes('_lastUpdated=')) return null
    refused++
    return json('{"resourceType":"OperationOutcome"}', 400)
  }
  const connector = reader.rest({ get: getOf(service) })
  for (let round = 0; round < 4; round++) expect((await reader.gather(connector)).faults).toEqual([])
  expect(refused).toBe(1)
  service.put(observation('new'), START)
  expect(await reader.gather(connector, true)).toMatchObject({ added: 1, faults: [] })
})

test('DATA T32 T33 attachments are not fetched; narrative and contained resources travel as they are and count as content', async () => {
  const service = hospital()
  const reader = await openReader()
  const connector = reader.rest({ get: getOf(service) })
  await reader.gather(connector)
  const div = (text: string) =>
    `,"text":{"status":"generated","div":"<div>${text}</div>"},"contained":[{"resourceType":"Practitioner","id":"p"}]`
  service.put(observation('t', div('一')), START)
  service.put(
    `{"resourceType":"DocumentReference","id":"d","status":"current","subject":{"reference":"Patient/${number}"},"content":[{"attachment":{"url":"Binary/b"}}]}`,
    START,
  )
  const asked: string[] = []
  service.intercept = (call) => {
    asked.push(call.url)
    return null
  }
  expect(await reader.gather(connector)).toMatchObject({ added: 2 })
  service.put(observation('t', div('二')), START)
  expect(await reader.gather(connector)).toMatchObject({ changed: 1 })
  expect(asked.filter((url) => url.includes('Binary'))).toEqual([])
})

test('DATA T36 only FHIR R4 is read', async () => {
  const reader = await openReader()
  for (const [version, good] of [
    ['4.0.1', true],
    ['4.3.0', true],
    ['3.0.2', false],
    ['5.0.0', false],
  ] as const) {
    const body = Buffer.from(JSON.stringify({ resourceType: 'CapabilityStatement', fhirVersion: version }))
    const probing = reader.rest({ get: async () => ({ status: 200, headers: {}, body }) }).probe(signal)
    if (good) expect((await probing).fhirVersion).toBe(version)
    else await expect(probing).rejects.toThrow('FHIR R4 is needed')
  }
})

test('a server that offers no search has not said that a patient has no records', async () => {
  const reader = await openReader()
  const body = Buffer.from('{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[]}')
  const get = async () => ({ status: 200, headers: {}, body })
  // where nothing can be searched, patients are asked of an export: this answer is none
  for (const [connector, place] of [
    [reader.rest({ get }), 'no search'],
    [reader.bulk({ get }), '$export (200)'],
  ] as const) {
    const { complete, faults } = await fetched(connector, [key(number)])
    expect(complete).toEqual([])
    expect(faults).toEqual([`SOURCE_ANSWER_BAD ${place}`])
  }
})
