import { preview } from '@kakehashi/agent/sources/preview'
import type { SourcesTables } from '@kakehashi/agent/sources/store'
import type { Store } from '@kakehashi/store/store'
import { expect, test } from 'vitest'
import { ndjson, withExport, type BulkServer } from './bulk-server.ts'
import { createFhirService, type FhirAnswer, type FhirService } from './fhir-service.ts'
import { hospitalCharts } from './generator.ts'
import { fetched, getOf, key, openReader, type Reader } from './reader.fixture.ts'

const charts = [...hospitalCharts({ seed: 'bulk', hospital: 1, patients: 12 })]
const lines = charts.flatMap((chart) => chart.lines)
const START = Date.parse('2026-04-01T00:00:00Z')
const number = charts[0]?.number ?? ''

interface World {
  clock: { now: number }
  service: FhirService
  server: BulkServer
  reader: Reader
}

async function world(): Promise<World> {
  const clock = { now: START }
  const service = createFhirService({ now: () => clock.now })
  for (const { line } of lines) service.put(line, START - 86_400_000)
  return { clock, service, server: withExport(service), reader: await openReader() }
}

const observation = (id: string, value = '1.50') =>
  `{"resourceType":"Observation","id":"${id}","status":"final","subject":{"reference":"Patient/${number}"},"valueQuantity":{"value":${value}}}`
const idsOf = (type: string) =>
  lines.filter((one) => one.type === type).map((one) => (JSON.parse(one.line) as { id: string }).id)
const busy = (status: number, headers: Record<string, string>, body = ''): FhirAnswer => ({
  status,
  headers,
  body,
})

test('an export is asked for, waited for, read and cleaned up; the next one tells only what is new or gone', async () => {
  const { clock, service, server, reader } = await world()
  server.filesPerPage = 2
  server.polls = [busy(202, { 'retry-after': '2', 'x-progress': 'soon' })]
  const connector = reader.bulk({ get: getOf(service) })
  expect(await reader.gather(connector)).toMatchObject({
    seen: lines.length,
    added: lines.length,
    faults: [],
  })
  expect(server.jobs.size).toBe(0)
  clock.now += 3_600_000
  expect(await reader.gather(connector)).toMatchObject({ seen: 0, faults: [] })
  service.put(observation('new'), clock.now)
  const [gone] = idsOf('Observation') as [string]
  service.remove('Observation', gone)
  clock.now += 3_600_000
  expect(await reader.gather(connector)).toMatchObject({ seen: 1, added: 1, vanished: 1, faults: [] })
  expect(server.kickOffs.map((url) => url.searchParams.get('_since') !== null)).toEqual([false, true, true])
  const { records, complete } = await fetched(connector, [key(number)])
  expect(complete).toEqual([key(number)])
  expect(records.map((record) => Buffer.from(record.payload).toString())).toContain(observation('new'))
})

test('DATA T13 a server that tells no deletions: the next full export finds them', async () => {
  const { clock, service, server, reader } = await world()
  server.tellsDeleted = false
  const connector = reader.bulk({ get: getOf(service) })
  await reader.gather(connector)
  service.remove('Observation', idsOf('Observation')[0] as string)
  clock.now += 60_000
  expect(await reader.gather(connector)).toMatchObject({ vanished: 0 })
  expect(await reader.gather(connector, true)).toMatchObject({ vanished: 1, braked: 0 })
})

test('DATA T15 deleted and made anew under the same id: gone, then there again', async () => {
  const { clock, service, server, reader } = await world()
  const connector = reader.bulk({ get: getOf(service) })
  await reader.gather(connector)
  const [id] = idsOf('Observation') as [string]
  clock.now += 60_000
  service.remove('Observation', id)
  expect(await reader.gather(connector)).toMatchObject({ vanished: 1 })
  clock.now += 60_000
  service.put(observation(id), clock.now)
  expect(await reader.gather(connector)).toMatchObject({ added: 1, vanished: 0 })
  // in both lists of one manifest
  clock.now += 60_000
  service.put(observation(id, '2.50'), clock.now)
  server.mangle = null
  const patched = getOf(service)
  const both = reader.bulk({
    get: async (request) => {
      const answer = await patched(request)
      if (!request.url.includes('bulkstatus') || answer.status !== 200) return answer
      const manifest = JSON.parse(Buffer.from(answer.body).toString()) as { deleted: unknown[] }
      manifest.deleted.push({ type: 'Bundle', url: 'http://hospital.example/fhir/both.ndjson' })
      return { ...answer, body: Buffer.from(JSON.stringify(manifest)) }
    },
  })
  const intercept = service.intercept
  service.intercept = (call) =>
    call.url.endsWith('both.ndjson')
      ? ndjson(
          `{"resourceType":"Bundle","entry":[{"request":{"method":"DELETE","url":"Observation/${id}"}}]}\n`,
        )
      : (intercept?.(call) ?? null)
  await reader.gather(both)
  const row = await reader.store.db
    .selectFrom('source_ledger')
    .select('state')
    .where('id', '=', id)
    .executeTakeFirst()
  expect(row).toEqual({ state: 'active' })
})

for (const [name, break_] of [
  [
    'an error file',
    (s: BulkServer) =>
      void (s.errors = ['{"resourceType":"OperationOutcome","issue":[{"severity":"error"}]}']),
  ],
  [
    'a file that is gone (410)',
    (s: BulkServer) => void (s.mangle = (n) => (n.includes('Condition') ? busy(410, {}) : null)),
  ],
  [
    'a file with fewer lines than told',
    (s: BulkServer) =>
      void (s.mangle = (n, body) =>
        n.includes('Condition') ? ndjson(body.slice(body.indexOf('\n') + 1)) : null),
  ],
  [
    'a line that is no JSON',
    (s: BulkServer) =>
      void (s.mangle = (n, body) => (n.includes('Condition') ? ndjson(body.replace('{', '<')) : null)),
  ],
  [
    'an HTML page for a file',
    (s: BulkServer) =>
      void (s.mangle = (n) =>
        n.includes('Condition') ? busy(200, { 'content-type': 'text/html' }, '<h1>Sorry</h1>') : null),
  ],
] as const)
  test(`DATA T24 ${name}: everything else is read, _since does not move, nothing is taken for deleted`, async () => {
    const { clock, service, server, reader } = await world()
    const connector = reader.bulk({ get: getOf(service) })
    await reader.gather(connector)
    clock.now += 60_000
    service.put(observation('late'), clock.now)
    break_(server)
    const round = await reader.gather(connector, true)
    expect(round.faults.length + round.quarantined).toBeGreaterThan(0)
    expect(round).toMatchObject({ added: 1, vanished: 0 })
    expect(server.jobs.size).toBe(0)
    server.errors = []
    server.mangle = null
    clock.now += 60_000
    reader.env.at += 2 * 3_600_000
    expect(await reader.gather(connector)).toMatchObject({
      seen: 1,
      faults: [],
      vanished: 0,
    })
    expect(server.kickOffs.at(-1)?.searchParams.get('_since')).toBe(new Date(START).toISOString())
  })

test('DATA T24 blank lines, CRLF, a byte order mark, gzip and a warning leave an export complete', async () => {
  const { clock, service, server, reader } = await world()
  server.errors = ['{"resourceType":"OperationOutcome","issue":[{"severity":"warning"}]}']
  server.mangle = (_, body) => ndjson(`\uFEFF\n${body.replaceAll('\n', '\r\n\r\n')}`)
  const connector = reader.bulk({ get: getOf(service) })
  expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [], quarantined: 0 })
  clock.now += 1000
  await reader.gather(connector)
  expect(server.kickOffs[1]?.searchParams.get('_since')).toBe(new Date(START).toISOString())
})

for (const ranges of [true, false])
  test(`DATA T24 a download that ends inside a line goes on behind the last whole one (${ranges ? 'Range' : 'anew'})`, async () => {
    const { service, server, reader } = await world()
    const asked: (string | undefined)[] = []
    server.mangle = (name, body, call) => {
      if (!name.includes('Observation')) return null
      const { range } = call.headers
      asked.push(range)
      if (range === undefined && asked.length === 1) return ndjson(body.slice(0, Math.floor(body.length / 2)))
      if (!ranges || range === undefined) return ndjson(body)
      const bytes = Buffer.from(body).subarray(Number(/\d+/.exec(range)?.[0]))
      return ndjson(bytes.toString(), 206)
    }
    const connector = reader.bulk({ get: getOf(service) })
    expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [], quarantined: 0 })
    expect(asked[1]).toMatch(/^bytes=\d{3,}-$/)
  })

test('DATA T25 a 202 with a body is no end, and pages are read to the last', async () => {
  const { service, server, reader } = await world()
  server.filesPerPage = 1
  const partial = { transactionTime: new Date(START).toISOString(), requiresAccessToken: true, output: [] }
  server.polls = [busy(202, { 'retry-after': '1' }, JSON.stringify(partial))]
  expect(await reader.gather(reader.bulk({ get: getOf(service) }))).toMatchObject({
    added: lines.length,
    faults: [],
  })
  const pages = server.calls.filter((call) => call.url.includes('page='))
  expect(pages.length).toBeGreaterThan(3)
})

test('DATA T26 files that need no token are asked for without one, on another host too, and never named', async () => {
  const { service, server, reader } = await world()
  server.requiresAccessToken = false
  server.filesAt = 'http://files.example'
  const connector = reader.bulk({ get: getOf(service), token: 'secret' })
  expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [] })
  const files = server.calls.filter((call) => call.url.includes('bulkfiles'))
  expect(files.every((call) => call.headers['authorization'] === undefined)).toBe(true)
  const others = server.calls.filter((call) => !call.url.includes('bulkfiles'))
  expect(others.every((call) => call.headers['authorization'] === 'Bearer secret')).toBe(true)
  const kept = await reader.store.db.selectFrom('source_checkpoint').selectAll().execute()
  expect(JSON.stringify(kept)).not.toContain('signed=')
  server.requiresAccessToken = true
  const { faults } = await reader.gather(connector, true)
  expect(faults).toEqual([
    { code: 'SOURCE_ANSWER_BAD', place: '$export manifest (file on another host)', retryable: true },
  ])
})

test('DATA T27 a job the server lost is begun anew once; one it loses again is a fault; nothing is left there', async () => {
  const { service, server, reader } = await world()
  server.polls = [busy(404, {})]
  const connector = reader.bulk({ get: getOf(service) })
  const { faults } = await reader.gather(connector)
  expect(faults).toMatchObject([{ place: '$export (job lost)' }])
  expect(server.kickOffs).toHaveLength(2)
  expect(server.jobs.size).toBe(0)
  server.polls = []
  reader.env.at += 2 * 3_600_000
  expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [] })
})

test('DATA T29 the status is asked again as late as it says, within bounds', async () => {
  const { service, server, reader } = await world()
  const at = reader.env.at
  server.polls = ['2', String((at + 62_000) / 1000), String(at + 122_000), '-5', '9999999', 'soon'].map(
    (told) => busy(202, { 'retry-after': told }),
  )
  await reader.gather(reader.bulk({ get: getOf(service) }))
  expect(reader.env.waits).toEqual([2000, 60_000, 60_000, 1000, 900_000, 32_000])
})

test('DATA T28 who comes into a group brings what is older: the whole group is exported again', async () => {
  const { clock, service, server, reader } = await world()
  const group = (n: number) =>
    `{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[${charts
      .slice(0, n)
      .map((chart) => `{"entity":{"reference":"Patient/${chart.number}"}}`)
      .join(',')}]}`
  service.put(group(2), START - 1000)
  const connector = reader.bulk({ get: getOf(service), level: 'Group/g' })
  for (const n of [2, 2, 3, 3]) {
    service.put(group(n), clock.now)
    clock.now += 60_000
    expect((await reader.gather(connector)).faults).toEqual([])
  }
  expect(server.kickOffs.map((url) => url.searchParams.has('_since'))).toEqual([false, true, false, true])
  expect(server.kickOffs[0]?.pathname).toBe('/fhir/Group/g/$export')
})

test('killed at any request of an export, the job on the server is taken up again and nothing is lost', async () => {
  const { service, server, reader } = await world()
  server.linesPerFile = 10
  const get = getOf(service)
  let kills = 0
  for (let at = 1; ; at++) {
    let left = at
    const connector = reader.bulk({
      get: (request) => {
        if (left-- <= 0) throw new Error('killed')
        return get(request)
      },
    })
    try {
      expect((await reader.gather(connector)).faults).toEqual([])
      break
    } catch (error) {
      expect(String(error)).toContain('killed')
      kills++
    }
  }
  expect(kills).toBeGreaterThan(3)
  expect(server.kickOffs).toHaveLength(1)
  const { n } = await reader.store.db
    .selectFrom('source_ledger')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  expect(n).toBe(lines.length)
})

test.each([false, true])(
  'a dry run leaves the agent’s own export alone, and none of its own behind; full: %s',
  async (full) => {
    const { service, server, reader } = await world()
    const get = getOf(service)
    let killed = false
    const connector = reader.bulk({
      get: (request) => {
        if (server.kickOffs.length > 0 && !killed) {
          killed = true
          throw new Error('killed')
        }
        return get(request)
      },
    })
    await expect(reader.gather(connector)).rejects.toThrow('killed')
    const own = [...server.jobs.keys()]
    expect(own).toHaveLength(1)
    const store = reader.store as unknown as Store<SourcesTables>
    const { signal } = new AbortController()
    const dry = await preview({ store, connector, env: reader.env, signal, full })
    expect(dry).toMatchObject({ seen: lines.length, added: lines.length, faults: [] })
    expect([...server.jobs.keys()]).toEqual(own)
    expect(await reader.gather(connector)).toMatchObject({ added: lines.length, faults: [] })
    expect(server.kickOffs).toHaveLength(2)
    expect(server.jobs.size).toBe(0)
  },
)

/** A server that exports, and lets nothing be searched. */
async function exportOnly(): Promise<World> {
  const clock = { now: START }
  const service = createFhirService({ now: () => clock.now, search: false, everything: false })
  for (const { line } of lines) service.put(line, START - 86_400_000)
  return { clock, service, server: withExport(service), reader: await openReader() }
}

test('a server that lets nothing be searched exports the patients whose records may travel, and nobody else’s', async () => {
  const { service, server, reader } = await exportOnly()
  server.linesPerFile = 3
  const connector = reader.bulk({ get: getOf(service) })
  expect(await reader.gather(connector)).toMatchObject({ seen: lines.length, faults: [] })
  const wanted = charts.slice(2, 5)
  const { records, complete, faults } = await fetched(
    connector,
    wanted.map((chart) => key(chart.number)),
  )
  expect(faults).toEqual([])
  expect(complete).toEqual(wanted.map((chart) => key(chart.number)))
  const about = (chart: (typeof charts)[number]) => chart.lines.map(({ line }) => line)
  const told = records.map((record) => Buffer.from(record.payload).toString())
  expect(told.toSorted()).toEqual(wanted.flatMap(about).toSorted())
  // grouped: one patient's records, then the next patient's
  const order = records.map((record) => record.patients[0])
  expect(order.filter((one, n) => one !== order[n - 1])).toHaveLength(wanted.length)
  expect(server.jobs.size).toBe(0)
})

test.each([
  [
    'does not know how',
    (server: BulkServer, service: FhirService) => {
      const asked = service.intercept
      service.intercept = (call) => (call.method === 'POST' ? busy(400, {}, '{}') : (asked?.(call) ?? null))
      return server
    },
  ],
  [
    'says that something is missing',
    (server: BulkServer) => {
      server.errors = ['{"resourceType":"OperationOutcome","issue":[{"severity":"error"}]}']
      return server
    },
  ],
  [
    'sends a line that cannot be read',
    (server: BulkServer) => {
      server.mangle = (name, body) =>
        name.includes('Observation') ? ndjson(`${body}{"resourceType"\n`) : null
      return server
    },
  ],
])('nobody’s records are whole when the server %s', async (_, broken) => {
  const { service, server, reader } = await exportOnly()
  const connector = reader.bulk({ get: getOf(service) })
  await reader.gather(connector)
  broken(server, service)
  expect((await fetched(connector, [key(number)])).complete).toEqual([])
  expect(server.jobs.size).toBe(0)
})
