import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState } from '../hospital.fixture.ts'

const worlds: HubWorld[] = []
async function world(start?: string): Promise<HubWorld> {
  const made = await hubWorld(start)
  worlds.push(made)
  return made
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

test('a batch is pulled, opened, judged, landed and receipted; its sealed bytes leave the gateway', async () => {
  const hub = await world()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')))
  const round = await hub.vault.round()
  expect(round.batches).toMatchObject({ seen: 1, accepted: 1 })
  expect(await hand.receiptOf(sent.header.batch)).toMatchObject({
    outcome: 'accepted',
    accepted: 2,
    refusals: [],
    digest: sent.digest,
  })
  expect(await hub.ops.db.selectFrom('content_record').selectAll().execute()).toHaveLength(2)
  expect(await hub.identity.db.selectFrom('identity_patient').selectAll().execute()).toHaveLength(1)
  expect(await hub.gatewayStore.db.selectFrom('gateway_part').selectAll().execute()).toHaveLength(0)
})
