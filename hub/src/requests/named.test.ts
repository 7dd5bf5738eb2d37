import { facilityId, stopId } from '@kakehashi/protocol/ids'
import type { StopOrdered } from '@kakehashi/protocol/messages'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { linkNewRecords } from '../linkage/flow.ts'
import { blockedCharts } from './blocked.ts'
import { takeNamedStop, verifyStop, type NamedAsk } from './intake.ts'
import { replayStops } from './replay.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

async function world() {
  const hub = await hubWorld()
  worlds.push(hub)
  const a = await hub.enrol('hospital-a')
  const b = await hub.enrol('hospital-b')
  await a.declare()
  await b.declare()
  return { hub, a, b }
}

/** The person whom the fixture’s hospital writes for chart 0001. */
const PERSON = {
  name: '患者0001 花子',
  kana: 'カンジャ ハナコ',
  birthDate: '1970-03-03',
  number: null,
  requesterName: '患者0001 花子',
  relation: null,
  contact: null,
} as const

const CALL: NamedAsk = {
  person: PERSON,
  requester: 'person',
  channel: 'phone',
  facilities: null,
  tracks: null,
  identityCheck: 'none',
  erasureWanted: false,
  by: 'desk',
}

async function refusals(hub: HubWorld, hand: HospitalHand, ...locals: string[]): Promise<string[]> {
  const sent = await hand.send(hand.content(...locals.map((local) => patientState(hand.facility, local))))
  await hub.vault.round()
  if (await hand.receiptOf(sent.header.batch)) return refused(hand, sent.header.batch)
  // orders not yet acknowledged hold it
  await hand.acknowledge((await orders(hand)).map((one) => one.message))
  await hub.vault.round()
  return refused(hand, sent.header.batch)
}

async function refused(hand: HospitalHand, batch: string): Promise<string[]> {
  const receipt = await hand.receiptOf(batch)
  if (!receipt) throw new Error('not decided')
  return receipt.refusals.map((one) => one.code)
}

async function orders(hand: HospitalHand): Promise<StopOrdered[]> {
  return (await hand.mail()).filter((one) => one.type === 'stop-ordered')
}

test('R16 an unverified call, hospital unknown: refused at the second gate of every hospital from that moment, nobody else', async () => {
  const { hub, a, b } = await world()
  await takeNamedStop(hub.parts, hub.identity, CALL)
  await hub.vault.round()
  const said = new Map([[a, await orders(a)] as const, [b, await orders(b)] as const])
  expect(await refusals(hub, a, '0001', '0002')).toEqual(['STOPPED'])
  expect(await refusals(hub, b, '0001')).toEqual(['STOPPED'])
  for (const hand of [a, b])
    expect(said.get(hand)).toMatchObject([{ standing: 'provisional', person: PERSON, patients: [] }])
})

test('R16 who is here already leaves linkage and every build at once', async () => {
  const { hub, a } = await world()
  expect(await refusals(hub, a, '0001', '0002')).toEqual([])
  await takeNamedStop(hub.parts, hub.identity, CALL)
  const charts = [patientState(a.facility, '0001').patient, patientState(a.facility, '0002').patient]
  const blocked = () => blockedCharts(hub.ops, hub.parts.keys.tombstone, charts, 'ANON')
  expect([...(await blocked())]).toEqual(['hospital-a/0001'])
  const linked = await linkNewRecords(hub.identity as never, undefined, async () => blocked())
  expect(linked.placed).toBe(1)
  expect((await linkNewRecords(hub.identity as never)).placed).toBe(1)
})

test('R18 a stop for one hospital leaves the other, and is told to that one only', async () => {
  const { hub, a, b } = await world()
  await takeNamedStop(hub.parts, hub.identity, { ...CALL, facilities: [facilityId('hospital-a')] })
  await hub.vault.round()
  expect([await orders(a), await orders(b)].map((all) => all.length)).toEqual([1, 0])
  expect(await refusals(hub, a, '0001')).toEqual(['STOPPED'])
  expect(await refusals(hub, b, '0001')).toEqual([])
})

test('R16 verified later: the same stop confirmed, said again to the hospital; nothing is erased for an unverified caller', async () => {
  const { hub, a } = await world()
  await refusals(hub, a, '0001')
  const stop = await takeNamedStop(hub.parts, hub.identity, { ...CALL, erasureWanted: true })
  await hub.vault.round()
  expect(await hub.ops.db.selectFrom('erasure').selectAll().execute()).toEqual([])
  await verifyStop(hub.parts, hub.identity, { stop, identityCheck: 'call-back', by: 'desk' })
  await hub.vault.round()
  const said = await orders(a)
  expect(said.map((one) => [one.stop, one.standing])).toEqual([
    [stop, 'provisional'],
    [stop, undefined],
  ])
  const delivery = await hub.ops.db.selectFrom('stop_delivery').selectAll().where('stop', '=', stop).execute()
  expect(delivery.map((one) => one.acked_at)).toEqual([null, null])
})

test('R16 the same request again, as after a lost answer, is one stop', async () => {
  const { hub, a } = await world()
  const again = { ...CALL, stop: stopId('portal:1') }
  for (let times = 0; times < 2; times++) await takeNamedStop(hub.parts, hub.identity, again)
  await hub.vault.round()
  expect(await orders(a)).toHaveLength(1)
  expect(await hub.ops.db.selectFrom('stop_intake').selectAll().execute()).toHaveLength(1)
})

test('T32 a stop by name that a restored backup forgot holds again', async () => {
  const { hub, a } = await world()
  await takeNamedStop(hub.parts, hub.identity, CALL)
  await hub.ops.bookkeep(async (tx) => {
    for (const table of ['stop', 'stop_name', 'stop_chart', 'stop_hash', 'stop_delivery'] as const)
      await tx.deleteFrom(table).execute()
  })
  expect(await replayStops(hub.parts, [])).toBe(1)
  expect(await refusals(hub, a, '0001')).toEqual(['STOPPED'])
})
