import { takeNamedStop } from '@kakehashi/hub/requests/intake'
import { openNameStops } from '@kakehashi/agent/register/name-stop'
import { patientStateOf } from '@kakehashi/agent/register/read'
import { stopByStaff } from '@kakehashi/hub/requests/stop'
import { hubStatus } from '@kakehashi/hub/vault/status'
import { stopHandle } from '@kakehashi/protocol/ids'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { afterEach, expect, test } from 'vitest'
import { chart, FACILITY, person, result } from './agent-world.ts'
import { BothEnds } from './both-ends.ts'
import { CALLED } from './called.fixture.ts'

let both: BothEnds
afterEach(() => both.close())

/** Three patients whose wait is over; nothing of theirs was sent yet. */
async function ready(): Promise<BothEnds> {
  both = await BothEnds.open()
  const numbers = ['0001', '0002', '0003']
  both.write(
    'Patient.ndjson',
    numbers.map((n) => person(n)),
  )
  both.write(
    'Observation.ndjson',
    numbers.map((n) => result(n, `o${n}`)),
  )
  await both.agent.gather()
  for (const number of numbers)
    await both.agent.register.recordNotice({ patient: chart(number), by: 'desk', withToken: true })
  await both.pass(35)
  return both
}

const stopsAtVault = () => both.hub.ops.db.selectFrom('stop').select(['stop', 'standing']).execute()
const reasons = async () =>
  Object.fromEntries((await both.agent.dryRun()).reasons.map(({ code, patients }) => [code, patients]))
const owners = async () =>
  (await both.hub.ops.db.selectFrom('content_record').select('owner').distinct().execute())
    .map((row) => row.owner)
    .toSorted()

test('R19 a gateway that loses its store loses no stop: the agent says it again until the vault has applied it', async () => {
  await ready()
  const { agent, hub } = both
  const { stop } = await agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await agent.exchange()
  await both.loseGateway()
  await both.talk()
  expect(await stopsAtVault()).toEqual([])
  expect(await agent.status()).toMatchObject({ unsentControl: 0, unansweredControl: 1 })
  expect((await agent.status()).oldestUnansweredStopAt).toBe(hub.env.now())
  hub.env.pass(59 * 60_000)
  await both.talk()
  expect(await stopsAtVault()).toEqual([])
  hub.env.pass(2 * 60_000)
  await both.talk()
  expect(await stopsAtVault()).toEqual([{ stop, standing: 'confirmed' }])
  expect(await agent.status()).toMatchObject({ unansweredControl: 0, oldestUnansweredStopAt: null })
})

test('R19 the vault’s answer is lost with the gateway: it is said again, and the stop applied once', async () => {
  await ready()
  const { agent, hub } = both
  await agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await agent.exchange()
  await hub.vault.round()
  await both.loseGateway()
  hub.env.pass(61 * 60_000)
  await both.talk()
  expect(await stopsAtVault()).toHaveLength(1)
  expect(await agent.status()).toMatchObject({ unansweredControl: 0 })
  const leaves = await hub.ops.db.selectFrom('audit_leaf').select('leaf').execute()
  const told = leaves.map((row) => JSON.parse(new TextDecoder().decode(row.leaf)).act)
  expect(told.filter((act) => act === 'received.stop-reported')).toHaveLength(1)
})

test('L1 a gateway lost its store after the vault had taken a batch, which the agent then dropped: its receipt still says what the hub has', async () => {
  await ready()
  const { agent, hub } = both
  await agent.gather()
  await agent.build()
  await agent.exchange()
  await hub.vault.round()
  await both.loseGateway()
  both.write('Observation.ndjson', [result('0002', 'o0002'), result('0003', 'o0003')])
  // too long ago to be sent as it was sealed: it is dropped, and everybody is read again
  hub.env.pass(8 * 24 * 3600 * 1000)
  await agent.exchange()
  expect((await agent.status()).batches).toMatchObject({ dropped: 1, done: 0 })
  await agent.gather({ full: true })
  await both.talk()
  expect((await agent.status()).batches).toMatchObject({ dropped: 0, done: 1 })
  await agent.build()
  await both.talk()
  const held = await hub.ops.db.selectFrom('content_record').select(['key', 'gone']).execute()
  expect(held.filter((row) => Number(row.gone) === 1).map((row) => row.key)).toEqual([
    'ehr|Observation|o0001',
  ])
})

test('R21 the gateway lost the stop and kept its withdrawal: whichever comes first, the stop is withdrawn at the vault', async () => {
  await ready()
  const { agent, hub } = both
  const { stop } = await agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await agent.exchange()
  const askedAt = hub.env.now()
  await both.loseGateway()
  hub.env.pass(30 * 60_000)
  await agent.register.withdrawStop({ stop, by: 'desk', requester: 'person' })
  await both.talk()
  expect(await stopsAtVault()).toEqual([{ stop, standing: 'withdrawn' }])
  hub.env.pass(61 * 60_000)
  await both.talk()
  expect(await stopsAtVault()).toEqual([{ stop, standing: 'withdrawn' }])
  expect(
    await hub.ops.db.selectFrom('stop').select(['asked_at', 'withdrawn_at']).executeTakeFirstOrThrow(),
  ).toEqual({ asked_at: askedAt, withdrawn_at: askedAt + 30 * 60_000 })
  expect(await agent.status()).toMatchObject({ unansweredControl: 0 })
})

test('T6 an agent put back from a backup is shut until the hub has told every stop taken since, and opens then', async () => {
  await ready()
  const backup = both.image()
  await both.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await both.talk()
  await both.restore(backup)
  expect(await reasons()).toEqual({ STOPS_UNKNOWN: 3 })
  expect(await both.agent.status()).toMatchObject({ restored: { openedAt: null } })
  // the line is down: nothing leaves, however long it takes, and the counter works
  both.line.broken = () => true
  both.sent.length = 0
  await both.agent.gather()
  await both.agent.build()
  await both.agent.exchange()
  expect((await both.agent.status()).batches).toMatchObject({ queued: 0 })
  await both.agent.register.recordStop({ patient: chart('0003'), by: 'desk' })
  both.line.broken = null
  await both.talk()
  expect(await reasons()).toEqual({ STOPPED: 2 })
  const { restored, openSlips } = await both.agent.status()
  expect(restored?.openedAt).not.toBeNull()
  expect(openSlips).toBe(2)
  await both.agent.build()
  await both.talk()
  expect(await owners()).toEqual([chart('0002')])
})

test('R19 an agent put back that still holds a report the hub has taken: it says it again and is answered again', async () => {
  await ready()
  const { agent } = both
  await agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await agent.exchange()
  const backup = both.image()
  await both.talk()
  expect(await agent.status()).toMatchObject({ unansweredControl: 0 })
  await both.restore(backup)
  both.hub.env.pass(61 * 60_000)
  await both.talk()
  await both.talk()
  expect(await both.agent.status()).toMatchObject({ unansweredControl: 0, unsentControl: 0 })
  expect(await stopsAtVault()).toHaveLength(1)
})

test('T25 a stop at the operator that the agent had applied after the backup is told again, with the paper’s handle alone', async () => {
  await ready()
  const backup = both.image()
  const { hub } = both
  const events = await both.store.db
    .selectFrom('register_event')
    .select('handle')
    .where('patient', '=', chart('0002'))
    .where('handle', 'is not', null)
    .execute()
  await stopByStaff(hub.parts, {
    patients: [],
    handles: [events[0]!.handle as never],
    requester: 'person',
    standing: 'confirmed',
    erasureAsked: false,
    by: 'staff-1',
  })
  await both.talk()
  expect(await reasons()).toEqual({ STOPPED: 1 })
  await both.restore(backup)
  await both.talk()
  expect(await reasons()).toEqual({ STOPPED: 1 })
})

const atCounter = async () =>
  (await openNameStops(both.store.db as never)).map(({ asked }) => asked.name).toSorted()

async function calledAndAsked(): Promise<void> {
  const { hub } = both
  await takeNamedStop(hub.parts, hub.identity, CALLED)
  await hub.portal.takeNumberStop({
    ...{ facility: FACILITY, number: '7351902', birthDate: '1948-05-03' },
    ...{ requester: 'person', erasureAsked: false, address: '192.0.2.7' },
  })
}

test('R16 T6 stops by name and by number of nobody found, applied after the backup, are said again before the gate opens', async () => {
  await ready()
  const backup = both.image()
  await calledAndAsked()
  await both.talk()
  const before = await atCounter()
  expect(before).toEqual(['山田 太郎', '患者番号 7351902'])
  await both.restore(backup)
  expect(await atCounter()).toEqual([])
  await both.talk()
  expect((await both.agent.status()).restored?.openedAt).not.toBeNull()
  expect(await atCounter()).toEqual(before)
  await both.talk()
  expect(await both.hub.ops.db.selectFrom('stop_delivery').select('acked_at').execute()).toEqual(
    Array(2).fill({ acked_at: expect.anything() }),
  )
  // a copy that has them is told once more and holds nobody twice
  await both.restore(both.image())
  await both.talk()
  expect(await atCounter()).toEqual(before)
})

test('R16 T6 an order by name or number that waited for the agent of the former keys reaches the one of the new', async () => {
  await ready()
  await calledAndAsked()
  await both.hub.vault.round()
  await both.rekey()
  await both.talk()
  await both.talk()
  expect(await atCounter()).toEqual(['山田 太郎', '患者番号 7351902'])
  const sent = await both.hub.ops.db.selectFrom('stop_delivery').select(['agent', 'acked_at']).execute()
  expect(sent).toEqual(Array(2).fill({ agent: 'agent-midori-2', acked_at: expect.anything() }))
})

test('R12 T6 a stop by name that the backup knows is not entered a second time, and who only bore the name is free when it is settled', async () => {
  await ready()
  const named = ['0001', '0002'].map((n) => ({
    ...person(n),
    name: [{ family: 'ヤマダ', given: ['タロウ'] }],
  }))
  both.write('Patient.ndjson', [...named, person('0003')])
  await both.agent.gather()
  const asked = { name: '', kana: 'ヤマダ タロウ', birthDate: null, requester: 'person', by: 'desk' } as const
  const { stop } = await both.agent.register.recordNameStop(asked)
  await both.talk()
  await both.restore(both.image())
  await both.talk()
  const settle = { stop, outcome: 'found', patient: chart('0001'), by: 'desk', approvedBy: 'office' } as const
  await both.agent.register.settleNameStop(settle)
  const standings = async (number: string) =>
    (await patientStateOf(both.store.db, chart(number))).stops.map((one) => one.standing)
  expect([await standings('0001'), await standings('0002')]).toEqual([['confirmed'], ['undone']])
  expect(await both.agent.status()).toMatchObject({ openSlips: 1 })
  await both.talk()
  await both.agent.build()
  await both.talk()
  expect(await owners()).toEqual([chart('0002'), chart('0003')])
})

test('T32 charts erased at the hub after the backup are refused at the gate, though the hub can no longer name them', async () => {
  await ready()
  await both.agent.gather()
  await both.agent.build()
  await both.talk()
  const backup = both.image()
  await both.agent.register.recordStop({ patient: chart('0001'), by: 'desk', erasureAsked: true })
  await both.talk()
  expect(await both.hub.ops.db.selectFrom('stop_chart').selectAll().execute()).toEqual([])
  await both.restore(backup)
  await both.talk()
  expect(await reasons()).toEqual({ ERASED: 1 })
  expect(await both.store.db.selectFrom('erased_chart').select('hash').execute()).toHaveLength(1)
})

test('R21 a stop withdrawn after the backup: the old notice does not open the gate again', async () => {
  await ready()
  const backup = both.image()
  const { stop } = await both.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await both.pass(2)
  await both.agent.register.withdrawStop({ stop, by: 'desk', requester: 'person' })
  await both.talk()
  await both.restore(backup)
  await both.talk()
  expect(await reasons()).toEqual({ NOT_NOTIFIED: 1 })
})

test('R29 batch numbers are not used again after a restore, and what the hub has seen of the lost log is told', async () => {
  await ready()
  const backup = both.image()
  await both.agent.gather()
  await both.agent.build()
  await both.agent.tick()
  await both.talk()
  const numbers = async () =>
    (await both.hub.ops.db.selectFrom('batch').select('sequence').orderBy('received_at').execute()).map(
      (row) => row.sequence,
    )
  const before = await numbers()
  await both.restore(backup)
  await both.talk()
  expect((await both.agent.status()).restored?.missingLeaves).toBeGreaterThan(0)
  both.write('Observation.ndjson', [result('0001', 'o0001', 7.7)])
  await both.agent.gather()
  await both.agent.build()
  await both.talk()
  const after = await numbers()
  expect(after.length).toBeGreaterThan(before.length)
  expect(new Set(after).size).toBe(after.length)
  expect(Math.min(...after.slice(before.length))).toBeGreaterThan(Math.max(...before))
})

test('T6 a stop list in parts opens the gate with its last part only, and a list for another question never', async () => {
  await ready()
  const { hub } = both
  const backup = both.image()
  for (let n = 0; n < 250; n++)
    await stopByStaff(hub.parts, {
      patients: [],
      handles: [stopHandle(sha256Hex(`paper ${n}`))],
      requester: 'person',
      standing: 'confirmed',
      erasureAsked: false,
      by: 'staff-1',
    })
  await both.restore(backup)
  await both.agent.exchange()
  await hub.vault.round()
  // put back once more before the answer came: the answer to the first question is none to the second
  await both.restore(both.image())
  await both.agent.exchange()
  expect(await reasons()).toEqual({ STOPS_UNKNOWN: 3 })
  await hub.vault.round()
  const lists = await hub.ops.db
    .selectFrom('outbox')
    .select('message')
    .where('type', '=', 'stop-list')
    .where('acked_at', 'is', null)
    .orderBy('seq')
    .execute()
  expect(lists.length).toBeGreaterThan(1)
  await hub.gatewayStore.db
    .deleteFrom('gateway_control')
    .where('message', '=', lists.at(-1)!.message)
    .execute()
  await both.agent.exchange()
  expect(await reasons()).toEqual({ STOPS_UNKNOWN: 3 })
  hub.env.pass(31 * 60_000)
  await both.talk()
  expect(await reasons()).toEqual({})
})

test('R25 an agent with new keys: nothing under way may be open, stops on their way to the former agent reach it, and records go on', async () => {
  await ready()
  const { hub } = both
  await both.agent.gather()
  await both.agent.build()
  await both.agent.exchange()
  await expect(both.rekey()).rejects.toMatchObject({ refusal: { code: 'NOT_ALLOWED' } })
  await both.talk()
  both.line.broken = () => true
  await both.agent.register.recordStop({ patient: chart('0003'), by: 'desk' })
  await expect(both.rekey()).rejects.toMatchObject({ refusal: { code: 'NOT_ALLOWED' } })
  both.line.broken = null
  await both.talk()
  // asked for at the operator while the agent does not run
  await stopByStaff(hub.parts, {
    patients: [chart('0001')],
    handles: [],
    requester: 'person',
    standing: 'confirmed',
    erasureAsked: false,
    by: 'staff-1',
  })
  await both.rekey()
  expect(await reasons()).toEqual({ STOPS_UNKNOWN: 3 })
  await both.talk()
  expect(await reasons()).toEqual({ STOPPED: 2 })
  both.write('Observation.ndjson', [result('0002', 'o0002', 8.8)])
  await both.agent.gather()
  await both.agent.build()
  await both.talk()
  const batches = await hub.ops.db.selectFrom('batch').select(['agent', 'outcome']).execute()
  expect(batches.at(-1)).toEqual({ agent: 'agent-midori-2', outcome: 'accepted' })
  expect(await hub.ops.db.selectFrom('incident').select('kind').execute()).toEqual([])
  expect((await hubStatus(hub.ops)).stops.undelivered).toBe(0)
})
