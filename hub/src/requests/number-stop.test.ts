import type { StopOrdered } from '@kakehashi/protocol/messages'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import type { HospitalHand } from '../hospital.fixture.ts'

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
      erasureAsked: true,
      standing: 'provisional',
      person: { number: '7351902', birthDate: '1948-05-03' },
    },
  ])
  expect(await orders(other)).toEqual([])
  const stop = await hub.ops.db.selectFrom('stop').selectAll().executeTakeFirst()
  expect(stop).toMatchObject({ origin: 'portal', receipt: taken?.receipt, standing: 'provisional' })
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

test('ASVS 2.4.1 the sixth asking for one number in an hour is not taken; the paper’s token always is', async () => {
  const { hub } = await world()
  const taken = []
  for (let at = 0; at < 6; at += 1) taken.push(await hub.portal.takeNumberStop(ASKED))
  expect(taken.map((one) => one !== null)).toEqual([true, true, true, true, true, false])
  for (let at = 0; at < 40; at += 1) {
    const token = '0123456789ABCDEFGHJKMNPQRS'
    expect(await hub.portal.takeStop({ token, requester: 'person', erasureAsked: false })).not.toBeNull()
  }
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
