import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FhirClient } from '@kakehashi/agent/sources/fhir/client'
import { type Page, pagesOf } from '@kakehashi/agent/sources/fhir/pages'
import { readType } from '@kakehashi/agent/sources/fhir/rest-pass'
import { capabilityOf } from '@kakehashi/agent/sources/fhir/capability'
import { parseResource } from '@kakehashi/agent/sources/fhir/resource'
import { readUnit } from '@kakehashi/agent/sources/fhir/unit'
import type { HttpGet } from '@kakehashi/agent/sources/fhir/wire'
import { facilityId } from '@kakehashi/protocol/ids'
import { describe, expect, test } from 'vitest'
import { sharedData } from './clinosim.ts'
import { waitingEnv } from './reader.fixture.ts'

const folder = sharedData('data/ehr/recorded-http')
const why = folder ? '' : ' (skipped: the shared data is not on this machine)'
const signal = new AbortController().signal
const scope = { source: 'ehr', facility: facilityId('h1'), bases: ['http://127.0.0.1:8103/fhir/R4/'] }

interface Cassette {
  request: { method: string; url: string }
  response: { status: number; headers: Record<string, string>; body: string }
}

function cassettes(server: string): Map<string, Cassette> {
  const path = join(folder as string, server)
  return new Map(
    readdirSync(path).map((name) => [
      name.slice(0, 3),
      JSON.parse(readFileSync(join(path, name), 'utf8')) as Cassette,
    ]),
  )
}

const plain = (url: string) => {
  const { origin, pathname, searchParams } = new URL(url)
  return [origin, pathname, ...[...searchParams].map(([name, value]) => `${name}=${value}`).toSorted()].join(
    ' ',
  )
}

/** Plays recordings back by what was asked, in any order of parameters; what was never recorded is an error. */
function player(
  all: Iterable<Cassette>,
  base: string,
): { client: FhirClient; asked: string[]; waits: number[] } {
  const asked: string[] = []
  const recorded = new Map(
    [...all].filter((c) => c.request.method === 'GET').map((c) => [plain(c.request.url), c.response]),
  )
  const get: HttpGet = async ({ url }) => {
    asked.push(url)
    const response = recorded.get(plain(url))
    if (!response) throw new Error(`not recorded: ${url}`)
    return { status: response.status, headers: response.headers, body: Buffer.from(response.body) }
  }
  const env = waitingEnv()
  return {
    client: new FhirClient({ base, credentials: { kind: 'none' }, get, env }),
    asked,
    waits: env.waits,
  }
}

const MEDPLUM = 'http://127.0.0.1:8103/fhir/R4/'
const medplum = (...only: string[]) => {
  const all = cassettes('medplum')
  return player(only.length === 0 ? all.values() : only.map((n) => all.get(n) as Cassette), MEDPLUM)
}

async function collect(pages: AsyncIterable<Page>): Promise<Page[]> {
  const all: Page[] = []
  for await (const page of pages) all.push(page)
  return all
}

describe.skipIf(!folder)(`recorded exchanges${why}`, () => {
  test('Medplum: the capability statement of the real server is understood', async () => {
    const capability = await capabilityOf(medplum().client, signal)
    expect(capability.fhirVersion).toMatch(/^4\.0/)
    expect(capability.types.get('Observation')).toBe('patient')
    expect(capability.types.get('Coverage')).toBe('beneficiary')
    expect(capability.types.get('Patient')).toBe('_id')
    expect(capability.types.has('StructureDefinition')).toBe(false)
    expect(capability.serverNow).not.toBeNull()
  })

  test('Medplum: cursor pages are followed in order, nothing twice', async () => {
    const { client, asked } = medplum()
    const first = 'Observation?_sort=_lastUpdated&_count=25&_lastUpdated=lt2026-11-23T04:59:00Z'
    const pages: Page[] = []
    await expect(
      (async () => {
        for await (const page of pagesOf(client, first, 'Observation', signal)) pages.push(page)
      })(),
    ).rejects.toThrow('not recorded')
    expect(pages).toHaveLength(4)
    expect(asked).toHaveLength(5)
    // a cursor page begins with what shared the last page's timestamp: the ledger drops those
    const ids = pages.flatMap((page) =>
      readUnit(page.answer.body, scope).map((one) =>
        one.t === 'parsed' ? one.parsed.record.key.id : one.code,
      ),
    )
    expect(ids).toHaveLength(100)
    expect(new Set(ids).size).toBeGreaterThan(90)
  })

  test('DATA T1 Medplum: more of one timestamp than a page; the 500 is answered by a larger page', async () => {
    const { client, asked, waits } = medplum('016', '017')
    const since = '2026-11-23T05:00:00Z'
    const large = asked.length
    const get = client.get.bind(client)
    client.get = (url, place, to) => get(url.replace('_count=1000', '_count=100'), place, to)
    const pages = await collect(
      readType(client, { type: 'Observation', since, resume: null, count: 20 }, signal),
    )
    expect(large).toBe(0)
    expect(pages.map((page) => page.entries)).toEqual([60])
    expect(asked).toHaveLength(3)
    expect(waits).toHaveLength(1)
  })

  test('DATA T1 Medplum: and where that fails too, by id and offset until the end', async () => {
    const all = cassettes('medplum')
    const stuck = all.get('016') as Cassette
    const { client } = player([...all.values()], MEDPLUM)
    const get = client.get.bind(client)
    client.get = (url, place, to) => get(url.includes('_count=1000') ? stuck.request.url : url, place, to)
    const pages: Page[] = []
    await expect(
      (async () => {
        const reading = { type: 'Observation', since: '2026-11-23T05:00:00Z', resume: null, count: 20 }
        for await (const page of readType(client, reading, signal)) pages.push(page)
      })(),
    ).rejects.toThrow('_offset=40')
    expect(pages.map((page) => page.entries)).toEqual([20, 20])
  })

  test('Medplum: an empty search is an end, an unknown parameter or type a fault', async () => {
    const { client } = medplum()
    const [empty] = await collect(
      pagesOf(client, 'Observation?_lastUpdated=ge2099-01-01', 'Observation', signal),
    )
    expect(empty).toMatchObject({ entries: 0, next: null })
    await expect(collect(pagesOf(client, 'Observation?foo=bar', 'Observation', signal))).rejects.toThrow(
      'Observation (400)',
    )
    await expect(collect(pagesOf(client, 'Foo', 'Foo', signal))).rejects.toThrow('Foo (400)')
  })

  test('DATA T13 Medplum: a deleted resource is 410, a missing one 404, a wrong token 401', async () => {
    const statusOf = async (n: string) => {
      const { client } = medplum(n)
      const { request } = cassettes('medplum').get(n) as Cassette
      return (await client.get(request.url, 'Patient', signal)).status
    }
    expect(await statusOf('028')).toBe(410)
    expect(await statusOf('034')).toBe(404)
    await expect(statusOf('003')).rejects.toThrow('SOURCE_UNAUTHORIZED')
  })

  test('DATA T19 T21 T23 Medplum: merged, dangling, identifier-only and restricted, as a real server gives them', () => {
    const all = cassettes('medplum')
    const parsed = (n: string) => parseResource(Buffer.from((all.get(n) as Cassette).response.body), scope)
    const merged = cassettes('medplum').get('037') as Cassette
    const link = (JSON.parse(merged.response.body) as { link?: unknown[] }).link
    expect(parsed('037').links).toHaveLength(link?.length ?? -1)
    expect(parsed('038').record.patients).toHaveLength(1)
    expect(parsed('039')).toMatchObject({ unresolved: false, record: { patients: [] } })
    expect(parsed('039').named).toHaveLength(1)
    expect(parsed('040').record.labels.security.join()).toContain('R')
  })

  test('Medplum: $everything gives only what is the patient’s or nobody’s', async () => {
    const { response, request } = cassettes('medplum').get('041') as Cassette
    const patient = `h1/${/Patient\/([^/]+)\/\$everything/.exec(request.url)?.[1]}`
    const readings = readUnit(Buffer.from(response.body), scope)
    expect(readings).toHaveLength(28)
    for (const one of readings) {
      if (one.t !== 'parsed') throw new Error(one.code)
      const { patients } = one.parsed.record
      expect(patients.length === 0 || patients.includes(patient as never)).toBe(true)
    }
  })

  test('bulk-data server: its error bodies are read by status and content, none is taken for data', async () => {
    for (const [name, { request, response }] of cassettes('bulk-data-server')) {
      if (request.method !== 'GET' || response.status < 400) continue
      const { client } = player([{ request, response }], new URL('/', request.url).href)
      const pages = collect(pagesOf(client, request.url, name, signal))
      await expect(pages).rejects.toThrow(/SOURCE_ANSWER_BAD|SOURCE_UNAUTHORIZED|^\d{3}$/)
    }
  })

  test('every NDJSON line that the bulk-data server gave is read, and its payload is its bytes', () => {
    let count = 0
    for (const { response } of cassettes('bulk-data-server').values()) {
      if (!/ndjson/.test(response.headers['content-type'] ?? '') || response.status !== 200) continue
      for (const line of response.body.split('\n')) {
        const bytes = Buffer.from(line)
        const [one] = readUnit(bytes, scope)
        if (line.trim() === '' || one?.t !== 'parsed' || one.parsed.record.payload !== bytes) continue
        count++
      }
    }
    expect(count).toBeGreaterThan(0)
  })
})
