import { rotated } from '@kakehashi/agent/sources/fhir/auth/keys'
import { discover } from '@kakehashi/agent/sources/fhir/auth/discovery'
import { SmartTokens } from '@kakehashi/agent/sources/fhir/auth/tokens'
import { cleanUp, JobLost, awaited, kickOff } from '@kakehashi/agent/sources/fhir/bulk/job'
import { capabilityOf } from '@kakehashi/agent/sources/fhir/capability'
import { FhirClient } from '@kakehashi/agent/sources/fhir/client'
import { deletionsIn } from '@kakehashi/agent/sources/fhir/deletions'
import { pagesOf } from '@kakehashi/agent/sources/fhir/pages'
import { readUnit } from '@kakehashi/agent/sources/fhir/unit'
import type { SourceEvent } from '@kakehashi/agent/sources/connector'
import { facilityId } from '@kakehashi/protocol/ids'
import { describe, expect, test } from 'vitest'
import { openReader, waitingEnv } from './reader.fixture.ts'
import { type Cassette, cassettesOf, recordings, replay } from './replay.ts'

const why = recordings ? '' : ' (skipped: the shared data is not on this machine)'
const signal = new AbortController().signal
const MEDPLUM = 'http://127.0.0.1:8103/fhir/R4/'
const keys = rotated([], 'ES384')
const scope = { source: 'ehr', facility: facilityId('h1'), bases: [MEDPLUM] }
const played = new Set<string>()

function playing(server: 'medplum' | 'bulk-data-server', first: number, last = first) {
  const all = cassettesOf(server)
  const some: Cassette[] = []
  for (let n = first; n <= last; n++) some.push(all.get(String(n).padStart(3, '0')) as Cassette)
  // what is left on the server was deleted in one recording alone
  const cancelled = server === 'bulk-data-server' ? (all.get('042') as Cassette) : null
  const told = replay(some)
  const get: typeof told.get = async (request) => {
    if (request.method === 'DELETE' && cancelled) {
      played.add(cancelled.name)
      return { status: cancelled.response.status, headers: {}, body: Buffer.from('{}') }
    }
    const answer = await told.get(request)
    for (const name of told.played) played.add(name)
    return answer
  }
  return { some, get, requests: told.requests }
}

async function tokenBy(server: 'medplum' | 'bulk-data-server', n: number): Promise<string> {
  const { get, some } = playing(server, n)
  const tokenUrl = some[0]?.request.url ?? ''
  const env = waitingEnv()
  const told = { base: new URL('/fhir/', tokenUrl).href, clientId: 'c', keys, scope: 'system/*.rs' }
  return new SmartTokens({ ...told, tokenUrl, get, env }).token(signal)
}

/** One export through the whole connector, as its recordings go. */
async function exported(first: number, last: number, since: string | null = null) {
  const { some, get, requests } = playing('bulk-data-server', first, last)
  const kickoff = new URL(some[0]?.request.url ?? '')
  const reader = await openReader()
  const base = kickoff.href.slice(0, kickoff.href.indexOf('/fhir/') + '/fhir/'.length)
  const connector = reader.bulk({
    get,
    client: { base, credentials: { kind: 'bearer', token: 't' }, get },
    level: 'Patient',
    types: kickoff.searchParams.get('_type')?.split(',') ?? null,
  })
  const from =
    since === null
      ? null
      : JSON.stringify({ since, lastFullAt: reader.env.at, nextAt: 0, members: null, job: null })
  const events: SourceEvent[] = []
  let error: unknown = null
  try {
    for await (const event of connector.changes(from, { run: 'r', signal })) events.push(event)
  } catch (thrown) {
    error = thrown
  }
  const of = <T extends SourceEvent['t']>(t: T) =>
    events.filter((e): e is Extract<SourceEvent, { t: T }> => e.t === t)
  const final = of('checkpoint').at(-1)
  const state =
    final === undefined ? null : (JSON.parse(final.checkpoint) as { since: string | null; job: unknown })
  return {
    records: of('record').length,
    gone: of('tombstone').length,
    faults: of('fault'),
    state,
    error,
    requests,
    of,
  }
}

describe.skipIf(!recordings)(`all 87 recorded exchanges${why}`, () => {
  test('bulk 001–004, Medplum 001–002: a token, and each way of not getting one', async () => {
    expect(await tokenBy('bulk-data-server', 1)).toBe('<redacted>')
    expect(await tokenBy('medplum', 1)).toBe('<redacted>')
    await expect(tokenBy('bulk-data-server', 2)).rejects.toThrow('token (400 invalid_grant')
    await expect(tokenBy('bulk-data-server', 3)).rejects.toThrow('token (400 invalid_grant')
    await expect(tokenBy('bulk-data-server', 4)).rejects.toThrow('token (400 invalid_scope')
    await expect(tokenBy('medplum', 2)).rejects.toThrow('SOURCE_UNAUTHORIZED at token (400')
  })

  test('bulk 005–010: without a token 401; an export from beginning to end', async () => {
    const refused = await exported(5, 5)
    expect(String(refused.error)).toContain('SOURCE_UNAUTHORIZED at $export')
    const whole = await exported(6, 10)
    expect(whole).toMatchObject({ records: 138, faults: [], error: null })
    expect(whole.state).toMatchObject({ since: '2026-11-23T04:42:40+00:00', job: null })
  })

  test('bulk 011–017 DATA T24: deletions are told; a file cut short four times is not believed', async () => {
    const told = await exported(11, 17, '2010-01-01T00:00:00Z')
    expect(told.gone).toBeGreaterThan(40)
    expect(told.faults.length + told.of('quarantined').length).toBeGreaterThan(0)
    expect(told.state?.since).toBe('2010-01-01T00:00:00Z')
  })

  test('bulk 018–028 DATA T24: failed files and an expired one leave _since where it was', async () => {
    const failed = await exported(18, 24)
    expect(failed.records).toBe(100)
    expect(failed.faults.length).toBe(3)
    expect(failed.state).toMatchObject({ since: null, job: null })
    const expired = await exported(25, 28)
    expect(expired.faults).toMatchObject([
      { code: 'SOURCE_ANSWER_BAD', place: expect.stringContaining('(410)') },
    ])
    expect(expired.state).toMatchObject({ since: null, job: null })
  })

  test('bulk 029–033: a status that fails is asked again; a kick-off that is refused is a fault', async () => {
    const transient = await exported(29, 30)
    expect(transient.faults).toMatchObject([{ place: '$export (job lost)' }])
    expect(transient.requests.filter(({ url }) => url.includes('bulkstatus')).length).toBeGreaterThan(10)
    for (const [n, since, status] of [
      [31, null, 500],
      [32, null, 400],
      [33, '2099-01-01T00:00:00Z', 400],
    ] as const)
      expect(String((await exported(n, n, since)).error)).toContain(
        `SOURCE_ANSWER_BAD at $export (${status})`,
      )
  })

  test('bulk 034–040 DATA T25: a 202 with a body is no end; pages go on by their link', async () => {
    const { some, get } = playing('bulk-data-server', 34, 40)
    const url = some[0]?.request.url ?? ''
    const client = new FhirClient({
      base: url.slice(0, url.indexOf('/fhir/') + 6),
      credentials: { kind: 'none' },
      get,
      env: waitingEnv(),
    })
    const env = waitingEnv()
    const answer = await client.ask({ url, place: '$export' }, signal)
    const job = { status: answer.headers['content-location'] as string, startedAt: env.at }
    const first = await awaited(client, job, env, signal)
    expect(env.waits).toEqual([1000, 1000, 1000])
    expect(first.next).toContain('?page=2')
    const second = await client.ask({ url: first.next as string, place: 'page' }, signal)
    expect(second.value).toMatchObject({ output: [{ count: 39 }, { count: 200 }, { count: 200 }] })
    const file = await client.ask({ url: first.output[0]?.url as string, place: 'file' }, signal)
    expect(Buffer.from(file.body).toString().split('\n').filter(Boolean).length).toBeGreaterThan(0)
  })

  test('bulk 041–043 DATA T27: what is cancelled is gone', async () => {
    const { some, get } = playing('bulk-data-server', 41, 43)
    const url = some[0]?.request.url ?? ''
    const env = waitingEnv()
    const client = new FhirClient({
      base: url.slice(0, url.indexOf('/fhir/') + 6),
      credentials: { kind: 'none' },
      get,
      env,
    })
    const status = await kickOff(client, { level: 'Patient', since: null, types: null }, signal)
    await cleanUp(client, status, signal)
    await expect(awaited(client, { status, startedAt: env.at }, env, signal)).rejects.toThrow(JobLost)
  })

  test('Medplum 003–005: 401, capability, discovery below the root', async () => {
    const client = (n: number) => {
      const { get, some } = playing('medplum', n)
      return {
        client: new FhirClient({ base: MEDPLUM, credentials: { kind: 'none' }, get, env: waitingEnv() }),
        get,
        url: some[0]?.request.url ?? '',
      }
    }
    const three = client(3)
    await expect(three.client.get(three.url, 'Patient', signal)).rejects.toThrow('SOURCE_UNAUTHORIZED')
    expect((await capabilityOf(client(4).client, signal)).fhirVersion).toMatch(/^4\.0/)
    expect(await discover(MEDPLUM, client(5).get, signal)).toEqual({
      tokenEndpoint: 'http://127.0.0.1:8103/oauth2/token',
      algorithms: ['RS256', 'RS384', 'ES384'],
    })
  })

  test('Medplum 006–041: every answer is data, an end, or a fault, by what it is', async () => {
    const data: Record<number, number> = { 10: 20, 14: 0, 15: 1, 11: 0, 30: 0 }
    const faults: Record<number, string> = {
      12: '(400)',
      13: '(400)',
      16: '(500)',
      25: '(412)',
      32: '(404)',
      33: '(400)',
      34: '(404)',
      35: '(404)',
      28: 'PagesExpired',
    }
    for (let n = 6; n <= 41; n++) {
      const { some, get } = playing('medplum', n)
      const { request, response } = some[0] as Cassette
      const asked: typeof get = (one) => get({ ...one, method: request.method as 'GET' })
      const client = new FhirClient({
        base: MEDPLUM,
        credentials: { kind: 'none' },
        get: asked,
        env: waitingEnv(),
      })
      const pages = pagesOf(client, request.url, 'Type', signal)
      if (faults[n] !== undefined) {
        await expect(pages.next(), `${n}`).rejects.toThrow(n === 28 ? 'Type' : faults[n])
        continue
      }
      const bundle = (JSON.parse(response.body) as { resourceType: string }).resourceType === 'Bundle'
      const first = await pages.next().catch(String)
      if (!bundle) expect(first, `${n}`).toContain('SOURCE_ANSWER_BAD')
      else if (data[n] !== undefined)
        expect((first as { value: { entries: number } }).value.entries, `${n}`).toBeGreaterThanOrEqual(
          Math.min(data[n] as number, 1),
        )
    }
  })

  test('Medplum 020–029 DATA T14 T17: a no-op keeps the content hash; a deletion in history has an id and no resource', () => {
    const all = cassettesOf('medplum')
    const body = (n: string) => Buffer.from((all.get(n) as Cassette).response.body)
    const hashOf = (n: string) => {
      const [one] = readUnit(body(n), scope)
      if (one?.t !== 'parsed') throw new Error(n)
      return one.parsed.record.contentHash
    }
    expect(hashOf('024')).toBe(hashOf('023'))
    expect(hashOf('022')).toBe(hashOf('021'))
    expect(hashOf('023')).not.toBe(hashOf('020'))
    const history = JSON.parse(body('029').toString()) as unknown
    expect(deletionsIn(history, 'ehr', scope.bases).map(({ key }) => key.type)).toEqual(['Patient'])
    expect(deletionsIn(JSON.parse(body('026').toString()), 'ehr', scope.bases)).toEqual([])
  })

  test('Medplum 042–044 DATA T26: signed files on a path of their own are asked for without the token', async () => {
    const { get, requests } = playing('medplum', 42, 44)
    const reader = await openReader()
    const credentials = { kind: 'bearer' as const, token: 't' }
    const connector = reader.bulk({
      get,
      client: { base: MEDPLUM, credentials, get },
      types: ['Patient', 'Encounter'],
    })
    const { faults } = await reader.gather(connector)
    expect(faults).toHaveLength(2)
    expect(JSON.stringify(faults)).not.toContain('Signature')
    const files = requests.filter(({ url }) => url.includes('/storage/'))
    expect(files).toHaveLength(2)
    for (const { headers } of files) expect(headers).not.toHaveProperty('authorization')
  })

  test('none of the 87 is left out', () => {
    const all = [...cassettesOf('medplum').values(), ...cassettesOf('bulk-data-server').values()]
    expect(all).toHaveLength(87)
    expect(all.map(({ name }) => name).filter((name) => !played.has(name))).toEqual([])
  })
})
