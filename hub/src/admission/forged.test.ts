import { newSigningKey } from '@kakehashi/protocol/signing'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { retireAgent } from '../vault/enrolment.ts'

/** Batches that somebody else made, changed or sent twice: a gateway taken over can slip in anything. */
const worlds: HubWorld[] = []
async function world(start?: string): Promise<{ hub: HubWorld; hand: HospitalHand }> {
  const hub = await hubWorld(start)
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  return { hub, hand }
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

async function kept(hub: HubWorld): Promise<{ content: number; identity: number }> {
  const content = await hub.ops.db.selectFrom('content_record').select('record').execute()
  const identity = await hub.identity.db.selectFrom('identity_patient').select('patient').execute()
  return { content: content.length, identity: identity.length }
}

const NOTHING = { content: 0, identity: 0 }

test('T41 a batch signed by a retired key: KEY_RETIRED, quarantine, alarm, nothing linked', async () => {
  const { hub, hand } = await world()
  await hub.vault.round()
  await hand.send(hand.content(patientState(hand.facility, '0001')))
  await retireAgent(hub.ops, hand.agent, 'staff-1')
  await hub.vault.round()
  const batch = await hub.ops.db.selectFrom('batch').selectAll().executeTakeFirst()
  expect(batch).toMatchObject({ outcome: 'refused', code: 'KEY_RETIRED' })
  const held = await hub.ops.db.selectFrom('quarantine').selectAll().executeTakeFirst()
  expect(held?.code).toBe('KEY_RETIRED')
  expect(await hub.ops.db.selectFrom('incident').select('kind').execute()).toEqual([{ kind: 'forged-batch' }])
  expect(await kept(hub)).toEqual(NOTHING)
  const again = await hand.upload('later', new Uint8Array(10), 'a'.repeat(64))
  expect(JSON.parse(new TextDecoder().decode(again.body))).toMatchObject({ code: 'KEY_RETIRED' })
})

test('T41 a taken-over gateway that slips in a batch of a stranger’s key: KEY_UNKNOWN, quarantine, no receipt of acceptance', async () => {
  const { hub, hand } = await world()
  const sealed = hand.seal(hand.content(patientState(hand.facility, '0001')), {
    signing: newSigningKey(hub.env),
  })
  await slipIn(hub, hand, sealed)
  await hub.vault.round()
  expect(await hand.receiptOf(sealed.header.batch)).toMatchObject({
    outcome: 'refused',
    refusals: [{ code: 'KEY_UNKNOWN' }],
  })
  expect(await kept(hub)).toEqual(NOTHING)
})

test('a taken-over gateway that alters one byte: SIGNATURE_INVALID; swaps the digest: DIGEST_MISMATCH', async () => {
  const { hub, hand } = await world()
  const sealed = hand.seal(hand.content(patientState(hand.facility, '0001')))
  const altered = Uint8Array.from(sealed.bytes)
  altered[altered.length - 100]! ^= 1
  await slipIn(hub, hand, { ...sealed, bytes: altered })
  const other = hand.seal(hand.content(patientState(hand.facility, '0002')))
  await slipIn(hub, hand, { ...other, digest: 'f'.repeat(64) })
  await hub.vault.round()
  expect((await hand.receiptOf(sealed.header.batch))?.refusals).toMatchObject([{ code: 'SIGNATURE_INVALID' }])
  expect((await hand.receiptOf(other.header.batch))?.refusals).toMatchObject([{ code: 'DIGEST_MISMATCH' }])
  expect(await kept(hub)).toEqual(NOTHING)
})

/** Writes into the gateway's store what its handlers would not let in. */
async function slipIn(
  hub: HubWorld,
  hand: HospitalHand,
  sealed: { header: { batch: string }; bytes: Uint8Array; digest: string },
): Promise<void> {
  const { batch } = sealed.header
  const last = await hub.gatewayStore.db.selectFrom('gateway_batch').select('seq').execute()
  await hub.gatewayStore.db
    .insertInto('gateway_batch')
    .values({
      batch,
      seq: last.length + 1,
      agent: hand.agent,
      size: sealed.bytes.length,
      digest: sealed.digest,
      received: sealed.bytes.length,
      state: 'stored',
      stored_at: 1,
      changed_at: 1,
    })
    .execute()
  await hub.gatewayStore.db
    .insertInto('gateway_part')
    .values({ batch, start: 0, bytes: sealed.bytes })
    .execute()
}

test('a batch sealed to another vault is VAULT_KEY_UNKNOWN', async () => {
  const { hub, hand } = await world()
  const sent = await hand.send(hand.content(patientState(hand.facility, '0001')), {
    vault: hand.inbox.public,
  })
  await hub.vault.round()
  expect((await hand.receiptOf(sent.header.batch))?.refusals).toMatchObject([{ code: 'VAULT_KEY_UNKNOWN' }])
})

test('the same batch again gets the same receipt and changes nothing; another content under its number is BATCH_REPLAYED', async () => {
  const { hub, hand } = await world()
  const content = hand.content(patientState(hand.facility, '0001'))
  const sent = await hand.send(content)
  await hub.vault.round()
  const first = await hand.receiptOf(sent.header.batch)
  await hand.acknowledge((await hand.mail()).map((one) => one.message))
  await hub.vault.round()
  await hub.gatewayStore.db.deleteFrom('gateway_batch').execute()
  await slipIn(hub, hand, sent)
  await hub.vault.round()
  const second = await hand.receiptOf(sent.header.batch)
  expect(second?.message).not.toBe(first?.message)
  expect(second).toMatchObject({ outcome: 'accepted', accepted: 2, digest: sent.digest })
  expect(await kept(hub)).toEqual({ content: 2, identity: 1 })

  const other = hand.seal(hand.content(patientState(hand.facility, '0009')), { batch: sent.header.batch })
  const refused = await hand.upload(sent.header.batch, other.bytes, other.digest)
  expect(refused.status).toBe(409)
  await hub.gatewayStore.db.deleteFrom('gateway_batch').execute()
  await slipIn(hub, hand, other)
  await hub.vault.round()
  expect(await kept(hub)).toEqual({ content: 2, identity: 1 })
  expect(await hub.ops.db.selectFrom('quarantine').select('code').execute()).toEqual([
    { code: 'BATCH_REPLAYED' },
  ])
})
