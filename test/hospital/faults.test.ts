import { publicKeys, rotated } from '@kakehashi/agent/sources/fhir/auth/keys'
import { SmartTokens } from '@kakehashi/agent/sources/fhir/auth/tokens'
import type { Credentials } from '@kakehashi/agent/sources/fhir/client'
import { httpGet, openHttp } from '@kakehashi/agent/sources/fhir/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withExport } from './bulk-server.ts'
import { type FaultProxy, faultProxy, FAULTS } from './fault-proxy.ts'
import { type FhirServer, listen } from './fhir-server.ts'
import { createFhirService } from './fhir-service.ts'
import { hospitalCharts } from './generator.ts'
import { randomOf } from './random.ts'
import { fetched, key, openReader, type Reader } from './reader.fixture.ts'
import { type TokenServer, tokenServer } from './token-server.ts'

const charts = [...hospitalCharts({ seed: 'faults', hospital: 1, patients: 450 })]
const lines = charts.flatMap((chart) => chart.lines)
if (lines.length < 8000) throw new Error('fewer records than this is to be tried with')
const numbers = charts.map((chart) => key(chart.number))
const keys = rotated([], 'ES384')
/** Within what an assertion's life forgives. */
const SKEW_MS = 90_000
const ROUNDS_MAX = 30
const NOTHING: Awaited<ReturnType<typeof fetched>> = { records: [], complete: [], faults: [] }

interface World {
  server: FhirServer
  proxy: FaultProxy
  tokens: TokenServer
  reader: Reader
  credentials: Credentials
}
let w: World

beforeAll(async () => {
  const reader = await openReader()
  const now = () => reader.env.at + SKEW_MS
  const service = createFhirService({ now })
  for (const { line } of lines) service.put(line, reader.env.at - 86_400_000)
  withExport(service)
  const server = await listen(service)
  const holder: { tokens: TokenServer | null } = { tokens: null }
  const proxy = await faultProxy({
    to: new URL(server.url).origin,
    random: randomOf('faults', 'proxy'),
    share: 0.4,
    now,
    expire: (token) => void holder.tokens?.live.delete(token),
  })
  const tokens = tokenServer({
    endpoint: `${proxy.url}/token`,
    now,
    known: publicKeys(keys).keys,
    lifetime: 120,
  })
  holder.tokens = tokens
  const other = service.intercept
  service.intercept = (call) => {
    const { pathname } = new URL(call.url)
    if (pathname === '/fhir/.well-known/smart-configuration')
      return { status: 200, headers: {}, body: JSON.stringify({ token_endpoint: tokens.endpoint }) }
    if (pathname === '/fhir/token') return { headers: {}, ...tokens.answer(call.body) }
    const token = (call.headers['authorization'] ?? '').replace(/^Bearer /, '')
    return tokens.live.has(token) ? (other?.(call) ?? null) : { status: 401, headers: {}, body: '{}' }
  }
  const smart = new SmartTokens({
    base: `${proxy.url}/`,
    clientId: 'c',
    keys,
    scope: 'system/*.rs',
    get: httpGet(),
    env: reader.env,
  })
  w = { server, proxy, tokens, reader, credentials: { kind: 'smart', tokens: smart } }
})
afterAll(async () => {
  await w.proxy.close()
  await w.server.close()
})

const truth = () => lines.map(({ line }) => line).toSorted()
const client = () => ({ base: w.proxy.url, credentials: w.credentials, get: httpGet(), open: openHttp() })

async function ledgerOf(source: string): Promise<number> {
  const rows = await w.reader.store.db
    .selectFrom('source_ledger')
    .selectAll()
    .where('source', '=', source)
    .execute()
  expect(rows.filter((row) => row.state !== 'active')).toEqual([])
  return rows.length
}

test('DATA T29 T30 T37 through a proxy that drops, delays, cuts, and lies: search loses nothing and doubles nothing', async () => {
  const { reader, proxy } = w
  const connector = reader.rest({ get: httpGet(), client: client(), pageCount: 100, source: 'rest' })
  let [rounds, added] = [0, 0]
  for (;;) {
    const round = await reader.gather(connector, rounds > 0)
    added += round.added
    expect(round).toMatchObject({ vanished: 0, braked: 0, quarantined: 0, changed: 0 })
    if (round.faults.length === 0 && added === lines.length) break
    expect(++rounds).toBeLessThan(ROUNDS_MAX)
  }
  expect(await ledgerOf('rest')).toBe(lines.length)
  expect([...proxy.happened.keys()].toSorted()).toEqual(FAULTS.toSorted())
  const found = new Map<string, string>()
  let left = [...numbers]
  for (let tries = 0; left.length > 0; tries++) {
    expect(tries).toBeLessThan(3 * numbers.length)
    const some = left.slice(0, 5)
    const { records, complete } = await fetched(connector, some).catch(() => NOTHING)
    for (const record of records)
      found.set(`${record.key.type}/${record.key.id}`, Buffer.from(record.payload).toString())
    left = [...left.slice(5), ...some].filter((patient) => !complete.includes(patient))
  }
  expect([...found.values()].toSorted()).toEqual(truth())
})

test('DATA T24 T27 T29 and so does an export, file by file', async () => {
  const { reader } = w
  const connector = reader.bulk({ get: httpGet(), client: client(), source: 'bulk' })
  let [rounds, added] = [0, 0]
  for (;;) {
    const round = await reader.gather(connector)
    added += round.added
    expect(round).toMatchObject({ vanished: 0, braked: 0, quarantined: 0, changed: 0 })
    if (round.faults.length === 0 && added === lines.length) break
    reader.env.at += 300_000
    expect(++rounds).toBeLessThan(ROUNDS_MAX)
  }
  expect(await ledgerOf('bulk')).toBe(lines.length)
})
