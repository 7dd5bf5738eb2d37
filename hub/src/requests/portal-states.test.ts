import { handleOf } from '@kakehashi/protocol/stop-handle'
import { stopHandle } from '@kakehashi/protocol/ids'
import { afterEach, expect, test } from 'vitest'
import type { HospitalHand } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { createVault } from '../vault/vault.ts'

const TOKEN = '0123456789ABCDEFGHJKMNPQRS'
const ADDRESS = '192.0.2.7'
const NUMBER = {
  facility: 'hospital-a',
  number: '7351902',
  birthDate: '1948-05-03',
  requester: 'person',
  erasureAsked: true,
  address: ADDRESS,
} as const

const worlds: HubWorld[] = []
async function world(): Promise<{ hub: HubWorld; hand: HospitalHand }> {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await hub.vault.round()
  return { hub, hand }
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

/** A later round: the portal is told what changed at most once a minute. */
async function later(hub: HubWorld): Promise<void> {
  hub.env.pass(61_000)
  await hub.vault.round()
}

const byToken = (hub: HubWorld, receipt = '') =>
  hub.portal.stateOf({ receipt, second: { handle: handleOf(TOKEN) }, address: ADDRESS })
const byBirth = (hub: HubWorld, receipt = '', birthDate: string = NUMBER.birthDate) =>
  hub.portal.stateOf({ receipt, second: { birthDate }, address: ADDRESS })

async function acknowledge(hand: HospitalHand): Promise<void> {
  await hand.acknowledge((await hand.mail()).map((one) => one.message))
}

test('R16 R20 with the paper: received, passed on, in force at the hospital and erased, each with its day', async () => {
  const { hub, hand } = await world()
  const taken = await hub.portal.takeStop({
    token: TOKEN,
    requester: 'person',
    erasureAsked: true,
    address: '192.0.2.7',
  })
  const none = { passed: null, held: null, erased: null, lifted: null }
  const start = { byToken: true, erasureAsked: true, asked: '2026-07-01' }
  expect(await byToken(hub, taken?.receipt)).toEqual({ ...start, ...none })
  await hub.vault.round()
  expect(await byToken(hub, taken?.receipt)).toEqual({ ...start, ...none, passed: '2026-07-01' })
  hub.env.pass(86_400_000)
  await acknowledge(hand)
  await later(hub)
  await later(hub)
  expect(await byToken(hub, taken?.receipt)).toMatchObject({ passed: '2026-07-01', held: '2026-07-02' })
  const stop = await hub.ops.db.selectFrom('stop').select('stop').executeTakeFirstOrThrow()
  await hand.say({
    type: 'stop-reported',
    stop: stop.stop,
    patients: ['hospital-a/0007'],
    handles: [stopHandle(handleOf(TOKEN))],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: hub.env.now(),
    erasureAsked: true,
  })
  await later(hub)
  await later(hub)
  expect(await byToken(hub, taken?.receipt)).toMatchObject({ held: '2026-07-02', erased: '2026-07-02' })
  await hand.say({
    type: 'stop-withdrawn-reported',
    stop: stop.stop,
    patients: ['hospital-a/0007'],
    withdrawnAt: hub.env.now(),
  })
  await later(hub)
  await later(hub)
  expect(await byToken(hub, taken?.receipt)).toMatchObject({ lifted: '2026-07-02' })
})

test('R17 without the paper the state is the same whether or not somebody matched', async () => {
  const { hub, hand } = await world()
  const known = await hub.portal.takeNumberStop(NUMBER)
  const nobody = await hub.portal.takeNumberStop({ ...NUMBER, number: '9999999' })
  await hub.vault.round()
  await acknowledge(hand)
  const [first] = await hub.ops.db
    .selectFrom('stop')
    .select('stop')
    .where('receipt', '=', known?.receipt ?? '')
    .execute()
  await hand.say({
    type: 'stop-reported',
    stop: first?.stop,
    patients: ['hospital-a/7351902'],
    handles: [],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: hub.env.now(),
    erasureAsked: true,
  })
  await later(hub)
  await later(hub)
  const erased = await hub.ops.db.selectFrom('erasure').select(['stop', 'state']).execute()
  expect(erased).toEqual([{ stop: first?.stop, state: 'done' }])
  const seen = await byBirth(hub, known?.receipt)
  expect(seen).toEqual(await byBirth(hub, nobody?.receipt))
  expect(seen).toMatchObject({ held: '2026-07-01', erased: null, lifted: null })
})

test('ASVS 6.3.8 R17 a number never given, another birth date and the other kind of second thing are one answer', async () => {
  const { hub } = await world()
  const taken = await hub.portal.takeNumberStop(NUMBER)
  await hub.vault.round()
  const answers = [
    await byBirth(hub, taken?.receipt, '1948-05-04'),
    await byBirth(hub, '22222-22222'),
    await byToken(hub, taken?.receipt),
  ]
  expect(answers).toEqual(['unknown', 'unknown', 'unknown'])
})

test('ASVS 14.2.7 what the portal keeps of a state names nobody and cannot be found by either half', async () => {
  const { hub } = await world()
  const taken = await hub.portal.takeNumberStop(NUMBER)
  await hub.vault.round()
  const kept = JSON.stringify(await hub.portalStore.db.selectFrom('portal_state').selectAll().execute())
  const ops = JSON.stringify(await hub.ops.db.selectFrom('portal_asked').selectAll().execute())
  for (const secret of ['7351902', '1948', 'hospital-a', taken?.receipt ?? '-', 'portal:'])
    expect(kept).not.toContain(secret)
  for (const secret of ['7351902', '1948', 'hospital-a', taken?.receipt ?? '-'])
    expect(ops).not.toContain(secret)
})

test('ASVS 2.4.1 states are looked at twenty times an hour for one number, and sixty from one network', async () => {
  const { hub } = await world()
  const looks = []
  for (let at = 0; at < 21; at += 1) looks.push(await byBirth(hub, '22222-22222'))
  expect(looks.map((one) => one === 'unknown')).toEqual([...Array(20).fill(true), false])
  for (let at = 0; at < 40; at += 1)
    await byBirth(hub, `22222-3333${'23456789ABCDEFGHJKMNPQRSTVWXYZ'[at % 30]}`)
  expect(await byBirth(hub, '33333-44444')).toBe('too-often')
})

test('a portal set up anew hears every state again within a day', async () => {
  const { hub } = await world()
  const taken = await hub.portal.takeNumberStop(NUMBER)
  await hub.vault.round()
  await hub.portalStore.bookkeep((tx) => tx.deleteFrom('portal_state').execute())
  expect(await byBirth(hub, taken?.receipt)).toBe('unknown')
  hub.env.pass(86_400_000)
  await hub.vault.round()
  expect(await byBirth(hub, taken?.receipt)).toMatchObject({ asked: '2026-07-01', passed: '2026-07-01' })
})

test('ASVS 13 only the vault tells the portal a state', async () => {
  const { hub } = await world()
  const body = new TextEncoder().encode(JSON.stringify({ states: [] }))
  const answer = await hub.portal.handle({ method: 'POST', path: '/v1/vault/states', headers: {}, body })
  expect(answer.status).toBeGreaterThanOrEqual(400)
})

test('a portal that cannot take what it is told keeps no batch out: what was asked is heard all the same', async () => {
  const { hub } = await world()
  const { portal } = hub
  hub.parts.portal = async (call) =>
    call.method === 'POST' && !call.path.endsWith('/acks')
      ? { status: 500, headers: {}, body: new Uint8Array(0) }
      : portal.handle(call)
  const taken = await portal.takeNumberStop(NUMBER)
  const vault = createVault(hub.parts)
  expect(await vault.round()).toMatchObject({ requests: 1 })
  expect(hub.logs.join('')).toContain('portal.not-told')
  expect(await byBirth(hub, taken?.receipt)).toMatchObject({ passed: null })
  hub.parts.portal = (call) => portal.handle(call)
  hub.env.pass(61_000)
  await createVault(hub.parts).round()
  expect(await byBirth(hub, taken?.receipt)).toMatchObject({ passed: '2026-07-01' })
})
