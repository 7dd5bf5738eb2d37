import { publicKeys, readKeys, rotated, type ClientKey } from '@kakehashi/agent/sources/fhir/auth/keys'
import { SmartTokens } from '@kakehashi/agent/sources/fhir/auth/tokens'
import { FhirClient } from '@kakehashi/agent/sources/fhir/client'
import type { HttpGet } from '@kakehashi/agent/sources/fhir/wire'
import { expect, test } from 'vitest'
import { createFhirService } from './fhir-service.ts'
import { hospitalCharts } from './generator.ts'
import { getOf, openReader, waitingEnv, type WaitingEnv } from './reader.fixture.ts'
import { type TokenServer, tokenServer } from './token-server.ts'

const BASE = 'https://ehr.example/fhir/'
const ENDPOINT = 'https://auth.example/token/'
const signal = new AbortController().signal
const RS = rotated([], 'RS384')
const ES = rotated([], 'ES384')

interface World {
  env: WaitingEnv
  server: TokenServer
  client: FhirClient
  sent: { host: string; authorization: string | undefined }[]
}

function world(
  keys: readonly ClientKey[],
  more: { known?: readonly ClientKey[]; skewMs?: number; algs?: string[] } = {},
): World {
  const env = waitingEnv()
  const now = () => env.at + (more.skewMs ?? 0)
  const server = tokenServer({ endpoint: ENDPOINT, now, known: publicKeys(more.known ?? keys).keys })
  const sent: World['sent'] = []
  const get: HttpGet = async ({ url, headers, body = '' }) => {
    const { host, pathname } = new URL(url)
    sent.push({ host, authorization: headers['authorization'] })
    const told = (status: number, value: string) => ({
      status,
      headers: { date: new Date(now()).toUTCString() },
      body: Buffer.from(value),
    })
    if (pathname.endsWith('/.well-known/smart-configuration'))
      return told(
        200,
        JSON.stringify({
          token_endpoint: ENDPOINT,
          ...(more.algs ? { token_endpoint_auth_signing_alg_values_supported: more.algs } : {}),
        }),
      )
    if (url === ENDPOINT) {
      const { status, body: text } = server.answer(body)
      return told(status, text)
    }
    const token = headers['authorization']?.slice('Bearer '.length) ?? ''
    return server.live.has(token) ? told(200, '{"resourceType":"Bundle"}') : told(401, '{}')
  }
  const tokens = new SmartTokens({ base: BASE, clientId: 'kakehashi', keys, scope: 'system/*.rs', get, env })
  return {
    env,
    server,
    sent,
    client: new FhirClient({ base: BASE, credentials: { kind: 'smart', tokens }, get, env }),
  }
}

for (const [alg, keys] of [
  ['RS384', RS],
  ['ES384', ES],
] as const)
  test(`SMART Backend Services with ${alg}: the assertion holds before a server that checks all of it`, async () => {
    const w = world(keys)
    expect((await w.client.get('Patient', 'Patient', signal)).status).toBe(200)
    expect(w.server.asked).toBe(1)
  })

test('a token is asked for anew at four fifths of its life, and never twice in a minute', async () => {
  const w = world(ES)
  await w.client.get('Patient', 'Patient', signal)
  w.env.at += 239_000
  await w.client.get('Patient', 'Patient', signal)
  expect(w.server.asked).toBe(1)
  w.env.at += 1000
  await Promise.all(Array.from({ length: 5 }, () => w.client.get('Patient', 'Patient', signal)))
  expect(w.server.asked).toBe(2)
  w.server.lifetime = 10
  w.env.at += 240_000
  await w.client.get('Patient', 'Patient', signal)
  w.env.at += 9000
  await w.client.get('Patient', 'Patient', signal)
  expect(w.server.asked).toBe(3)
  w.env.at += 2000
  await w.client.get('Patient', 'Patient', signal)
  expect(w.server.asked).toBe(4)
  expect(w.env.waits).toEqual([49_000])
})

test('DATA T37 a token that ends before its time is had anew once; a second refusal is a fault', async () => {
  const w = world(ES)
  await w.client.get('Patient', 'Patient', signal)
  w.env.at += 61_000
  w.server.live.clear()
  expect((await w.client.get('Patient', 'Patient', signal)).status).toBe(200)
  expect(w.server.asked).toBe(2)
  w.server.live.has = () => false
  w.env.at += 61_000
  await expect(w.client.get('Patient', 'Patient', signal)).rejects.toThrow('SOURCE_UNAUTHORIZED at Patient')
  expect(w.server.asked).toBe(3)
})

test('DATA T3 a clock that is off is said with its seconds, from the Date of the answer', async () => {
  const w = world(ES, { skewMs: 10 * 60_000 })
  await expect(w.client.get('Patient', 'Patient', signal)).rejects.toThrow(
    'token (400 invalid_grant, our clock is 600 s behind the server)',
  )
  const other = world(ES, { skewMs: -10 * 60_000 })
  await expect(other.client.get('Patient', 'Patient', signal)).rejects.toThrow('600 s ahead of the server')
})

test('two keys: while the server knows only the older one it is used, then the newer', async () => {
  const [older] = ES as [ClientKey]
  const both = rotated(ES, 'RS384')
  expect(both).toHaveLength(2)
  const w = world(both, { known: [older] })
  await w.client.get('Patient', 'Patient', signal)
  expect(w.server.asked).toBe(2)
  const late = world(both, { known: both })
  await late.client.get('Patient', 'Patient', signal)
  expect(late.server.asked).toBe(1)
  expect(rotated(both, 'ES384').map((key) => key.kid)).not.toContain(older.kid)
})

test('a key of an algorithm the server does not take is not tried', async () => {
  const both = [...RS, ...ES]
  const w = world(both, { algs: ['ES384'] })
  await w.client.get('Patient', 'Patient', signal)
  expect(w.server.asked).toBe(1)
  const none = world(RS, { algs: ['ES384'] })
  await expect(none.client.get('Patient', 'Patient', signal)).rejects.toThrow('no key of an algorithm')
})

test('what the server grants may be less than what was asked for, and is known by type', async () => {
  const w = world(ES)
  w.server.scope = 'system/Patient.rs system/Observation.read system/Condition.cud openid'
  const allows = await w.client.allows(signal)
  expect(['Patient', 'Observation', 'Condition', 'Encounter'].filter(allows)).toEqual([
    'Patient',
    'Observation',
  ])
})

test('DATA T8 T26 the token goes to the source’s own origin and nowhere else', async () => {
  const w = world(ES)
  await w.client.get('Patient', 'Patient', signal)
  await w.client.ask({ url: 'https://files.example/1.ndjson', place: 'x' }, signal).catch(() => {})
  await w.client.ask({ url: 'https://ehr.example:8443/x', place: 'x' }, signal).catch(() => {})
  await w.client.ask({ url: 'http://ehr.example/x', place: 'x' }, signal).catch(() => {})
  await w.client.ask({ url: 'https://ehr.example/x', place: 'x', credentials: false }, signal).catch(() => {})
  expect(w.sent.filter((one) => one.authorization !== undefined)).toHaveLength(1)
})

test('a key file that is none is refused without a word of it; the public set holds no private half', () => {
  for (const text of [
    '{',
    '{"keys":[]}',
    JSON.stringify(publicKeys(ES)),
    JSON.stringify({ keys: [...RS, ...ES, ...ES] }),
  ])
    expect(() => readKeys(text, 'ehr')).toThrow('SOURCE_UNAUTHORIZED at ehr: key file')
  expect(readKeys(JSON.stringify({ keys: [...RS, ...ES] }), 'ehr')).toHaveLength(2)
  for (const key of publicKeys([...RS, ...ES]).keys)
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(secret)
})

test('types that were not granted are said once and not asked for; what they hold is not taken for deleted', async () => {
  const reader = await openReader()
  const service = createFhirService({ now: () => reader.env.at })
  for (const chart of hospitalCharts({ seed: 'scope', hospital: 1, patients: 3 }))
    for (const { line } of chart.lines) service.put(line, reader.env.at - 86_400_000)
  const get = getOf(service)
  const tokens = tokenServer({ endpoint: ENDPOINT, now: () => reader.env.at, known: publicKeys(ES).keys })
  const asked: string[] = []
  const open: HttpGet = async (request) => {
    asked.push(request.url)
    if (request.url !== ENDPOINT) return get(request)
    const { status, body } = tokens.answer(request.body ?? '')
    return { status, headers: {}, body: Buffer.from(body) }
  }
  const base = 'http://hospital.example/fhir/'
  const connector = () => {
    const smart = {
      base,
      clientId: 'c',
      keys: ES,
      scope: 'system/*.rs',
      tokenUrl: ENDPOINT,
      get: open,
      env: reader.env,
    }
    const credentials = { kind: 'smart' as const, tokens: new SmartTokens(smart) }
    return reader.rest({ get: open, client: { base, credentials, get: open } })
  }
  const all = await reader.gather(connector())
  expect(all.faults).toEqual([])
  tokens.scope = 'system/Patient.rs system/Encounter.rs'
  reader.env.at += 90_000
  asked.length = 0
  const less = await reader.gather(connector(), true)
  expect(less.faults.map(({ place }) => place)).toContain('Observation (scope)')
  expect(less).toMatchObject({ vanished: 0, braked: 0 })
  expect(asked.filter((url) => url.includes('/Observation'))).toEqual([])
  expect((await reader.gather(connector())).faults).toEqual([])
})
