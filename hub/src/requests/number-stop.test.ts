import { facilityId, patientKey } from '@kakehashi/protocol/ids'
import type { StopOrdered } from '@kakehashi/protocol/messages'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { eraseAsAsked, verifyStop } from './intake.ts'

const worlds: HubWorld[] = []
async function world(): Promise<{ hub: HubWorld; hand: HospitalHand; other: HospitalHand }> {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const other = await hub.enrol('hospital-b')
  await other.declare()
  await hub.vault.round()
  await hub.vault.round()
  return { hub, hand, other }
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

async function orders(hand: HospitalHand): Promise<StopOrdered[]> {
  return (await hand.mail()).filter((one) => one.type === 'stop-ordered')
}

const ASKED = {
  facility: 'hospital-a',
  number: '7351902',
  birthDate: '1948-05-03',
  requester: 'family',
  erasureAsked: true,
  address: '192.0.2.7',
} as const

test('R16 a stop without the paper goes to the chosen hospital only, which matches number and birth date', async () => {
  const { hub, hand, other } = await world()
  const hospitals = await hub.portal.hospitals()
  expect(hospitals.map((one) => one.facility).toSorted()).toEqual(['hospital-a', 'hospital-b'])
  const taken = await hub.portal.takeNumberStop(ASKED)
  await hub.vault.round()
  expect(await orders(hand)).toMatchObject([
    {
      handle: null,
      patients: [],
      requester: 'family',
      erasureAsked: false,
      standing: 'provisional',
      person: { number: '7351902', birthDate: '1948-05-03' },
    },
  ])
  expect(await orders(other)).toEqual([])
  const stop = await hub.ops.db.selectFrom('stop').selectAll().executeTakeFirst()
  expect(stop).toMatchObject({ origin: 'portal', receipt: taken?.receipt, standing: 'provisional' })
})

test('R46 by number: nothing is erased before the desk has verified who asked, and then by somebody else', async () => {
  const { hub, hand } = await world()
  await hub.portal.takeNumberStop(ASKED)
  await hub.vault.round()
  const { stop } = await hub.ops.db.selectFrom('stop').select('stop').executeTakeFirstOrThrow()
  const patients = [patientKey(facilityId('hospital-a'), '7351902')]
  const said = {
    ...{ handles: [], tracks: null, operators: null },
    requester: 'family',
    askedAt: hub.env.now(),
  }
  await hand.say({ type: 'stop-reported', stop, patients, ...said, erasureAsked: false })
  await hub.vault.round()
  await expect(eraseAsAsked(hub.parts, { stop, patients, by: 'privacy' })).rejects.toThrow(
    'NOT_ALLOWED at erasure',
  )
  await verifyStop(hub.parts, hub.identity, { stop, identityCheck: 'call-back', by: 'desk' })
  await hub.vault.round()
  expect((await orders(hand)).at(-1)).not.toHaveProperty('standing')
  expect(await hub.ops.db.selectFrom('erasure').selectAll().execute()).toEqual([])
  await expect(eraseAsAsked(hub.parts, { stop, patients, by: 'desk' })).rejects.toThrow(
    'NOT_ALLOWED at erasure',
  )
  await eraseAsAsked(hub.parts, { stop, patients, by: 'privacy' })
  expect(await hub.ops.db.selectFrom('erasure').selectAll().execute()).toHaveLength(1)
})

test('ASVS 14.2.7 T56 neither the portal’s store nor any log holds number, birth date or address', async () => {
  const { hub } = await world()
  await hub.portal.takeNumberStop(ASKED)
  const rows = await hub.portalStore.db.selectFrom('portal_request').selectAll().execute()
  const leaves = await hub.portalStore.db.selectFrom('audit_leaf').select('leaf').execute()
  expect(rows).toHaveLength(1)
  const kept = JSON.stringify(rows) + leaves.map(({ leaf }) => new TextDecoder().decode(leaf)).join('\n')
  await hub.vault.round()
  const opsLeaves = await hub.ops.db.selectFrom('audit_leaf').select('leaf').execute()
  const text = [kept, ...opsLeaves.map(({ leaf }) => new TextDecoder().decode(leaf)), ...hub.logs].join('\n')
  for (const secret of ['7351902', '1948-05-03', '192.0.2']) expect(text).not.toContain(secret)
  expect(await hub.portalStore.db.selectFrom('portal_request').selectAll().execute()).toEqual([])
})

test('ASVS 6.3.8 R17 T30 a patient and nobody get the same answer, and the portal asks nobody before it', async () => {
  const { hub } = await world()
  const shape = (taken: { receipt: string } | null) => taken?.receipt.replaceAll(/[2-9A-Z]/g, 'x')
  const known = await hub.portal.takeNumberStop(ASKED)
  const nobody = await hub.portal.takeNumberStop({ ...ASKED, number: '9999999' })
  expect(shape(known)).toBe('xxxxx-xxxxx')
  expect(shape(nobody)).toBe(shape(known))
  const boxes = await hub.portalStore.db.selectFrom('portal_request').select('box').execute()
  expect(new Set(boxes.map(({ box }) => box.length)).size).toBe(1)
})

test('ASVS 2.4.1 beyond five an hour a number is taken for staff, beyond ten not at all; the paper’s token always is', async () => {
  const { hub, hand } = await world()
  const taken = []
  for (let at = 0; at < 11; at += 1) taken.push(await hub.portal.takeNumberStop(ASKED))
  expect(taken.filter((one) => one !== null)).toHaveLength(10)
  expect(taken.at(-1)).toBeNull()
  for (let at = 0; at < 40; at += 1) {
    const token = '0123456789ABCDEFGHJKMNPQRS'
    expect(
      await hub.portal.takeStop({ token, requester: 'person', erasureAsked: false, address: '192.0.2.7' }),
    ).not.toBeNull()
  }
  await hub.vault.round()
  const byNumber = (await orders(hand)).filter((one) => one.person)
  expect(byNumber).toHaveLength(5)
  const tickets = await hub.ops.db.selectFrom('ticket').select(['kind', 'due_on']).execute()
  expect(tickets).toEqual(Array(5).fill({ kind: 'stop', due_on: '2026-07-02' }))
})

test('SECURITY 13 R16 beyond the budget who is here by exactly this number and birth date is stopped all the same', async () => {
  const { hub, hand } = await world()
  await hand.send(hand.content(patientState(hand.facility, '0007')))
  await hub.vault.round()
  const about = { ...ASKED, number: '7', birthDate: '1970-03-03' }
  for (let at = 0; at < 5; at += 1) await hub.portal.takeNumberStop({ ...about, birthDate: '1950-01-01' })
  const own = await hub.portal.takeNumberStop(about)
  await hub.vault.round()
  const charts = await hub.ops.db.selectFrom('stop_chart').select('patient').execute()
  expect(charts).toEqual([{ patient: 'hospital-a/0007' }])
  expect((await orders(hand)).flatMap((one) => one.patients)).toEqual(['hospital-a/0007'])
  // what staff read of it, beside the person of the stop: not that somebody matched
  const { ticket } = await hub.ops.db.selectFrom('ticket').select('ticket').executeTakeFirstOrThrow()
  const read = await hub.parts.rooms.readSaid(ticket)
  expect(read).toMatchObject({ asked: { number: '7', birthDate: '1970-03-03' } })
  expect(JSON.stringify(read)).not.toContain('停止しました')
  const { stop } = await hub.ops.db.selectFrom('stop_chart').select('stop').executeTakeFirstOrThrow()
  expect(await hub.parts.rooms.readSaid(stop)).toMatchObject({ number: '7' })
  // staff decide about erasing, and the state does not tell that somebody matched
  expect(await hub.ops.db.selectFrom('erasure').selectAll().execute()).toEqual([])
  const asked = { second: { birthDate: about.birthDate }, address: '192.0.2.9' }
  expect(await hub.portal.stateOf({ ...asked, receipt: own?.receipt ?? '' })).toMatchObject({
    passed: null,
    held: null,
  })
})

test('ASVS 13 only the vault tells the portal which hospitals there are', async () => {
  const { hub } = await world()
  const body = new TextEncoder().encode(JSON.stringify({ hospitals: [{ facility: 'x', name: 'x' }] }))
  const answer = await hub.portal.handle({
    method: 'POST',
    path: '/v1/vault/hospitals',
    headers: {},
    body,
  })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect((await hub.portal.hospitals()).some((one) => one.facility === 'x')).toBe(false)
})
