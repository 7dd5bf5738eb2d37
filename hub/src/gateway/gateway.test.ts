import { UPLOAD_PART_BYTES_MAX } from '@kakehashi/protocol/limits'
import { signRequest } from '@kakehashi/protocol/requests'
import { newBoxKey, newSigningKey, toBase64, verifyBytes } from '@kakehashi/protocol/signing'
import { canonicalBytes } from '@kakehashi/protocol/canonical'
import { openDatabase } from '@kakehashi/store/sqlite'
import { afterEach, expect, test } from 'vitest'
import { readJson, type Answer } from '../call.ts'
import { hubWorld, testEnv, type HubWorld } from '../hub.fixture.ts'
import { HospitalHand, patientState } from '../hospital.fixture.ts'
import { offerEnrolment } from '../vault/enrolment.ts'
import { enrolmentCodeHash } from './enrolment.ts'
import { createGateway } from './gateway.ts'
import { CONTROL_WAITING_MAX } from './limits.ts'
import { openGatewayStore } from './store.ts'

const closing: (() => Promise<void>)[] = []
async function world(): Promise<{ hub: HubWorld; hand: HospitalHand }> {
  const hub = await hubWorld()
  closing.push(() => hub.close())
  return { hub, hand: await hub.enrol('hospital-a') }
}
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const code = (answer: Answer): string => (readJson(answer) as { code: string }).code
const part = (batch: string, offset: number, sealed: { bytes: Uint8Array; digest: string }): string =>
  `/v1/batches/${batch}?offset=${offset}&size=${sealed.bytes.length}&digest=${sealed.digest}`

test('an upload in parts resumes where it broke off, and is acknowledged only when whole', async () => {
  const { hub, hand } = await world()
  const sealed = hand.seal(hand.content(patientState(hand.facility, '0001')))
  const { batch } = sealed.header
  const cut = 700
  const first = await hand.call('PUT', part(batch, 0, sealed), sealed.bytes.subarray(0, cut))
  expect(readJson(first)).toEqual({ received: cut })
  expect((await hub.vault.round()).batches.seen).toBe(0)
  expect(readJson(await hand.call('GET', `/v1/batches/${batch}`))).toEqual({
    state: 'partial',
    received: cut,
    digest: sealed.digest,
  })
  const again = await hand.call('PUT', part(batch, 0, sealed), sealed.bytes.subarray(0, cut))
  expect(readJson(again)).toEqual({ received: cut })
  const last = await hand.call('PUT', part(batch, cut, sealed), sealed.bytes.subarray(cut))
  expect(readJson(last)).toMatchObject({ batch, digest: sealed.digest, storedAt: hub.env.now() })
  const repeated = await hand.call('PUT', part(batch, cut, sealed), sealed.bytes.subarray(cut))
  expect(readJson(repeated)).toEqual(readJson(last))
  const key = (readJson(await hand.call('GET', `/v1/batches/${batch}`)) as { state: string }).state
  expect(key).toBe('stored')
})

test('the acknowledgement carries the gateway’s own signature', async () => {
  const { hand } = await world()
  const sealed = hand.seal(hand.content(patientState(hand.facility, '0001')))
  const answer = await hand.upload(sealed.header.batch, sealed.bytes, sealed.digest)
  const signature = Buffer.from(answer.headers['kakehashi-ack-signature'] ?? '', 'base64')
  const key = Buffer.from(hand.hub.gatewayKey, 'base64')
  expect(verifyBytes('gateway-ack', canonicalBytes(readJson(answer)), signature, key)).toBe(true)
})

test('nothing is kept of a batch whose bytes do not give the digest, or whose signature is another’s', async () => {
  const { hub, hand } = await world()
  const sealed = hand.seal(hand.content(patientState(hand.facility, '0001')))
  const wrong = await hand.upload(sealed.header.batch, sealed.bytes, '0'.repeat(64))
  expect(code(wrong)).toBe('DIGEST_MISMATCH')
  const stranger = hand.seal(hand.content(patientState(hand.facility, '2')), {
    signing: newSigningKey(hub.env),
  })
  expect(code(await hand.upload(stranger.header.batch, stranger.bytes, stranger.digest))).toBe('KEY_UNKNOWN')
  expect(await hub.gatewayStore.db.selectFrom('gateway_batch').selectAll().execute()).toEqual([])
  expect(await hub.gatewayStore.db.selectFrom('gateway_part').selectAll().execute()).toEqual([])
})

test('a batch header under another number than its address is refused', async () => {
  const { hand } = await world()
  const sealed = hand.seal(hand.content(patientState(hand.facility, '0001')))
  expect(code(await hand.upload('another', sealed.bytes, sealed.digest))).toBe('SIGNATURE_INVALID')
})

test('a part over the limit, a whole over the limit and an offset beyond the size are refused', async () => {
  const { hand } = await world()
  const big = new Uint8Array(UPLOAD_PART_BYTES_MAX + 1)
  const digest = 'a'.repeat(64)
  expect(code(await hand.call('PUT', `/v1/batches/b?offset=0&size=9000000&digest=${digest}`, big))).toBe(
    'ENVELOPE_TOO_LARGE',
  )
  expect(
    code(await hand.call('PUT', `/v1/batches/b?offset=0&size=99000000&digest=${digest}`, big.subarray(0, 9))),
  ).toBe('ENVELOPE_TOO_LARGE')
  expect(
    code(await hand.call('PUT', `/v1/batches/b?offset=5&size=9&digest=${digest}`, big.subarray(0, 9))),
  ).toBe('REQUEST_MALFORMED')
  expect(
    code(await hand.call('PUT', `/v1/batches/b?offset=-1&size=9&digest=${digest}`, big.subarray(0, 9))),
  ).toBe('REQUEST_MALFORMED')
})

test('a request replayed, stale, altered, unsigned or from a stranger is refused with its code', async () => {
  const { hub, hand } = await world()
  const body = new Uint8Array(0)
  const path = '/v1/control?after=0'
  const headers = signRequest({ method: 'GET', path, body }, hand.agent, hand.signing, hub.env)
  const call = { method: 'GET', path, headers, body }
  expect((await hub.gateway.handle(call)).status).toBe(200)
  expect(code(await hub.gateway.handle(call))).toBe('REQUEST_STALE')
  const fresh = signRequest({ method: 'GET', path, body }, hand.agent, hand.signing, hub.env)
  expect(code(await hub.gateway.handle({ ...call, path: '/v1/control?after=1', headers: fresh }))).toBe(
    'SIGNATURE_INVALID',
  )
  hub.env.pass(6 * 60_000)
  expect(code(await hub.gateway.handle({ ...call, headers: fresh }))).toBe('REQUEST_STALE')
  expect(code(await hub.gateway.handle({ ...call, headers: {} }))).toBe('NOT_ENROLLED')
  const stranger = signRequest({ method: 'GET', path, body }, 'nobody', newSigningKey(hub.env), hub.env)
  expect(code(await hub.gateway.handle({ ...call, headers: stranger }))).toBe('NOT_ENROLLED')
})

test('an agent cannot use the vault’s doors, read another’s batch, or put into another’s mailbox', async () => {
  const { hub, hand } = await world()
  const other = await hub.enrol('hospital-b')
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
  expect(code(await other.call('GET', '/v1/vault/batches?after=0'))).toBe('NOT_ALLOWED')
  expect(readJson(await other.call('GET', `/v1/batches/${sent.header.batch}`))).toMatchObject({
    state: 'absent',
  })
  const envelope = {
    version: 1,
    message: 'm-1',
    agent: hand.agent,
    direction: 'up',
    sealedTo: '0'.repeat(16),
    box: 'AAAA',
  }
  expect(code(await other.call('POST', '/v1/control', envelope))).toBe('NOT_ALLOWED')
  expect(code(await hand.call('POST', '/v1/control', { ...envelope, direction: 'down' }))).toBe('NOT_ALLOWED')
  expect(code(await hand.call('POST', '/v1/control', { ...envelope, extra: 1 }))).toBe('REQUEST_MALFORMED')
})

test('an enrolment code is good once, for its facility, until it expires; a repeated request of the same agent is the same answer', async () => {
  const { hub } = await world()
  const facility = 'hospital-c' as never
  const offer = await offerEnrolment(hub.ops, { facility, by: 'staff', hours: 1 })
  await hub.vault.round()
  const keys = {
    signingKey: toBase64(newSigningKey(hub.env).public),
    inboxKey: toBase64(newBoxKey(hub.env).public),
  }
  const enrol = (change: object): Promise<Answer> =>
    hub.gateway.handle({
      method: 'POST',
      path: '/v1/enrol',
      headers: {},
      body: new TextEncoder().encode(
        JSON.stringify({ code: offer.code, agent: 'agent-c', facility, ...keys, ...change }),
      ),
    })
  expect(code(await enrol({ code: 'AAAA-AAAA-AAAA-AAAA' }))).toBe('CODE_WRONG')
  expect(code(await enrol({ facility: 'hospital-x' }))).toBe('CODE_WRONG')
  expect((await enrol({ code: offer.code.toLowerCase().replaceAll('-', ' ') })).status).toBe(200)
  expect((await enrol({})).status).toBe(200)
  expect(code(await enrol({ agent: 'agent-d' }))).toBe('CODE_USED')
  const late = await offerEnrolment(hub.ops, { facility, by: 'staff', hours: 1 })
  await hub.vault.round()
  hub.env.pass(3_600_001)
  expect(code(await enrol({ code: late.code, agent: 'agent-e' }))).toBe('CODE_EXPIRED')
})

test('a gateway that enrols its own agent with a code of its own making is not believed by the vault', async () => {
  const { hub } = await world()
  await hub.gatewayStore.db
    .insertInto('gateway_enrolment')
    .values({
      code_hash: enrolmentCodeHash('FAKE-FAKE-FAKE-FAKE'),
      facility: 'hospital-a',
      expires_at: hub.env.now() + 1000,
      used_at: null,
      agent: null,
    })
    .execute()
  await offerEnrolment(hub.ops, { facility: 'hospital-z' as never, by: 'staff', hours: 1 })
  const fake = await HospitalHand.enrol(
    hub.env,
    hub.gateway,
    'hospital-a' as never,
    'FAKE-FAKE-FAKE-FAKE',
  ).catch(() => null)
  expect(fake).toBeNull()
  await hub.gatewayStore.db.deleteFrom('gateway_agent').execute()
  await HospitalHand.enrol(hub.env, hub.gateway, 'hospital-a' as never, 'FAKE-FAKE-FAKE-FAKE')
  await hub.vault.round()
  const agents = await hub.ops.db.selectFrom('agent_key').selectAll().execute()
  expect(agents).toHaveLength(1)
})

test('a full disk is said as 503 DISK_FULL, nothing is half accepted, and the upload goes on when there is room', async () => {
  const env = testEnv('2026-07-01T12:00:00+09:00')
  const database = openDatabase(':memory:')
  const store = await openGatewayStore(database, env)
  closing.push(() => store.close())
  const vault = { box: newBoxKey(env).public, signing: newSigningKey(env).public }
  const operator = { operator: 'op-1' as never, name: 'x', address: 'y' }
  const gateway = createGateway({ env, store, key: newSigningKey(env), operator, vault, log: () => {} })
  await store.db
    .insertInto('gateway_enrolment')
    .values({
      code_hash: enrolmentCodeHash('CODE-CODE'),
      facility: 'hospital-a',
      expires_at: env.now() + 1,
      used_at: null,
      agent: null,
    })
    .execute()
  const hand = await HospitalHand.enrol(env, gateway, 'hospital-a' as never, 'CODE-CODE')
  const many = Array.from({ length: 120 }, (_, n) => patientState(hand.facility, String(n)))
  const sealed = hand.seal(hand.content(...many))
  expect(sealed.bytes.length).toBeGreaterThan(10_000)
  const pages = Number(Object.values(database.prepare('PRAGMA page_count').get() ?? {})[0])
  database.exec(`PRAGMA max_page_count = ${pages + 1}`)
  const refused = await hand.upload(sealed.header.batch, sealed.bytes, sealed.digest)
  expect(refused.status).toBe(503)
  expect(code(refused)).toBe('DISK_FULL')
  expect(await store.db.selectFrom('gateway_batch').selectAll().execute()).toEqual([])
  expect(await store.db.selectFrom('gateway_part').selectAll().execute()).toEqual([])
  database.exec('PRAGMA max_page_count = 1000000')
  expect((await hand.upload(sealed.header.batch, sealed.bytes, sealed.digest)).status).toBe(200)
})

test('a quota on sealed bytes is DISK_FULL too', async () => {
  const { hub, hand } = await world()
  const gateway = createGateway({
    env: hub.env,
    store: hub.gatewayStore,
    key: newSigningKey(hub.env),
    operator: hub.parts.operator,
    vault: { box: hub.parts.keys.box.public, signing: hub.parts.keys.signing.public },
    log: () => {},
    storedBytesMax: 1000,
  })
  const small = new HospitalHand(hub.env, gateway, hand, hand.hub)
  const sealed = small.seal(small.content(patientState(hand.facility, '0001')))
  expect(code(await small.upload(sealed.header.batch, sealed.bytes, sealed.digest))).toBe('DISK_FULL')
})

test('a mailbox is bounded: over the limit the message is refused, not another dropped', async () => {
  const { hub, hand } = await world()
  const envelope = { version: 1, agent: hand.agent, direction: 'up', sealedTo: '0'.repeat(16), box: 'AAAA' }
  const rows = Array.from({ length: CONTROL_WAITING_MAX }, (_, n) => ({
    seq: 1_000_000 + n,
    message: `m-${n}`,
    agent: hand.agent,
    direction: 'up' as const,
    envelope: JSON.stringify(envelope),
    stored_at: 1,
    acked_at: null,
  }))
  for (let at = 0; at < rows.length; at += 2000)
    await hub.gatewayStore.db
      .insertInto('gateway_control')
      .values(rows.slice(at, at + 2000))
      .execute()
  expect(code(await hand.call('POST', '/v1/control', { ...envelope, message: 'one-more' }))).toBe('DISK_FULL')
  expect((await hand.call('POST', '/v1/control', { ...envelope, message: 'm-7' })).status).toBe(200)
})
