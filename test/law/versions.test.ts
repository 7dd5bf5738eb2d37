import { takeNamedStop } from '@kakehashi/hub/requests/intake'
import { sayRestored } from '@kakehashi/hub/vault/daily'
import { agentsOf, post } from '@kakehashi/hub/vault/outbox'
import { enqueueControl } from '@kakehashi/agent/uplink/store'
import { elsewhereStop, patientKey } from '@kakehashi/protocol/ids'
import { afterEach, expect, test } from 'vitest'
import { FACILITY, person } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'
import { CALLED } from './called.fixture.ts'

let both: BothEnds
afterEach(() => both.close())

const OLD = 'kakehashi-agent/0.1.0'

const incidents = () => both.hub.ops.db.selectFrom('incident').select('kind').execute()
const byName = async () => (await both.store.db.selectFrom('name_stop').select('stop').execute()).length

test('S14 a newer agent at this hub: a message it does not know is no forgery, and waits for a newer hub', async () => {
  both = await BothEnds.open()
  const draft = { type: 'of-tomorrow', patients: [] } as never
  await both.store.bookkeep((tx) => enqueueControl(tx, both.agent.context, draft))
  await both.talk()
  expect(await incidents()).toEqual([])
  expect(both.hub.logs.filter((line) => line.includes('control.unknown'))).toHaveLength(1)
  expect(await both.agent.status()).toMatchObject({ unsentControl: 0, unansweredControl: 1 })
  both.hub.env.pass(61 * 60_000)
  await both.talk()
  expect(both.hub.logs.filter((line) => line.includes('control.unknown'))).toHaveLength(2)
})

test('S14 a newer hub at this agent: what it does not know is acknowledged, and a member more changes nothing', async () => {
  both = await BothEnds.open()
  const { ops, parts } = both.hub
  await ops.bookkeep(async (tx) => {
    for (const agent of await agentsOf(tx)) {
      await post(tx, parts, agent, { type: 'of-tomorrow', more: 1 } as never)
      await post(tx, parts, agent, { type: 'reports-taken', messages: [], more: { of: 1 } } as never)
    }
  })
  await both.talk()
  const waiting = await ops.db.selectFrom('outbox').select('type').where('acked_at', 'is', null).execute()
  expect(waiting).toEqual([])
  const types = (await both.store.db.selectFrom('control_in').select('type').execute()).map((row) => row.type)
  expect(types).toEqual(expect.arrayContaining(['unknown', 'reports-taken']))
  expect(types).not.toContain('unreadable')
})

test('S14 R16 an older agent gets of a stop by name what it can read, and all of it when its heartbeat names a newer version', async () => {
  both = await BothEnds.open()
  const { ops, parts, identity } = both.hub
  await ops.bookkeep((tx) => tx.updateTable('agent').set({ software: OLD }).execute())
  const stop = await takeNamedStop(parts, identity, CALLED)
  await both.talk()
  const sent = () =>
    ops.db.selectFrom('stop_delivery').select(['stop', 'acked_at']).where('stop', '=', stop).execute()
  // no person in it: acknowledged, so that the hospital's batches need not wait
  expect([await byName(), await sent()]).toEqual([0, [{ stop, acked_at: expect.anything() }]])
  await both.agent.tick()
  await both.talk()
  expect([await byName(), await sent()]).toEqual([1, [{ stop, acked_at: expect.anything() }]])
})

test('S14 a newer agent at an older hub keeps what that would take for a forgery until the hub is newer, too', async () => {
  both = await BothEnds.open()
  const known = both.store.db.selectFrom('control_in').selectAll().where('type', '=', 'declaration-known')
  const [newer] = await known.execute()
  expect(newer).toBeDefined()
  // as if it had never said so
  await both.store.db.deleteFrom('control_in').where('type', '=', 'declaration-known').execute()
  const freed = { type: 'charts-freed' as const, stop: 's-1' as never, patients: [], freedAt: 1 }
  both.hub.env.pass(3_600_000)
  await both.store.bookkeep((tx) => enqueueControl(tx, both.agent.context, freed))
  await both.agent.register.setFacility({
    ...{ waitDays: 40, deathPolicy: 'hold', closedDays: [], endedOn: null, by: 'office' },
  })
  await both.talk()
  const heard = async () =>
    (await both.hub.ops.db.selectFrom('control_in').select('type').execute()).map((row) => row.type)
  // what comes after it goes all the same
  expect([await waitDays(), (await heard()).includes('charts-freed')]).toEqual([40, false])
  expect(await both.agent.status()).toMatchObject({ unansweredControl: 0 })
  await both.store.db.insertInto('control_in').values(newer!).execute()
  await both.talk()
  expect(await heard()).toContain('charts-freed')
})

test('S14 R18 what the other hospitals are asked waits for a newer hub, and staff see that it waits; the own stop does not', async () => {
  both = await BothEnds.open()
  both.write('Patient.ndjson', [person('0001', '1948-05-03')])
  await both.agent.gather()
  const known = both.store.db.selectFrom('control_in').selectAll().where('type', '=', 'declaration-known')
  const [newer] = await known.execute()
  await both.store.db.deleteFrom('control_in').where('type', '=', 'declaration-known').execute()
  const { stop } = await both.agent.register.recordStop({
    ...{ patient: patientKey(FACILITY, '0001'), hospitals: 'all', erasureAsked: true, by: 'desk' },
  })
  const held = async () =>
    (await both.hub.ops.db.selectFrom('stop').select('stop').orderBy('stop').execute()).map((row) => row.stop)
  await both.talk()
  expect([await held(), await incidents()]).toEqual([[stop], []])
  expect(await both.agent.status()).toMatchObject({ unansweredControl: 1 })
  await both.store.db.insertInto('control_in').values(newer!).execute()
  await both.talk()
  expect(await held()).toEqual([stop, elsewhereStop(stop)].toSorted())
  expect(await both.agent.status()).toMatchObject({ unansweredControl: 0 })
})

const declared = async () =>
  (
    await both.hub.ops.db
      .selectFrom('facility_declaration')
      .select(['message', 'body'])
      .orderBy('declared_at')
      .orderBy('received_at')
      .execute()
  ).map(({ message, body }) => ({ message, filings: JSON.parse(body).filings.length as number }))

async function twoDeclarations(): Promise<void> {
  both = await BothEnds.open()
  await both.pass(1)
  await both.agent.register.setFacility({
    ...{ waitDays: 40, deathPolicy: 'hold', closedDays: [], endedOn: null, by: 'office' },
  })
  await both.talk()
}

const waitDays = async () => {
  const rows = await both.hub.ops.db
    .selectFrom('facility_declaration')
    .select('body')
    .orderBy('declared_at', 'desc')
    .orderBy('received_at', 'desc')
    .execute()
  return rows.map(({ body }) => JSON.parse(body).waitDays as number)[0]
}

test('T32 a vault put back from an old backup is told the facility’s facts again within a day', async () => {
  await twoDeclarations()
  expect(await waitDays()).toBe(40)
  const before = await declared()
  const { ops } = both.hub
  const newest = before.at(-1)?.message ?? ''
  await ops.bookkeep(async (tx) => {
    await tx.deleteFrom('facility_declaration').where('message', '=', newest).execute()
    await tx.deleteFrom('control_in').where('message', '=', newest).execute()
  })
  expect(await waitDays()).not.toBe(40)
  await both.pass(1)
  expect(await waitDays()).toBe(40)
  // said once: the vault knows it now
  await both.pass(1)
  expect(await declared()).toHaveLength(before.length)
})

test('T32 a vault that has no declaration at all is told, after a restore in the next round', async () => {
  await twoDeclarations()
  await both.hub.ops.bookkeep((tx) => tx.deleteFrom('facility_declaration').execute())
  await both.talk()
  expect(await declared()).toEqual([])
  await sayRestored(both.hub.parts)
  await both.talk()
  expect(await waitDays()).toBe(40)
})

test('T6 an agent put back does not take back at the vault what it has forgotten', async () => {
  both = await BothEnds.open()
  const backup = both.image()
  await both.pass(1)
  await both.agent.register.setFacility({
    ...{ waitDays: 40, deathPolicy: 'hold', closedDays: [], endedOn: '2027-03-31', by: 'office' },
  })
  await both.talk()
  await both.restore(backup)
  await both.pass(1)
  await both.pass(1)
  expect(await waitDays()).toBe(40)
})
