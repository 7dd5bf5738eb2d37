import { facilityId, parsePatientKey, stopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { afterEach, expect, test } from 'vitest'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { endElsewhere } from './left-stop.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

async function two(): Promise<{ hub: HubWorld; a: HospitalHand; b: HospitalHand }> {
  const hub = await hubWorld()
  worlds.push(hub)
  return { hub, a: await joins(hub, 'hospital-a'), b: await joins(hub, 'hospital-b') }
}

async function joins(hub: HubWorld, facility: string): Promise<HospitalHand> {
  const hand = await hub.enrol(facility)
  await hand.declare()
  await hub.vault.round()
  return hand
}

async function world(): Promise<{ hub: HubWorld; a: HospitalHand; b: HospitalHand; c: HospitalHand }> {
  const { hub, a, b } = await two()
  return { hub, a, b, c: await joins(hub, 'hospital-c') }
}

/** The person whom the fixture’s hospital writes for chart 0001. */
async function asks(hub: HubWorld, a: HospitalHand, hospitals: 'all' | string[]): Promise<void> {
  await a.say({
    type: 'stop-elsewhere-asked',
    stop: stopId('stop-1'),
    patients: ['hospital-a/0001'],
    hospitals: hospitals === 'all' ? hospitals : hospitals.map((one) => facilityId(one)),
    person: {
      name: '患者0001 花子',
      kana: '',
      birthDate: '1970-03-03',
      number: null,
      requesterName: '患者0001 花子',
      relation: null,
      contact: null,
    },
    tracks: null,
    requester: 'person',
    askedAt: hub.env.now() - 60_000,
  })
  await hub.vault.round()
}

async function refusals(
  hub: HubWorld,
  hand: HospitalHand,
  ...locals: string[]
): Promise<string[] | undefined> {
  const sent = await hand.send(hand.content(...locals.map((local) => patientState(hand.facility, local))))
  const orders = (await hand.mail()).filter((one) => one.type === 'stop-ordered')
  await hand.acknowledge(orders.map((one) => one.message))
  await hub.vault.round()
  return (await hand.receiptOf(sent.header.batch))?.refusals.map((one) => one.code)
}

const ordersOf = async (hand: HospitalHand) =>
  (await hand.mail()).filter((one) => one.type === 'stop-ordered')

test('R18 asked at one counter to stop everywhere: the operator holds a provisional stop, every other hospital is told', async () => {
  const { hub, a, b, c } = await world()
  await asks(hub, a, 'all')
  expect(await ordersOf(a)).toEqual([])
  for (const hand of [b, c])
    expect(await ordersOf(hand)).toMatchObject([
      { stop: 'elsewhere:stop-1', standing: 'provisional', person: { name: '患者0001 花子' } },
    ])
  expect(await refusals(hub, b, '0001', '0002')).toEqual(['STOPPED'])
  expect(await hub.ops.db.selectFrom('stop').select(['stop', 'origin', 'standing']).execute()).toEqual([
    { stop: 'elsewhere:stop-1', origin: 'operator', standing: 'provisional' },
  ])
  const intake = await hub.ops.db.selectFrom('stop_intake').selectAll().execute()
  expect(intake).toMatchObject([{ channel: 'desk', facilities: null, verified_at: null }])
})

test('R18 asked for one hospital more: that one is told and no other; said twice it is one stop', async () => {
  const { hub, a, b, c } = await world()
  await asks(hub, a, ['hospital-a', 'hospital-b'])
  await asks(hub, a, ['hospital-a', 'hospital-b'])
  expect([await ordersOf(a), await ordersOf(b), await ordersOf(c)].map((all) => all.length)).toEqual([
    0, 1, 0,
  ])
  expect(await refusals(hub, c, '0001')).toEqual([])
  expect(await refusals(hub, b, '0001')).toEqual(['STOPPED'])
})

const says = (hand: HospitalHand, stop: string, undone?: true) =>
  hand.say({
    type: 'stop-withdrawn-reported',
    stop: stopId(stop),
    patients: [parsePatientKey(`${hand.facility}/0001`)],
    withdrawnAt: hand.env.now(),
    ...(undone ? { undone } : {}),
  })
const standing = async (hub: HubWorld) =>
  (await hub.ops.db.selectFrom('stop').select('standing').execute()).map((row) => row.standing)

test('R21 the asking hospital has a stop of its own; another ends it for its own charts; the desk for all, once taken back where it was asked', async () => {
  const { hub, a, b, c } = await world()
  await asks(hub, a, 'all')
  expect(await refusals(hub, a, '0001')).toEqual([])
  await says(b, 'elsewhere:stop-1', true)
  await hub.vault.round()
  expect(await refusals(hub, b, '0001')).toEqual([])
  expect(await refusals(hub, c, '0001')).toEqual(['STOPPED'])
  const end = () => endElsewhere(hub.parts, { stop: 'elsewhere:stop-1', by: 'desk' })
  await expect(end()).rejects.toThrow(Refused)
  await says(a, 'elsewhere:stop-1')
  await hub.vault.round()
  expect(await standing(hub)).toEqual(['provisional'])
  await end()
  expect(await standing(hub)).toEqual(['withdrawn'])
  // the old notice does not count any more
  expect(await refusals(hub, c, '0001')).not.toEqual([])
  await expect(end()).rejects.toThrow(Refused)
})

test('R18 a hospital that joins later is told and may give nothing of the person', async () => {
  const { hub, a } = await world()
  await asks(hub, a, 'all')
  const d = await hub.enrol('hospital-d')
  await d.declare()
  await d.say({ type: 'stops-asked' })
  await hub.vault.round()
  expect(await ordersOf(d)).toMatchObject([{ stop: 'elsewhere:stop-1', person: { name: '患者0001 花子' } }])
  expect(await refusals(hub, d, '0001')).toEqual(['STOPPED'])
})

test('R18 R21 the only other hospital so far ends it for itself, not for one that joins later', async () => {
  const { hub, a, b } = await two()
  await asks(hub, a, 'all')
  await says(b, 'elsewhere:stop-1', true)
  await hub.vault.round()
  expect(await standing(hub)).toEqual(['provisional'])
  expect(await refusals(hub, b, '0001')).toEqual([])
  expect(await refusals(hub, await joins(hub, 'hospital-d'), '0001')).toEqual(['STOPPED'])
})

test('T56 nothing of the person is in the operations store or its log', async () => {
  const { hub, a } = await world()
  await asks(hub, a, 'all')
  const tables = ['stop', 'stop_intake', 'stop_name', 'outbox', 'control_in'] as const
  for (const table of tables)
    expect(JSON.stringify(await hub.ops.db.selectFrom(table).selectAll().execute())).not.toMatch(/患者|花子/)
  const leaves = await hub.ops.db.selectFrom('audit_leaf').select('leaf').execute()
  expect(leaves.map(({ leaf }) => new TextDecoder().decode(leaf)).join()).not.toMatch(/患者|花子/)
})
