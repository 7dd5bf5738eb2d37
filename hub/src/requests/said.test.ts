import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PatientKey, StopId } from '@kakehashi/protocol/ids'
import type { StopOrdered } from '@kakehashi/protocol/messages'
import { afterEach, expect, test } from 'vitest'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { eraseAsAsked, takeNamedStop, verifyStop, type NamedAsk } from './intake.ts'
import { askErasure } from './erasure.ts'
import { takeQueued } from './queued.ts'
import { replayStops } from './replay.ts'
import { saidFolder } from './said-folder.ts'
import { answerTicket, openTicket } from './tickets.ts'

let hub: HubWorld
const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

/** The person whom the fixture’s hospital writes for chart 0001. */
const PERSON = {
  ...{ name: '患者0001 花子', kana: '', birthDate: '1970-03-03', number: null },
  ...{ requesterName: '患者0001 花子', relation: null, contact: '東京都千代田区1' },
} as const
const CALL: NamedAsk = {
  ...{ person: PERSON, requester: 'person', channel: 'phone', facilities: null, tracks: null },
  ...{ identityCheck: 'seen', erasureWanted: true, by: 'desk' },
}
const CHART = 'hospital-a/0001' as PatientKey

async function world(): Promise<HospitalHand> {
  hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await hand.send(hand.content(patientState(hand.facility, '0001')))
  await hub.vault.round()
  return hand
}

const words = async () =>
  (await hub.identity.db.selectFrom('identity_asked').select('about').orderBy('about').execute()).map(
    (row) => row.about,
  )

async function askedAndErased(): Promise<StopId> {
  const stop = await takeNamedStop(hub.parts, hub.identity, CALL)
  const said = { kind: 'question', channel: 'phone', name: '花子', contact: '', by: 'desk' } as const
  const ticket = await openTicket(hub.parts, hub.identity, { ...said, stop, text: 'いつ止まりますか' })
  await answerTicket(hub.parts, hub.identity, { ticket, answer: '今日です', by: 'desk' })
  await openTicket(hub.parts, hub.identity, { ...said, ticket: 'other', stop: null, text: '何ですか' })
  expect(await words()).toHaveLength(4)
  await eraseAsAsked(hub.parts, { stop, patients: [CHART], by: 'officer' })
  await hub.vault.round()
  return stop
}

test('R20 R46 what was said of somebody goes with them: the person of the stop, its tickets and their answers, and nobody else’s', async () => {
  await world()
  const stop = await askedAndErased()
  expect(await words()).toEqual(['other'])
  expect(hub.parts.saids?.read(stop)).toBeNull()
  const { certificate } = await hub.ops.db
    .selectFrom('erasure')
    .select('certificate')
    .executeTakeFirstOrThrow()
  expect(JSON.parse(certificate ?? '').core.places).toContainEqual({ place: 'identity/asked', count: 3 })
})

test('T32 a restored backup that still has the words forgets them again before it serves', async () => {
  await world()
  const stop = await askedAndErased()
  const row = { about: stop, said: JSON.stringify(PERSON), at: 1 }
  await hub.identity.bookkeep((tx) => tx.insertInto('identity_asked').values(row).execute())
  await hub.vault.start()
  expect(await words()).toEqual(['other'])
})

test('R20 T32 words that are said again after they went, as an agent does to a restored vault, are not kept', async () => {
  await world()
  const again: NamedAsk = { ...CALL, stop: 'elsewhere:1' as StopId }
  const stop = await takeNamedStop(hub.parts, hub.identity, again)
  await eraseAsAsked(hub.parts, { stop, patients: [CHART], by: 'officer' })
  await hub.vault.round()
  await takeNamedStop(hub.parts, hub.identity, again)
  expect(await words()).toEqual([])
  expect(hub.parts.saids?.read(stop)).toBeNull()
})

test('R20 R17 with somebody goes the ticket of what they asked beyond the budget, which does not name its stop', async () => {
  await world()
  const said = { version: 2, facility: 'hospital-a', number: '0001', birthDate: '1970-03-03' } as const
  await takeQueued(hub.parts, 'r-1', {
    ...{ ...said, queued: true, requester: 'person', erasureAsked: true, askedAt: hub.env.now() },
    receipt: 'ABCDE-FGHJK',
  })
  expect(await words()).toEqual(['portal:r-1', 'queued:r-1'])
  await hub.ops.bookkeep((tx) => askErasure(tx, hub.parts, { patients: [CHART], by: 'staff', stop: null }))
  await hub.vault.round()
  expect(await words()).toEqual([])
})

test('R20 a stop that means others, too, keeps its words when one of them is erased for another reason', async () => {
  const hand = await world()
  const stop = await takeNamedStop(hub.parts, hub.identity, CALL)
  await hub.ops.bookkeep((tx) =>
    tx
      .insertInto('stop_hash')
      .values({ stop, hash: 'f'.repeat(64) })
      .execute(),
  )
  await hand.say({ type: 'erasure-requested', patients: [CHART], stop: null, askedAt: hub.env.now() })
  await hub.vault.round()
  expect(await words()).toEqual([stop])
})

async function forgetStops(): Promise<void> {
  await hub.ops.bookkeep(async (tx) => {
    for (const table of [
      'stop',
      'stop_name',
      'stop_chart',
      'stop_hash',
      'stop_delivery',
      'stop_intake',
    ] as const)
      await tx.deleteFrom(table).execute()
  })
  await hub.identity.bookkeep((tx) => tx.deleteFrom('identity_asked').execute())
}

test('R16 T32 a stop by name that a restored backup forgot is said again with whom it means, and the desk can verify it', async () => {
  const hand = await world()
  const stop = await takeNamedStop(hub.parts, hub.identity, { ...CALL, identityCheck: 'none' })
  await hub.vault.round()
  await hand.acknowledge((await hand.mail()).map((one) => one.message))
  await forgetStops()
  expect(await replayStops(hub.parts, [])).toBe(1)
  await hub.vault.round()
  const order = (await hand.mail()).find((one): one is StopOrdered => one.type === 'stop-ordered')
  expect(order).toMatchObject({ stop, person: PERSON, standing: 'provisional' })
  const intake = await hub.ops.db.selectFrom('stop_intake').selectAll().executeTakeFirstOrThrow()
  expect(intake).toMatchObject({ erasure_wanted: 1, facilities: null, verified_at: null })
  await verifyStop(hub.parts, hub.identity, { stop, identityCheck: 'call-back', by: 'desk' })
  // an agent that is put back is told again, as of any stop by name
  await hub.vault.round()
  await hand.acknowledge((await hand.mail()).map((one) => one.message))
  await hand.say({ type: 'stops-asked' })
  await hub.vault.round()
  const again = (await hand.mail()).find((one): one is StopOrdered => one.type === 'stop-ordered')
  expect(again?.person).toEqual(PERSON)
})

test('R20 on disk each stop has a file of its own, which is destroyed; a torn one is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kakehashi-said-'))
  const saids = saidFolder(join(folder, 'said'))
  const said = { person: PERSON, facilities: null, erasureWanted: false }
  for (const stop of ['portal:1', 'portal:2']) saids.keep(stop, said)
  expect(saids.read('portal:1')).toEqual(said)
  saids.forget('portal:1')
  saids.forget('portal:1')
  expect([saids.read('portal:1'), saids.read('portal:2')]).toEqual([null, said])
  // said again it is not written over: a crash would tear what was promised
  saids.keep('portal:2', { ...said, erasureWanted: true })
  expect(saids.read('portal:2')).toEqual(said)
  const [left] = readdirSync(join(folder, 'said'))
  writeFileSync(join(folder, 'said', left ?? ''), '{"person":{"na')
  expect(saids.read('portal:2')).toBeNull()
  rmSync(folder, { recursive: true })
})
