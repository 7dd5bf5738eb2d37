import { afterEach, beforeEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { retireAgent } from './enrolment.ts'
import { clearQuarantine, expireQuarantine, inspect, quarantined, QUARANTINE_MS_MAX } from './quarantine.ts'
import { hubStatus } from './status.ts'

let hub: HubWorld
let hand: HospitalHand
let about: { batch: string; digest: string }

/** One batch in quarantine: its agent was retired while it was under way. */
beforeEach(async () => {
  hub = await hubWorld()
  hand = await hub.enrol('hospital-a')
  await hand.declare()
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
  await retireAgent(hub.ops, hand.agent, 'staff-1')
  await hub.vault.round()
  about = { batch: sent.header.batch, digest: sent.digest }
})
afterEach(() => hub.close())

test('T41 a quarantined batch is listed with its age, can be looked at without being opened, and two people clear it', async () => {
  hub.env.pass(3 * 24 * 3600 * 1000)
  const [one] = await quarantined(hub.ops)
  expect(one).toMatchObject({ ...about, code: 'KEY_RETIRED', ageMs: 3 * 24 * 3600 * 1000 })
  expect((await hubStatus(hub.ops)).quarantine).toEqual({ batches: 1, oldestAt: one!.at })
  const seen = await inspect(hub.ops, about)
  expect(seen).toMatchObject({ facility: 'hospital-a', agent: hand.agent, keyKnown: true, records: 2 })
  expect(JSON.stringify(seen)).not.toContain('0001')
  const reason = '失効した装置からの最後の荷。装置は交換済み。'
  const same = { ...about, by: ['staff-1', 'staff-1'] as [string, string], reason }
  expect(await clearQuarantine(hub.ops, same)).toBe(false)
  expect(await clearQuarantine(hub.ops, { ...same, by: ['staff-1', 'staff-2'], reason: ' ' })).toBe(false)
  expect(await clearQuarantine(hub.ops, { ...same, by: ['staff-1', 'staff-2'] })).toBe(true)
  expect(await clearQuarantine(hub.ops, { ...same, by: ['staff-1', 'staff-2'] })).toBe(false)
  expect(await quarantined(hub.ops)).toEqual([])
  expect(await hub.ops.db.selectFrom('quarantine').select(['code', 'sealed']).execute()).toEqual([
    { code: 'KEY_RETIRED', sealed: null },
  ])
})

test('T41 what nobody decided about for ninety days is erased, and the row stays', async () => {
  hub.env.pass(QUARANTINE_MS_MAX)
  expect(await expireQuarantine(hub.ops)).toBe(0)
  hub.env.pass(1)
  await hub.vault.round()
  expect(await quarantined(hub.ops)).toEqual([])
  expect(await hub.ops.db.selectFrom('quarantine').select('code').execute()).toHaveLength(1)
})
