import { expect, test } from 'vitest'
import { chart, DAY, openScheme, person, result, world, type World } from './agent-world.ts'
import { openNameStops } from '../../agent/src/register/name-stop.ts'

const SAID = {
  name: '山田 太郎',
  kana: 'ヤマダ タロウ',
  birthDate: '1950-06-01',
  number: null as string | null,
  requesterName: '山田 花子',
  relation: '妻',
  contact: null,
}

async function hospital(): Promise<World> {
  const w = await world()
  w.write('Patient.ndjson', [
    { ...person('0001'), name: [{ family: 'ヤマダ', given: ['タロウ'] }] },
    person('0002'),
  ])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0002', 'o2')])
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  for (const number of ['0001', '0002'])
    await w.agent.register.recordNotice({ patient: chart(number), by: 'desk' })
  w.clock.now += 35 * DAY
  await w.vault.sayCertified(w.agent)
  await w.agent.exchange()
  return w
}

const order = (w: World, more: object) => ({
  type: 'stop-ordered' as const,
  stop: 'stop-by-phone',
  handle: null,
  patients: [],
  tracks: null,
  requester: 'family',
  askedAt: w.clock.now,
  erasureAsked: false,
  ...more,
})

const stopped = async (w: World) =>
  (await w.agent.dryRun()).reasons.find((one) => one.code === 'STOPPED')?.patients ?? 0

test('R16 T25 a stop by phone with number and birth date: that chart only, provisional and in force, its document due from the call; verified later it is confirmed', async () => {
  using w = await hospital()
  const askedAt = w.clock.now
  const by = { person: { ...SAID, number: '1' } }
  await w.vault.say(w.agent, order(w, { ...by, standing: 'provisional' }))
  w.clock.now += 2 * DAY
  await w.agent.exchange()
  expect(await stopped(w)).toBe(1)
  expect(await w.agent.status()).toMatchObject({ openSlips: 1, oldestSlipAskedAt: askedAt })
  await w.vault.say(w.agent, { ...order(w, by), askedAt })
  await w.agent.exchange()
  expect(await stopped(w)).toBe(1)
  expect(await w.agent.status()).toMatchObject({ openSlips: 1 })
  const acts = await w.store.db.selectFrom('register_event').select('type').execute()
  expect(acts.filter((one) => one.type === 'stop-confirmed')).toHaveLength(1)
})

test('R16 a stop by name only: whoever bears it is held until staff settle it, nobody else; nobody here, no document', async () => {
  using w = await hospital()
  await w.vault.say(w.agent, order(w, { person: SAID, standing: 'provisional' }))
  await w.agent.exchange()
  expect(await stopped(w)).toBe(1)
  expect(await openNameStops(w.store.db as never)).toMatchObject([{ candidates: [chart('0001')] }])
  expect(await w.agent.status()).toMatchObject({ openSlips: 1 })
  const stranger = { ...SAID, kana: 'スズキ ハナ', name: '', birthDate: '1999-01-01' }
  await w.vault.say(w.agent, order(w, { stop: 'stop-2', person: stranger, standing: 'provisional' }))
  await w.agent.exchange()
  expect(await stopped(w)).toBe(1)
  expect(await w.agent.status()).toMatchObject({ openSlips: 1 })
})

test('R17 R20 an unverified stop by number that also wants erasure stops the chart and erases nothing', async () => {
  using w = await hospital()
  const by = { person: { ...SAID, number: '1' }, standing: 'provisional', erasureAsked: true }
  await w.vault.say(w.agent, order(w, by))
  await w.agent.exchange()
  expect(await stopped(w)).toBe(1)
  await w.agent.exchange()
  const heard = (await w.vault.hear(w.agent)).filter((one) => one.type === 'stop-reported')
  expect(heard).toMatchObject([{ patients: [chart('0001')], erasureAsked: false }])
})

test('R17 R20 what a caller nobody verified wants erased is erased when the stop was confirmed, and not before', async () => {
  using w = await hospital()
  await w.agent.exchange()
  await w.vault.hear(w.agent)
  const call = { standing: 'provisional', identityCheck: 'none', channel: 'phone' } as const
  const { stop } = await w.agent.register.recordStop({
    ...{ ...call, patient: chart('0001'), by: 'desk', requester: 'agent', erasureAsked: true },
  })
  await w.agent.exchange()
  expect(await w.vault.hear(w.agent)).toMatchObject([{ type: 'stop-reported', erasureAsked: false }])
  await w.agent.register.confirmStop({ stop, identityCheck: 'document', by: 'desk' })
  await w.agent.register.confirmStop({ stop, identityCheck: 'document', by: 'desk' })
  await w.agent.exchange()
  const heard = (await w.vault.hear(w.agent)).filter((one) => one.type === 'erasure-requested')
  expect(heard).toMatchObject([{ stop, patients: [chart('0001')] }])
})

test('T27 a stop by name of somebody the operator knows holds the chart of that name it does not know, too', async () => {
  using w = await hospital()
  w.write('Patient.ndjson', [
    { ...person('0001'), name: [{ family: 'ヤマダ', given: ['タロウ'] }] },
    person('0002'),
    { ...person('9901'), name: [{ family: 'ヤマダ', given: ['タロウ'] }] },
  ])
  await w.agent.gather()
  await w.vault.say(w.agent, order(w, { person: SAID, patients: [chart('0001')], standing: 'provisional' }))
  await w.agent.exchange()
  expect(await stopped(w)).toBe(2)
  expect((await openNameStops(w.store.db as never)).map((one) => one.candidates)).toEqual([
    [chart('0001'), chart('9901')],
  ])
  expect(await w.agent.status()).toMatchObject({ openSlips: 1 })
})

test('R13 R16 whose chart nobody found at first is owed the document when staff found it, its age counted from the call', async () => {
  using w = await hospital()
  const askedAt = w.clock.now
  await w.vault.say(
    w.agent,
    order(w, { person: { ...SAID, kana: 'スズキ', name: '' }, standing: 'provisional' }),
  )
  w.clock.now += 2 * DAY
  await w.agent.exchange()
  expect(await w.agent.status()).toMatchObject({ openSlips: 0 })
  const settle = { outcome: 'found', patient: chart('0002'), by: 'desk' } as const
  const stop = (await openNameStops(w.store.db as never))[0]!.asked.stop
  expect(await w.agent.register.settleNameStop({ ...settle, stop })).toMatchObject({
    stopped: [chart('0002')],
  })
  expect(await w.agent.status()).toMatchObject({ openSlips: 1, oldestSlipAskedAt: askedAt })
})
