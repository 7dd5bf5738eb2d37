import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import type { StopOrdered } from '@kakehashi/protocol/messages'
import { afterEach, expect, test } from 'vitest'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

async function world(): Promise<{ hub: HubWorld; hand: HospitalHand; other: HospitalHand }> {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  const other = await hub.enrol('hospital-b')
  await hand.declare()
  await other.declare()
  await hub.vault.round()
  return { hub, hand, other }
}

async function askAtPortal(hub: HubWorld, token: string): Promise<void> {
  const body = { token, requester: 'person', erasureAsked: false }
  const answer = await hub.portal.handle({
    method: 'POST',
    path: '/v1/stops',
    headers: {},
    body: new TextEncoder().encode(JSON.stringify(body)),
  })
  expect(answer.status).toBe(200)
}

async function ordered(hand: HospitalHand): Promise<StopOrdered> {
  const order = (await hand.mail()).find((one) => one.type === 'stop-ordered')
  if (!order) throw new Error('no order')
  return order
}

test('T25 a stop by a paper the vault has never seen: what the hospital sent waits until it has said whose paper it is', async () => {
  const { hub, hand } = await world()
  const token = newStopToken(hub.env)
  const chart = patientState(hand.facility, '0001')
  const sent = await hand.send(hand.content(chart))
  await askAtPortal(hub, token)
  expect((await hub.vault.round()).batches).toMatchObject({ seen: 1, waits: 1, accepted: 0 })
  expect(await hand.receiptOf(sent.header.batch)).toBeNull()
  const order = await ordered(hand)
  await hand.say({
    type: 'stop-reported',
    stop: order.stop,
    patients: [chart.patient],
    handles: [handleOf(token)],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: order.askedAt,
    erasureAsked: false,
  })
  await hand.acknowledge([order.message])
  await hub.vault.round()
  expect(await hand.receiptOf(sent.header.batch)).toMatchObject({
    outcome: 'refused',
    refusals: [{ code: 'STOPPED', patient: chart.patient }],
  })
})

test('T25 a paper of nobody holds a hospital for one exchange and no other, and nothing that waited is lost', async () => {
  const { hub, hand, other } = await world()
  for (let n = 0; n < 20; n++) await askAtPortal(hub, newStopToken(hub.env))
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
  await hub.vault.round()
  expect(await hand.receiptOf(sent.header.batch)).toBeNull()
  const theirs = (await other.mail()).filter((one) => one.type === 'stop-ordered')
  expect(theirs).toHaveLength(20)
  await other.acknowledge(theirs.map((one) => one.message))
  const away = await other.send(other.content(patientState(other.facility, '0001')))
  expect((await hub.vault.round()).batches).toMatchObject({ seen: 2, waits: 1, accepted: 1 })
  expect(await other.receiptOf(away.header.batch)).toMatchObject({ outcome: 'accepted' })
  const mine = (await hand.mail()).filter((one) => one.type === 'stop-ordered')
  await hand.acknowledge(mine.map((one) => one.message))
  await hub.vault.round()
  expect(await hand.receiptOf(sent.header.batch)).toMatchObject({ outcome: 'accepted', accepted: 2 })
})

test('T25 a round passes by what waits: a hospital that never acknowledges does not stand in the way of another', async () => {
  const { hub, hand, other } = await world()
  await askAtPortal(hub, newStopToken(hub.env))
  await hub.vault.round()
  for (let n = 0; n < 60; n++) await hand.send(hand.content(patientState(hand.facility, `${n}`)))
  await other.acknowledge([(await ordered(other)).message])
  const away = await other.send(other.content(patientState(other.facility, '0001')))
  expect((await hub.vault.round()).batches).toMatchObject({ seen: 61, waits: 60, accepted: 1 })
  expect(await other.receiptOf(away.header.batch)).toMatchObject({ outcome: 'accepted' })
})
