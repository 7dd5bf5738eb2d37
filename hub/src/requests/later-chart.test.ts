import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import { afterEach, expect, test } from 'vitest'
import { patientState } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { stopByStaff } from './stop.ts'

let hub: HubWorld
afterEach(() => hub.close())

test('R16 T25 a chart named days after its stop leaves every build in the round that hears of it', async () => {
  hub = await hubWorld()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const { rooms } = hub.parts
  const left: string[] = []
  const { leaveBuilds } = rooms
  rooms.leaveBuilds = (patients) => {
    left.push(...patients)
    return leaveBuilds(patients)
  }
  const handles = [handleOf(newStopToken(hub.env))]
  const ask = { requester: 'person', standing: 'confirmed', erasureAsked: false, by: 'staff-1' } as const
  const stop = await stopByStaff(hub.parts, { ...ask, patients: [], handles })
  await hub.vault.round()
  hub.env.pass(86_400_000)
  const [other, later] = ['0001', '0002'].map((local) => patientState(hand.facility, local).patient)
  await stopByStaff(hub.parts, { ...ask, patients: [other!], handles: [] })
  await hub.vault.round()
  expect(left).toEqual([other])
  hub.env.pass(1000)
  const said = { handles, tracks: null, operators: null, requester: 'person', erasureAsked: false }
  await hand.say({ type: 'stop-reported', stop, patients: [later], ...said, askedAt: hub.env.now() })
  await hub.vault.round()
  expect(left).toContain(later)
  const rows = await hub.ops.db.selectFrom('stop_chart').select(['patient', 'added_at']).execute()
  expect(rows).toContainEqual({ patient: later, added_at: hub.env.now() })
})
