import { stopId } from '@kakehashi/protocol/ids'
import type { StopOrdered } from '@kakehashi/protocol/messages'
import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { readJson } from '../call.ts'
import { stopByStaff } from './stop.ts'

const worlds: HubWorld[] = []
async function world(): Promise<{ hub: HubWorld; hand: HospitalHand }> {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  return { hub, hand }
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

const staffStop = { requester: 'person', standing: 'confirmed', erasureAsked: false, by: 'staff-1' } as const

async function outcome(hub: HubWorld, hand: HospitalHand, ...locals: string[]): Promise<string[]> {
  const states = locals.map((local) => patientState(hand.facility, local))
  const sent = await hand.send(hand.content(...states))
  await hub.vault.round()
  if (!(await hand.receiptOf(sent.header.batch))) await heed(hub, hand)
  return (await hand.receiptOf(sent.header.batch))?.refusals.map((refusal) => refusal.code) ?? []
}

/** Orders that hold a batch are acknowledged, and the vault hears of it. */
async function heed(hub: HubWorld, hand: HospitalHand): Promise<void> {
  await hand.acknowledge((await orders(hand)).map((one) => one.message))
  await hub.vault.round()
}

async function orders(hand: HospitalHand): Promise<StopOrdered[]> {
  return (await hand.mail()).filter((one) => one.type === 'stop-ordered')
}

test('T25 stop at the operator while the agent is offline: refused from that moment, passed on before any receipt, age from the call', async () => {
  const { hub, hand } = await world()
  await hub.vault.round()
  const patient = patientState(hand.facility, '0001')
  const askedAt = hub.env.now()
  await stopByStaff(hub.parts, { ...staffStop, patients: [patient.patient], handles: [] })
  await hub.vault.round()
  hub.env.pass(3 * 24 * 3600 * 1000)
  const sent = await hand.send(hand.content(patient))
  await hub.vault.round()
  const mail = await hand.mail()
  const order = mail.findIndex((one) => one.type === 'stop-ordered')
  const receipt = mail.findIndex((one) => one.type === 'receipt' && one.batch === sent.header.batch)
  expect(mail[order]).toMatchObject({ patients: ['hospital-a/0001'], askedAt, erasureAsked: false })
  expect(order).toBeLessThan(receipt)
  expect(mail[receipt]).toMatchObject({ outcome: 'refused', refusals: [{ code: 'STOPPED' }] })
  const waiting = await hub.ops.db.selectFrom('stop_delivery').selectAll().executeTakeFirst()
  expect(waiting?.acked_at).toBeNull()
  await hand.acknowledge(mail.map((one) => one.message))
  await hub.vault.round()
  const acked = await hub.ops.db.selectFrom('stop_delivery').selectAll().executeTakeFirst()
  expect(Number(acked?.acked_at)).toBe(hub.env.now())
})

test('T26 out of order: a batch sent before the stop and arriving after it is refused, erased, and a later arrival of the erased is a tombstone hit', async () => {
  const { hub, hand } = await world()
  const patient = patientState(hand.facility, '0001')
  const late = hand.seal(hand.content(patient))
  hub.env.pass(30 * 60_000)
  await hand.say({
    type: 'stop-reported',
    stop: stopId('stop-1'),
    patients: [patient.patient],
    handles: [],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: hub.env.now(),
    erasureAsked: false,
  })
  hub.env.pass(10 * 60_000)
  await hand.upload(late.header.batch, late.bytes, late.digest)
  await hub.vault.round()
  expect(await hand.receiptOf(late.header.batch)).toMatchObject({
    outcome: 'refused',
    accepted: 0,
    refusals: [{ code: 'STOPPED', patient: 'hospital-a/0001' }],
  })
  expect(await hub.ops.db.selectFrom('content_record').selectAll().execute()).toEqual([])
  expect(await hub.gatewayStore.db.selectFrom('gateway_part').selectAll().execute()).toEqual([])
  await hand.say({
    type: 'erasure-requested',
    patients: [patient.patient],
    stop: null,
    askedAt: hub.env.now(),
  })
  await hub.vault.round()
  expect(await outcome(hub, hand, '0001')).toEqual(['ERASED'])
  const tombstone = await hub.ops.db.selectFrom('tombstone').selectAll().executeTakeFirst()
  expect(Number(tombstone?.hits)).toBe(1)
  const leaves = await hub.ops.db.selectFrom('audit_leaf').select('leaf').orderBy('seq').execute()
  const last = leaves
    .map(({ leaf }) => JSON.parse(new TextDecoder().decode(leaf)))
    .findLast((one) => one.act === 'batch.refused')
  expect(last.detail).toMatchObject({ erased: 1, stopped: 0 })
})

test('T31 a stop at hospital A leaves hospital B’s records of the same human being', async () => {
  const { hub, hand } = await world()
  const b = await hub.enrol('hospital-b')
  await b.declare()
  expect(await outcome(hub, hand, '0001')).toEqual([])
  expect(await outcome(hub, b, '0001')).toEqual([])
  await hand.say({
    type: 'stop-reported',
    stop: stopId('stop-a'),
    patients: ['hospital-a/0001'],
    handles: [],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: hub.env.now(),
    erasureAsked: true,
  })
  await hub.vault.round()
  expect(await outcome(hub, b, '0001')).toEqual([])
  const charts = await hub.identity.db.selectFrom('identity_patient').select('patient').execute()
  expect(charts).toEqual([{ patient: 'hospital-b/0001' }])
  expect(await orders(b)).toEqual([])
})

test('R16 a stop by the paper’s token at the portal holds at once, before the hospital has answered, and reaches every agent sealed', async () => {
  const { hub, hand } = await world()
  const b = await hub.enrol('hospital-b')
  const token = newStopToken(hub.env)
  const answer = await hub.portal.handle({
    method: 'POST',
    path: '/v1/stops',
    headers: {},
    body: new TextEncoder().encode(JSON.stringify({ token: token.toLowerCase() })),
  })
  const { receipt } = readJson(answer) as { receipt: string }
  expect(receipt).toMatch(/^[2-9A-Z]{5}-[2-9A-Z]{5}$/)
  const sent = await hand.send(
    hand.content(patientState(hand.facility, '0001', { handles: [handleOf(token)] })),
  )
  await hub.vault.round()
  expect(await hand.receiptOf(sent.header.batch)).toBeNull()
  expect(await hub.ops.db.selectFrom('content_record').selectAll().execute()).toEqual([])
  for (const agent of [hand, b])
    expect(await orders(agent)).toMatchObject([
      { handle: handleOf(token), patients: [], requester: 'person' },
    ])
  const stop = await hub.ops.db.selectFrom('stop').selectAll().executeTakeFirst()
  expect(stop).toMatchObject({ origin: 'portal', receipt, standing: 'provisional' })
  await heed(hub, hand)
  expect((await hand.receiptOf(sent.header.batch))?.refusals).toMatchObject([{ code: 'STOPPED' }])
})

test('R16 a handle learnt from admitted evidence names the chart: only that hospital is told, and erasure can be asked', async () => {
  const { hub, hand } = await world()
  const b = await hub.enrol('hospital-b')
  const token = newStopToken(hub.env)
  await hand.send(hand.content(patientState(hand.facility, '0001', { handles: [handleOf(token)] })))
  await hub.vault.round()
  await hub.portal.takeStop({ token, requester: 'family', erasureAsked: true, address: '192.0.2.7' })
  await hub.vault.round()
  expect(await orders(hand)).toMatchObject([{ patients: ['hospital-a/0001'], erasureAsked: true }])
  expect(await orders(b)).toEqual([])
  expect(await hub.ops.db.selectFrom('content_record').selectAll().execute()).toEqual([])
})

test('R17 T30 the portal answers the same for a token of somebody and of nobody, and keeps nothing that tells', async () => {
  const { hub, hand } = await world()
  const known = newStopToken(hub.env)
  await hand.send(hand.content(patientState(hand.facility, '0001', { handles: [handleOf(known)] })))
  await hub.vault.round()
  const answers = []
  for (const token of [known, newStopToken(hub.env)]) {
    const body = new TextEncoder().encode(JSON.stringify({ token }))
    answers.push(await hub.portal.handle({ method: 'POST', path: '/v1/stops', headers: {}, body }))
  }
  const [first, second] = answers
  expect(first?.status).toBe(second?.status)
  expect(first?.headers).toEqual(second?.headers)
  expect(first?.body.length).toBe(second?.body.length)
  const bad = await hub.portal.handle({
    method: 'GET',
    path: '/v1/vault/requests',
    headers: {},
    body: new Uint8Array(0),
  })
  expect(bad.status).toBe(400)
})

test('R21 T29 a withdrawn stop alone opens nothing: the notice must be given afresh after it', async () => {
  const { hub, hand } = await world()
  const patient = 'hospital-a/0001'
  const about = { stop: stopId('stop-1'), patients: [patient] }
  await hand.say({
    type: 'stop-reported',
    ...about,
    handles: [],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: hub.env.now(),
    erasureAsked: false,
  })
  await hub.vault.round()
  await hand.say({ type: 'stop-withdrawn-reported', ...about, withdrawnAt: hub.env.now() })
  await hub.vault.round()
  expect(await outcome(hub, hand, '0001')).toEqual(['NOT_NOTIFIED'])
})

test('an agent cannot speak for another facility’s charts', async () => {
  const { hub, hand } = await world()
  await hand.say({
    type: 'erasure-requested',
    patients: ['hospital-b/1'],
    stop: null,
    askedAt: hub.env.now(),
  })
  await hub.vault.round()
  expect(await hub.ops.db.selectFrom('erasure').selectAll().execute()).toEqual([])
  expect(await hub.ops.db.selectFrom('incident').select('kind').execute()).toEqual([
    { kind: 'forged-message' },
  ])
})

test('a backup of yesterday does not undo a stop of today, neither of a chart nor of a paper', async () => {
  const { hub, hand } = await world()
  await hub.vault.round()
  const token = newStopToken(hub.env)
  await stopByStaff(hub.parts, {
    ...staffStop,
    patients: [patientState(hand.facility, '0001').patient],
    handles: [],
  })
  await hub.portal.takeStop({ token, requester: 'person', erasureAsked: false, address: '192.0.2.7' })
  await hub.vault.round()
  for (const table of ['stop', 'stop_chart', 'stop_hash', 'stop_handle', 'stop_delivery'] as const)
    await hub.ops.db.deleteFrom(table).execute()
  expect(await hub.vault.start()).toEqual({ replayed: 0, stops: 2 })
  expect(await outcome(hub, hand, '0001')).toEqual(['STOPPED'])
  const sent = await hand.send(
    hand.content(patientState(hand.facility, '0002', { handles: [handleOf(token)] })),
  )
  await hub.vault.round()
  expect((await hand.receiptOf(sent.header.batch))?.refusals).toMatchObject([{ code: 'STOPPED' }])
  expect(await hub.vault.start()).toEqual({ replayed: 0, stops: 0 })
})

test('T28 charts the hospital names later come under the stop: a paper nobody here knew, then a merged chart; erasure follows', async () => {
  const { hub, hand } = await world()
  expect(await outcome(hub, hand, '0001', '0002')).toEqual([])
  const token = newStopToken(hub.env)
  await stopByStaff(hub.parts, {
    ...staffStop,
    erasureAsked: true,
    patients: [],
    handles: [handleOf(token)],
  })
  await hub.vault.round()
  const [order] = await orders(hand)
  const said = {
    type: 'stop-reported',
    stop: order!.stop,
    handles: [],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: order!.askedAt,
  } as const
  await hand.say({ ...said, patients: ['hospital-a/0001'], erasureAsked: true })
  await hand.say({ ...said, patients: ['hospital-a/0001', 'hospital-a/0002'], erasureAsked: false })
  await hub.vault.round()
  expect(await outcome(hub, hand, '0001', '0002')).toEqual(['ERASED', 'STOPPED'])
  const left = await hub.ops.db.selectFrom('content_record').select('owner').distinct().execute()
  expect(left).toEqual([{ owner: 'hospital-a/0002' }])
})
