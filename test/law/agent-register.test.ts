import { elsewhereStop } from '@kakehashi/protocol/ids'
import { inJapanese } from '@kakehashi/protocol/refusals'
import { expect, test } from 'vitest'
import {
  chart,
  DAY,
  openScheme,
  pass,
  person,
  puts,
  ready,
  result,
  world,
  type World,
  FACILITY,
} from './agent-world.ts'

test('R12 oral stop: undone within ten minutes as a new event, with trace; later it stays', async () => {
  using w = await ready()
  const wrong = await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  w.clock.now += 9 * 60_000
  await w.agent.register.undoStop({ stop: wrong.stop, by: 'desk' })
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  const events = await w.store.db
    .selectFrom('register_event')
    .select('type')
    .where('subject', '=', wrong.stop)
    .orderBy('seq')
    .execute()
  expect(events.map((e) => e.type)).toEqual(['stop-asked', 'slip-moved', 'stop-undone', 'slip-moved'])
  await expect(w.store.db.updateTable('register_event').set({ body: '{}' }).execute()).rejects.toThrow(
    'append-only',
  )
  const meant = await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  w.clock.now += 10 * 60_000 + 1
  await expect(w.agent.register.undoStop({ stop: meant.stop, by: 'desk' })).rejects.toMatchObject({
    refusal: { code: 'NOT_ALLOWED' },
  })
  expect((await w.agent.dryRun()).open.patients).toBe(2)
})

test('R13 the document of Art. 53 is kept as it was handed out and its task ages until then', async () => {
  using w = await ready()
  const { slip } = await w.agent.register.recordStop({
    patient: chart('0001'),
    by: 'desk',
    requester: 'guardian',
    relation: '母',
    erasureAsked: true,
  })
  expect(slip).toMatchObject({ requester: 'guardian', relation: '母', erasureAsked: true, charts: 1 })
  expect(JSON.stringify(slip)).not.toContain('0001')
  w.clock.now += 4 * DAY
  const status = await w.agent.status()
  expect(status.at - (status.oldestSlipAskedAt ?? 0)).toBe(4 * DAY)
})

test('R19 stop beats everything: it reaches the hub before any later batch, with the handles, and no sealed byte stays', async () => {
  using w = await ready()
  await w.agent.build()
  await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk', erasureAsked: true })
  const left = await w.store.db.selectFrom('outbox_part').select('batch').execute()
  expect(left).toEqual([])
  await w.agent.build()
  w.sent.length = 0
  await w.agent.exchange()
  const reported = w.sent.findIndex((r) => r.method === 'POST' && r.path === '/v1/control')
  const uploaded = w.sent.findIndex((r) => r.method === 'PUT')
  expect(reported).toBeGreaterThan(-1)
  expect(uploaded).toBeGreaterThan(reported)
  const report = (await w.vault.hear(w.agent)).find((m) => m.type === 'stop-reported')
  expect(report).toMatchObject({ patients: [chart('0001')], erasureAsked: true, requester: 'person' })
  expect(report?.type === 'stop-reported' && report.handles.length).toBe(1)
})

test('R19 a stop while a batch is in flight: no further byte leaves, and the gateway is asked what it has', async () => {
  using w = await ready()
  await w.agent.build()
  // the line breaks after the first part was taken, its answer lost
  w.line.broken = ({ method }) => method === 'PUT'
  expect((await w.agent.exchange()).failure).not.toBeNull()
  expect((await w.agent.status()).batches).toMatchObject({ 'in-flight': 1 })
  expect(await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })).toMatchObject({
    dropped: 0,
    sent: 1,
  })
  w.line.broken = null
  w.sent.length = 0
  await w.agent.exchange()
  expect(puts(w)).toEqual([])
  expect((await w.agent.status()).batches).toMatchObject({ 'in-flight': 0, dropped: 1 })
  await w.agent.build()
  await w.agent.exchange()
  const [batch] = await w.vault.batches(w.agent)
  expect(batch!.content.evidence.map((e) => e.state.patient.patient)).toEqual([chart('0002'), chart('0003')])
})

test('R21 withdrawal: only who asked may, and a fresh notice and period are due', async () => {
  using w = await ready()
  const { stop } = await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await expect(
    w.agent.register.withdrawStop({ stop, by: 'desk', requester: 'family' }),
  ).rejects.toMatchObject({ refusal: { code: 'NOT_ALLOWED' } })
  w.clock.now += DAY
  await w.agent.register.withdrawStop({ stop, by: 'desk', requester: 'person' })
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'NOT_NOTIFIED', patients: 1 })
  w.clock.now += 60_000
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'WAITING', patients: 1 })
  await pass(w, 40 * DAY)
  expect((await w.agent.dryRun()).open.patients).toBe(3)
})

test('R23 default deny: without entity, filing or a fresh status list nothing is open, each with its reason', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001'), person('0002', '1900-01-01')])
  w.write('Observation.ndjson', [
    result('0001', 'o1'),
    { resourceType: 'Observation', id: 'o9', status: 'final', code: { text: 'x' } },
  ])
  // about nobody: not forwarded, and said so under a reason of its own
  w.write('Organization.ndjson', [{ resourceType: 'Organization', id: 'org1', name: '内科' }])
  await w.agent.gather()
  expect(await w.agent.dryRun()).toMatchObject({
    source: { patients: 2, records: 5 },
    open: { patients: 0, records: 0 },
    reconciles: true,
  })
  await openScheme(w, { filed: false })
  await w.agent.exchange()
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  await w.agent.register.recordNotice({ patient: chart('0002'), by: 'desk' })
  await pass(w, 35 * DAY)
  expect((await w.agent.dryRun()).reasons.find((r) => r.patients > 0)).toMatchObject({
    code: 'NOT_FILED',
    patients: 2,
    sentence: '主務大臣への届出が確認できません。',
  })
  await openSchemeFiling(w)
  const filed = await w.agent.dryRun()
  expect(filed.open).toEqual({ patients: 1, records: 2 })
  expect(filed.reasons).toEqual([
    expect.objectContaining({ code: 'AGE_UNKNOWN', patients: 1, records: 1 }),
    expect.objectContaining({ code: 'PATIENT_UNRESOLVED', patients: 0, records: 1 }),
    expect.objectContaining({ code: 'SHARED_RESOURCE', patients: 0, records: 1 }),
  ])
  w.clock.now += 8 * DAY
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'OPERATOR_STATUS_STALE', patients: 2 })
})

async function openSchemeFiling(w: World): Promise<void> {
  await w.agent.register.acceptFiling({
    by: 'office',
    filing: {
      filing: 'filing-1' as never,
      track: 'ANON',
      templateVersion: 1,
      acceptedOn: '2026-02-01',
      endedOn: null,
    },
  })
}

test('the clock set back a day: every decision denies until it is right again', async () => {
  using w = await ready()
  w.clock.now -= DAY
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'CLOCK_UNSURE', patients: 3 })
  w.clock.now += DAY
  expect((await w.agent.dryRun()).open.patients).toBe(3)
})

test('T15 the clock known to run behind: what would be dated too early is refused with what to do, a stop never', async () => {
  using w = await ready()
  const { register } = w.agent
  const patient = chart('0001')
  const kiosk = await register.recordNotice({ patient: chart('0002'), by: 'kiosk', method: 'kiosk' })
  const [first] = kiosk.notices
  const before = await w.store.db.selectFrom('register_event').selectAll().execute()
  w.clock.now -= 3 * 3600_000
  const refused = { refusal: { code: 'CLOCK_UNSURE' } }
  await expect(register.recordNotice({ patient, by: 'desk' })).rejects.toMatchObject(refused)
  await expect(register.recordNotice({ patient, by: 'desk', method: 'kiosk' })).rejects.toMatchObject(refused)
  await expect(register.confirmNotice({ notice: first!, by: 'desk' })).rejects.toMatchObject(refused)
  await expect(register.judgeCapacity({ patient, capacity: 'able', by: 'desk' })).rejects.toMatchObject(
    refused,
  )
  expect(await w.store.db.selectFrom('register_event').selectAll().execute()).toEqual(before)
  expect(inJapanese('CLOCK_UNSURE')).toMatch(/時計を正しい時刻に.*先に渡して.*停止の求めは今すぐ/)
  const { stop } = await register.recordStop({ patient, by: 'desk' })
  await expect(register.withdrawStop({ stop, by: 'desk', requester: 'person' })).rejects.toMatchObject(
    refused,
  )
  // a jitter that every clock has refuses nothing
  w.clock.now += 3 * 3600_000 - 60_000
  const given = await register.recordNotice({ patient: chart('0003'), by: 'desk' })
  expect(given.deliveredAt).toBeGreaterThanOrEqual(w.clock.now)
  await register.confirmNotice({ notice: first!, by: 'desk' })
})

/** By this an agent knows a hub of this version. */
const CURRENT = { type: 'declaration-known', declared: null } as const

test('R18 asked at the counter for other hospitals too: the operator hears who it is; for this one alone it hears no name', async () => {
  using w = await ready()
  const heard = async () => (await w.vault.hear(w.agent)).filter((one) => one.type === 'stop-elsewhere-asked')
  await w.vault.say(w.agent, CURRENT)
  const { stop } = await w.agent.register.recordStop({
    patient: chart('0001'),
    hospitals: 'all',
    requesterName: '本人',
    by: 'desk',
  })
  await w.agent.register.recordStop({ patient: chart('0002'), by: 'desk' })
  await w.agent.register.recordStop({ patient: chart('0003'), hospitals: [FACILITY], by: 'desk' })
  await w.agent.exchange()
  expect(await heard()).toMatchObject([
    {
      stop,
      patients: [chart('0001')],
      hospitals: 'all',
      person: { birthDate: '1950-06-01', number: null, requesterName: '本人' },
      requester: 'person',
    },
  ])
})

test('R21 what other hospitals were asked is taken back when the person says so; at once when the stop was an error', async () => {
  using w = await ready()
  const ask = () =>
    w.agent.register.recordStop({
      patient: chart('0001'),
      hospitals: 'all',
      erasureAsked: true,
      by: 'desk',
    })
  await w.vault.say(w.agent, CURRENT)
  const [kept, back, error] = [await ask(), await ask(), await ask()]
  const said = { requester: 'person', identityCheck: 'document', by: 'desk' } as const
  await w.agent.register.withdrawStop({ stop: kept.stop, ...said })
  await w.agent.register.withdrawStop({ stop: back.stop, elsewhere: true, ...said })
  await w.agent.register.undoStop({ stop: error.stop, by: 'desk' })
  await w.agent.exchange()
  const heard = await w.vault.hear(w.agent)
  const ends = heard.filter((one) => one.type === 'stop-withdrawn-reported')
  expect(ends.map(({ stop, undone }) => [stop, undone])).toEqual([
    [kept.stop, undefined],
    [back.stop, undefined],
    [elsewhereStop(back.stop), undefined],
    [error.stop, true],
    [elsewhereStop(error.stop), true],
  ])
  const asked = heard.filter((one) => one.type === 'stop-elsewhere-asked')
  expect(asked.map((one) => one.erasureAsked)).toEqual([true, true, true])
})

test('R20 an erasure asked for later reaches the hub for every chart of the person', async () => {
  using w = await ready()
  await w.agent.register.mergeCharts({
    patient: chart('0001'),
    other: chart('0002'),
    certain: true,
    by: 'office',
  })
  await w.agent.register.askErasure({ patient: chart('0002'), by: 'desk' })
  await w.agent.exchange()
  const asked = (await w.vault.hear(w.agent)).find((m) => m.type === 'erasure-requested')
  expect(asked?.type === 'erasure-requested' && asked.patients.toSorted()).toEqual([
    chart('0001'),
    chart('0002'),
  ])
})
