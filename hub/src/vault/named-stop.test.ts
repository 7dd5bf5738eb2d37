import { afterEach, expect, test } from 'vitest'
import type { HospitalHand } from '../hospital.fixture.ts'
import { patientState } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { facilityId } from '@kakehashi/protocol/ids'
import { takeNamedStop, type NamedAsk } from '../requests/intake.ts'

let hub: HubWorld
afterEach(() => hub.close())

/** The person whom the fixture’s hospital writes for chart 0001. */
const PERSON = {
  name: '患者0001 花子',
  kana: '',
  birthDate: '1970-03-03',
  number: null,
  requesterName: '',
  relation: null,
  contact: null,
}

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

async function codes(hand: HospitalHand, local: string, only: (text: string) => boolean): Promise<string[]> {
  const content = hand.content(patientState(hand.facility, local))
  const records = content.records.filter((one) => only(Buffer.from(one.payload).toString('utf8')))
  const sent = await hand.send({ ...content, records })
  await hub.vault.round()
  return (await hand.receiptOf(sent.header.batch))?.refusals.map((one) => one.code) ?? ['not decided']
}

test('R16 T25 a stop by name keeps out what comes after the Patient resource, too, in batches that name nobody', async () => {
  hub = await hubWorld()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await takeNamedStop(hub.parts, hub.identity, CALL)
  await hub.vault.round()
  await hand.acknowledge((await hand.mail()).map((one) => one.message))
  const isPatient = (text: string) => text.includes('"resourceType":"Patient"')
  expect(await codes(hand, '0001', isPatient)).toEqual(['STOPPED'])
  expect(await codes(hand, '0001', (text) => !isPatient(text))).toEqual(['STOPPED'])
  expect(await codes(hand, '0002', (text) => !isPatient(text))).toEqual([])
})

test('R18 T31 a stop said to every hospital is ended by none of them alone; one said to one hospital is', async () => {
  hub = await hubWorld()
  const a = await hub.enrol('hospital-a')
  const b = await hub.enrol('hospital-b')
  await a.declare()
  await b.declare()
  const everywhere = await takeNamedStop(hub.parts, hub.identity, CALL)
  const only = { ...CALL, facilities: [facilityId('hospital-b')] }
  const atB = await takeNamedStop(hub.parts, hub.identity, only)
  await hub.vault.round()
  const patients = [patientState(b.facility, '0099').patient]
  for (const stop of [everywhere, atB])
    await b.say({ type: 'stop-withdrawn-reported', stop, patients, withdrawnAt: hub.env.now(), undone: true })
  await hub.vault.round()
  const stops = await hub.ops.db.selectFrom('stop').select(['stop', 'standing']).execute()
  expect(new Map(stops.map((one) => [one.stop, one.standing]))).toEqual(
    new Map([
      [everywhere, 'provisional'],
      [atB, 'undone'],
    ]),
  )
  await a.acknowledge((await a.mail()).map((one) => one.message))
  expect(await codes(a, '0001', () => true)).toEqual(['STOPPED'])
})

test('S14 an agent that turns out to be older only after it was told in full is told once more in what it can read', async () => {
  hub = await hubWorld()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const stop = await takeNamedStop(hub.parts, hub.identity, CALL)
  await hub.vault.round()
  const orders = async () => (await hand.mail()).filter((one) => one.type === 'stop-ordered')
  expect(await orders()).toMatchObject([{ stop, person: PERSON, standing: 'provisional' }])
  const beat = { type: 'heartbeat', pendingBatches: 0, oldestPendingAt: null, checkpoint: null }
  await hand.say({ ...beat, software: 'kakehashi-agent/0.1.0' })
  await hub.vault.round()
  const [, plain] = await orders()
  expect(plain).toMatchObject({ stop, erasureAsked: false })
  expect([plain && 'person' in plain, plain && 'standing' in plain]).toEqual([false, false])
  await hand.acknowledge([plain?.message ?? ''])
  await hub.vault.round()
  const delivery = await hub.ops.db.selectFrom('stop_delivery').select('acked_at').execute()
  expect(delivery).toEqual([{ acked_at: expect.anything() }])
})
