import { afterEach, expect, test } from 'vitest'
import { patientState } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { stopByStaff } from '../requests/stop.ts'

let hub: HubWorld
afterEach(() => hub.close())

test('T25 R19 while the portal is away no batch goes in, and stops from hospitals and staff are heard and passed on all the same', async () => {
  hub = await hubWorld()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await hub.vault.round()
  const { handle } = hub.portal
  hub.portal.handle = () => Promise.reject(new Error('away'))
  const stopped = patientState(hand.facility, '0001').patient
  await hand.say({
    type: 'stop-reported',
    stop: 'stop-1',
    patients: [stopped],
    handles: [],
    tracks: null,
    operators: null,
    requester: 'person',
    askedAt: hub.env.now(),
    erasureAsked: false,
  })
  const ask = { requester: 'person', standing: 'confirmed', erasureAsked: false, by: 'staff-1' } as const
  await stopByStaff(hub.parts, {
    ...ask,
    patients: [patientState(hand.facility, '0002').patient],
    handles: [],
  })
  const sent = await hand.send(hand.content(patientState(hand.facility, '0003')))
  await expect(hub.vault.round()).rejects.toThrow('portal')
  const charts = await hub.ops.db.selectFrom('stop_chart').select('patient').orderBy('patient').execute()
  expect(charts.map((one) => one.patient)).toEqual(['hospital-a/0001', 'hospital-a/0002'])
  expect((await hand.mail()).filter((one) => one.type === 'stop-ordered')).toHaveLength(1)
  expect(await hand.receiptOf(sent.header.batch)).toBeFalsy()
  hub.portal.handle = handle
  await hub.vault.round()
  expect(await hand.receiptOf(sent.header.batch)).toMatchObject({ outcome: 'accepted' })
})
