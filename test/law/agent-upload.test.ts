import { randomBytes } from 'node:crypto'
import { UPLOAD_PART_BYTES_MAX } from '@kakehashi/protocol/limits'
import { signRequest } from '@kakehashi/protocol/requests'
import { expect, test } from 'vitest'
import {
  chart,
  DAY,
  openScheme,
  pass,
  person,
  puts,
  ready,
  result,
  world,
  type World,
} from './agent-world.ts'

/** Text no codec makes smaller: the batch needs several parts. */
const bulky = (number: string) => ({
  ...result(number, `big${number}`),
  note: Array.from({ length: 8 }, () => ({ text: randomBytes(200_000).toString('base64') })),
})

/** A batch of which the first part arrived; then the line broke. */
async function halfSent(w: World): Promise<void> {
  w.write('Big.ndjson', [bulky('0001')])
  await w.agent.gather()
  await w.agent.build()
  w.line.broken = ({ method, path }) => method === 'PUT' && !path.includes('offset=0&')
  await w.agent.exchange()
  expect(await atGateway(w)).toMatchObject([{ state: 'partial', received: UPLOAD_PART_BYTES_MAX }])
  w.line.broken = null
  w.sent.length = 0
}

const atGateway = (w: World) => w.gatewayStore.db.selectFrom('gateway_batch').selectAll().execute()
const partsAtGateway = (w: World) => w.gatewayStore.db.selectFrom('gateway_part').select('batch').execute()

/** What is left of the batch at both ends, and how many parts left since it was halted. */
async function leftOf(w: World): Promise<unknown> {
  const { dropped, 'in-flight': flying } = (await w.agent.status()).batches
  return {
    sent: puts(w).length,
    atGateway: (await atGateway(w)).map(({ state, received }) => ({ state, received })),
    parts: (await partsAtGateway(w)).length,
    agent: { dropped, flying },
    bytes: (await w.store.db.selectFrom('outbox_part').select('batch').execute()).length,
  }
}

const ABANDONED = {
  sent: 0,
  atGateway: [{ state: 'abandoned', received: 0 }],
  parts: 0,
  agent: { dropped: 1, flying: 0 },
  bytes: 0,
}

test('T6 stored flag: an upload that paused goes on where it was while the gate still allows it', async () => {
  using w = await ready()
  await halfSent(w)
  await w.agent.exchange()
  expect(puts(w)[0]!.path).toContain(`offset=${UPLOAD_PART_BYTES_MAX}&`)
  expect(await atGateway(w)).toMatchObject([{ state: 'stored' }])
})

test('T6 stored flag: a stop while half of a batch is at the gateway: no further byte, and the half is dropped there', async () => {
  using w = await ready()
  await halfSent(w)
  await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await w.agent.exchange()
  expect(await leftOf(w)).toEqual(ABANDONED)
  await w.agent.build()
  await w.agent.exchange()
  const [batch] = await w.vault.batches(w.agent)
  expect(batch!.content.evidence.map((e) => e.state.patient.patient)).toEqual([chart('0002'), chart('0003')])
})

test('T17 turns 16 while half of a batch is at the gateway: the gate is asked before the next byte', async () => {
  using w = await world(Date.UTC(2026, 3, 1))
  w.write('Patient.ndjson', [person('0001', '2010-06-15')])
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  await w.agent.register.recordNotice({
    patient: chart('0001'),
    by: 'desk',
    recipients: ['person', 'guardian'],
  })
  await pass(w, 74 * DAY)
  await halfSent(w)
  await pass(w, DAY)
  expect(await leftOf(w)).toEqual(ABANDONED)
  expect((await w.agent.dryRun()).reasons).toMatchObject([{ code: 'HOLD_TURNED_16' }])
})

test('R10 the hospital leaves the scheme while half of a batch is at the gateway: no further byte', async () => {
  using w = await ready()
  await halfSent(w)
  await w.agent.register.setFacility({
    by: 'office',
    waitDays: 30,
    deathPolicy: 'hold',
    closedDays: [],
    endedOn: '2026-05-01',
  })
  await w.agent.exchange()
  expect(await leftOf(w)).toEqual(ABANDONED)
})

test('R50 the operator’s status grows too old while half of a batch is at the gateway: no further byte', async () => {
  using w = await ready()
  await halfSent(w)
  w.clock.now += 9 * DAY
  await w.agent.exchange()
  expect(await leftOf(w)).toEqual(ABANDONED)
})

test('R19 the gateway takes no late part of a batch that was taken back, and a crash between both ends is settled', async () => {
  using w = await ready()
  await halfSent(w)
  await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  const { batch, digest, size } = (await atGateway(w))[0]!
  const { bytes } = await w.store.db
    .selectFrom('outbox_part')
    .select('bytes')
    .where('start', '=', 0)
    .executeTakeFirstOrThrow()
  // the gateway dropped it, but its answer was lost
  w.line.broken = ({ method }) => method === 'GET'
  const { context } = w.agent
  const call = async (method: string, path: string, body: Uint8Array) =>
    (
      await w.gateway.handle({
        method,
        path,
        body,
        headers: signRequest({ method, path, body }, context.keys.agent, context.keys.signing, context.env),
      })
    ).status
  expect(await call('DELETE', `/v1/batches/${batch}`, new Uint8Array())).toBe(200)
  const late = `/v1/batches/${batch}?offset=0&size=${size}&digest=${digest}`
  expect(await call('PUT', late, new Uint8Array(bytes))).toBe(409)
  w.line.broken = null
  await w.restart()
  await w.agent.exchange()
  expect(await leftOf(w)).toEqual(ABANDONED)
  expect(await call('DELETE', `/v1/batches/${batch}`, new Uint8Array())).toBe(200)
  w.clock.now += 2 * DAY
  await w.gateway.tidy()
  expect(await atGateway(w)).toEqual([])
})
