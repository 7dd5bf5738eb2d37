import type { PatientKey } from '@kakehashi/protocol/ids'
import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState } from '../hospital.fixture.ts'
import { clearIncident } from '../vault/incident.ts'
import { blockedCharts } from './blocked.ts'
import { stopByStaff } from './stop.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

const chart = (local: string): PatientKey => `hospital-a/${local}` as PatientKey

test('S9 whoever is stopped, stopped by paper, erased or in doubt may be in no release; a track’s stop blocks that track', async () => {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const token = newStopToken(hub.env)
  const locals = ['1', '2', '3', '4', '5']
  const states = locals.map((local) =>
    patientState(hand.facility, local, { handles: local === '2' ? [handleOf(token)] : [] }),
  )
  await hand.send(hand.content(...states))
  await hub.vault.round()
  const staff = {
    handles: [],
    requester: 'person',
    standing: 'confirmed',
    erasureAsked: false,
    by: 's',
  } as const
  await stopByStaff(hub.parts, { ...staff, handles: [], patients: [chart('1')], tracks: ['ANON'] })
  await hub.portal.takeStop({ token, requester: 'person', erasureAsked: false, address: '192.0.2.7' })
  await hand.say({ type: 'erasure-requested', patients: [chart('3')], stop: null, askedAt: hub.env.now() })
  await hand.say({ type: 'notice-voided-reported', patients: [chart('4')], voidedAt: hub.env.now() })
  await hub.vault.round()
  const blocked = (track: 'ANON' | 'PSEUDO') =>
    blockedCharts(hub.ops, hub.parts.keys.tombstone, locals.map(chart), track)
  expect([...(await blocked('ANON'))]).toEqual(['1', '2', '3', '4'].map(chart))
  expect([...(await blocked('PSEUDO'))]).toEqual(['2', '3', '4'].map(chart))
  const incident = await hub.ops.db.selectFrom('incident').selectAll().executeTakeFirstOrThrow()
  expect(incident).toMatchObject({ kind: 'notice-voided', severity: 1, detail: '{"charts":1}' })
  await clearIncident(hub.ops, {
    incident: incident.incident,
    by: ['a', 'b'],
    reason: '別の有効な通知を確認',
  })
  expect([...(await blocked('PSEUDO'))]).toEqual(['2', '3'].map(chart))
})
