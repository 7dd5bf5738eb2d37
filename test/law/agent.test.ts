import { expect, test } from 'vitest'
import { chart, DAY, openScheme, person, result, world, type World } from './agent-world.ts'

const HOUR = 3600_000

/** Two patients, notified on 1 April, whose wait is over; nothing built yet. */
async function afterWait(): Promise<World> {
  const w = await world()
  w.write('Patient.ndjson', [person('0001'), person('0002')])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0001', 'o2'), result('0002', 'o3')])
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk', withToken: true })
  await w.agent.register.recordNotice({ patient: chart('0002'), by: 'desk' })
  await pass(w, 35 * DAY)
  return w
}

/** Time goes by; the hub's daily status list arrives. */
async function pass(w: World, ms: number): Promise<void> {
  w.clock.now += ms
  await w.vault.sayCertified(w.agent)
  await w.agent.exchange()
}

const uploads = (w: World) => w.sent.filter((r) => r.method === 'PUT').length

async function patientsAtGateway(w: World): Promise<string[]> {
  const batches = await w.vault.batches(w.agent)
  return batches.flatMap((b) => b.content.evidence.map((e) => e.state.patient.patient)).toSorted()
}

test('the whole way of the agent: gather, notice, wait, build, hand over, upload, receipt', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001'), person('0002')])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0001', 'o2'), result('0002', 'o3')])
  await openScheme(w)
  expect(await w.agent.exchange()).toEqual({ failure: null })
  expect(await w.agent.gather()).toMatchObject({ seen: 5, faults: [] })
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  expect(await w.agent.build()).toMatchObject({ batches: 0, closed: 2 })

  await pass(w, 35 * DAY)
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 3, closed: 1 })
  expect(await w.agent.exchange()).toEqual({ failure: null })

  const [batch] = await w.vault.batches(w.agent)
  expect(batch?.content.records.map((r) => r.key.id).toSorted()).toEqual(['0001', 'o1', 'o2'])
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 1, done: 0 })
  if (batch) await w.vault.receipt(w.agent, batch)
  await w.agent.exchange()
  expect((await w.agent.status()).batches).toMatchObject({ 'at-gateway': 0, done: 1 })
  expect(await w.agent.status()).toMatchObject({ recordsSent: 3, toRead: 1, lastFailure: null })

  await w.agent.gather({ full: true })
  expect(await w.agent.build()).toMatchObject({ batches: 0, closed: 1 })
})

test('T5 old patient: a full back-fill lets nothing of somebody never notified leave, and the dry run says why', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001'), person('0002')])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0002', 'o2'), result('0002', 'o3')])
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather({ full: true })
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  await pass(w, 5 * 365 * DAY)
  await w.agent.gather({ full: true })
  await w.agent.build()
  await w.agent.exchange()
  expect(await patientsAtGateway(w)).toEqual([chart('0001')])

  const lines: unknown[] = []
  const report = await w.agent.dryRun({ each: (line) => lines.push(line) })
  expect(report.source).toEqual({ patients: 2, records: 5 })
  expect(report.open).toEqual({ patients: 1, records: 2 })
  expect(report.reasons).toEqual([
    { code: 'NOT_NOTIFIED', sentence: 'まだ通知していません。', patients: 1, records: 3 },
  ])
  expect(report.reconciles).toBe(true)
  expect(lines).toContainEqual({ patient: chart('0002'), code: 'NOT_NOTIFIED', earliest: null, records: 3 })
})

test('T6 stored flag: a stop at 09:00 keeps the batch built at 02:00 from leaving at 09:05; the others are rebuilt', async () => {
  using w = await afterWait()
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 5 })
  w.clock.now += 7 * HOUR
  const stopped = await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  expect(stopped).toMatchObject({ dropped: 1, sent: 0 })
  w.clock.now += 5 * 60_000
  await w.agent.exchange()
  expect(uploads(w)).toBe(0)
  expect(await w.agent.build()).toMatchObject({ batches: 1, records: 2, closed: 1 })
  await w.agent.exchange()
  expect(await patientsAtGateway(w)).toEqual([chart('0002')])
})

test('T6 stored flag: the gate is asked again in the transaction that hands over, whatever changed it', async () => {
  using w = await afterWait()
  await w.agent.build()
  await w.agent.register.endFiling({ filing: 'filing-1' as never, endedOn: '2026-05-01', by: 'office' })
  await w.agent.exchange()
  expect(uploads(w)).toBe(0)
  const status = await w.agent.status()
  expect(status.batches).toMatchObject({ dropped: 1, queued: 0 })
  expect(status.toRead).toBe(2)
  const leaf = await w.store.db
    .selectFrom('audit_leaf')
    .select('leaf')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  expect(JSON.parse(Buffer.from(leaf.leaf).toString())).toMatchObject({
    act: 'batch.dropped',
    detail: { code: 'FILING_ENDED' },
  })
})

test('T7 returned mail: void from the beginning, unsent data purged, and what was sent is reported', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001'), person('0002')])
  await openScheme(w)
  await w.agent.gather()
  const mailed = await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk', method: 'post' })
  const other = await w.agent.register.recordNotice({ patient: chart('0002'), by: 'desk', method: 'post' })
  // assumed to arrive seven days after posting
  expect(mailed.deliveredAt - w.clock.now).toBeGreaterThan(6 * DAY)
  await pass(w, 45 * DAY)
  await w.agent.build({ patients: 1 })
  const returned = await w.agent.register.returnNotice({ notice: mailed.notices[0]!, by: 'desk' })
  expect(returned.dropped + (returned.incident ? 1 : 0)).toBe(1)
  expect(returned.incident).toBe(false)
  await w.agent.build()
  await w.agent.exchange()
  expect(await patientsAtGateway(w)).toEqual([chart('0002')])
  await w.vault.hear(w.agent)

  const late = await w.agent.register.returnNotice({ notice: other.notices[0]!, by: 'desk' })
  expect(late).toMatchObject({ incident: true })
  await w.agent.exchange()
  expect(await w.vault.hear(w.agent)).toContainEqual(
    expect.objectContaining({ type: 'notice-voided-reported', patients: [chart('0002')] }),
  )
})

test('T8 kiosk printed, visit cancelled: the notice does not count until staff confirm it', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001')])
  await openScheme(w)
  await w.agent.gather()
  const printed = await w.agent.register.recordNotice({
    patient: chart('0001'),
    by: 'kiosk-2',
    method: 'kiosk',
    evidence: 'job-4711',
  })
  await pass(w, 40 * DAY)
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'NOT_NOTIFIED', patients: 1 })
  await w.agent.register.confirmNotice({ notice: printed.notices[0]!, by: 'desk' })
  expect((await w.agent.dryRun()).open.patients).toBe(1)

  await w.agent.register.voidNotice({ notice: printed.notices[0]!, by: 'desk', reason: 'visit-cancelled' })
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'NOT_NOTIFIED', patients: 1 })
})

test('T10 new item: an item class no notice names stays back while the others flow', async () => {
  using w = await afterWait()
  w.write('ImagingStudy.ndjson', [
    { resourceType: 'ImagingStudy', id: 'ct1', status: 'available', subject: { reference: 'Patient/0001' } },
  ])
  await w.agent.gather()
  expect(await w.agent.build()).toMatchObject({ records: 5, withheld: 1 })
  await w.agent.exchange()
  const [batch] = await w.vault.batches(w.agent)
  expect(batch?.content.records.some((r) => r.key.type === 'ImagingStudy')).toBe(false)
  expect(await w.agent.dryRun()).toMatchObject({
    reasons: [{ code: 'ITEM_NOT_NOTIFIED', patients: 0, records: 1 }],
    reconciles: true,
  })
  expect(await w.agent.status()).toMatchObject({ toRead: 0 })
})

test('T15 backdating: a notice dated forty days ago counts from today until a second person approves it on evidence', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001')])
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  const past = w.clock.now - 40 * DAY
  const asked = { patient: chart('0001'), by: 'clerk', deliveredAt: past }
  expect(await w.agent.register.recordNotice(asked)).toMatchObject({
    datedAsAsked: false,
    deliveredAt: w.clock.now,
  })
  const own = { ...asked, approvedBy: 'clerk', evidence: '控え12' }
  expect(await w.agent.register.recordNotice(own)).toMatchObject({ datedAsAsked: false })
  expect(await w.agent.register.recordNotice({ ...asked, approvedBy: 'chief' })).toMatchObject({
    datedAsAsked: false,
  })
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'WAITING', patients: 1 })
  const approved = { ...asked, approvedBy: 'chief', evidence: '控え12' }
  expect(await w.agent.register.recordNotice(approved)).toMatchObject({
    datedAsAsked: true,
    deliveredAt: past,
  })
  expect((await w.agent.dryRun()).open.patients).toBe(1)
  await expect(
    w.agent.register.recordNotice({ ...asked, deliveredAt: w.clock.now + DAY }),
  ).rejects.toMatchObject({ refusal: { code: 'REQUEST_MALFORMED' } })
})

test('T23 oral stop without paper: in force at once, the slip prints, the task ends only when it was handed over', async () => {
  using w = await afterWait()
  await w.agent.build()
  const began = performance.now()
  const { slip, stop } = await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  expect(performance.now() - began).toBeLessThan(2000)
  const gate = await w.agent.dryRun()
  expect(gate.reasons).toContainEqual(expect.objectContaining({ code: 'STOPPED', patients: 1 }))
  expect(slip).toMatchObject({
    stop,
    askedAt: w.clock.now,
    requester: 'person',
    origin: 'counter',
    tracks: null,
    operators: null,
    operatorName: '認定事業者',
    operatorAddress: '東京都千代田区1-1',
    entity: { name: '医療法人みどり会', representative: '緑 一郎' },
  })
  expect(slip.number).toMatch(/^2026-\d{4}-[0-9A-Z]{6}$/)
  expect(await w.agent.status()).toMatchObject({ openSlips: 1, oldestSlipAskedAt: w.clock.now })
  await w.agent.register.handSlip({ number: slip.number, by: 'desk' })
  expect(await w.agent.status()).toMatchObject({ openSlips: 0 })
  await expect(w.agent.register.handSlip({ number: slip.number, by: 'desk' })).rejects.toMatchObject({
    refusal: { code: 'NOT_FOUND' },
  })
})

test('T25 stop at the operator, agent offline: it is applied at reconnection before any send, its age counted from then', async () => {
  using w = await afterWait()
  await w.agent.build()
  const [evidence] = await w.store.db
    .selectFrom('register_event')
    .select('handle')
    .where('handle', 'is not', null)
    .execute()
  const askedAt = w.clock.now
  await w.vault.say(w.agent, {
    type: 'stop-ordered',
    stop: 'stop-at-operator',
    handle: evidence!.handle,
    patients: [],
    tracks: null,
    requester: 'person',
    askedAt,
    erasureAsked: false,
  })
  // three days without a line
  w.line.broken = () => true
  for (let day = 0; day < 3; day++) {
    w.clock.now += DAY
    expect((await w.agent.exchange()).failure).not.toBeNull()
  }
  w.line.broken = null
  w.sent.length = 0
  await w.agent.exchange()
  expect(w.sent[0]).toMatchObject({ method: 'GET', path: '/v1/control?after=0' })
  expect(uploads(w)).toBe(0)
  await w.agent.build()
  await w.agent.exchange()
  expect(await patientsAtGateway(w)).toEqual([chart('0002')])
  expect(await w.agent.status()).toMatchObject({ openSlips: 1, oldestSlipAskedAt: askedAt })
  expect(await w.vault.hear(w.agent)).toContainEqual(
    expect.objectContaining({ type: 'stop-reported', stop: 'stop-at-operator', patients: [chart('0001')] }),
  )
})

test('T27 duplicate chart: a stop on one chart stops both; a doubtful pair is held', async () => {
  using w = await afterWait()
  await w.agent.register.mergeCharts({
    patient: chart('0001'),
    other: chart('0002'),
    certain: true,
    by: 'office',
  })
  const done = await w.agent.register.recordStop({ patient: chart('0002'), by: 'desk' })
  expect(done.patients.toSorted()).toEqual([chart('0001'), chart('0002')])
  expect((await w.agent.dryRun()).reasons).toEqual([
    expect.objectContaining({ code: 'STOPPED', patients: 2, records: 5 }),
  ])

  using doubtful = await afterWait()
  await doubtful.agent.register.mergeCharts({
    patient: chart('0001'),
    other: chart('0002'),
    certain: false,
    by: 'office',
  })
  await doubtful.agent.register.recordStop({ patient: chart('0002'), by: 'desk' })
  expect((await doubtful.agent.dryRun()).reasons.map((r) => [r.code, r.patients]).toSorted()).toEqual([
    ['HOLD_MERGE', 1],
    ['STOPPED', 1],
  ])
})

test('T28 merge hides a stop: the merged person is stopped; un-merged, each chart is judged anew', async () => {
  using w = await afterWait()
  await w.agent.register.recordStop({ patient: chart('0002'), by: 'desk' })
  await w.agent.build()
  await w.agent.register.mergeCharts({
    patient: chart('0001'),
    other: chart('0002'),
    certain: true,
    by: 'office',
  })
  await w.agent.exchange()
  expect(uploads(w)).toBe(0)
  expect((await w.agent.dryRun()).reasons).toEqual([
    expect.objectContaining({ code: 'STOPPED', patients: 2 }),
  ])
  const told = (await w.vault.hear(w.agent)).filter((m) => m.type === 'stop-reported')
  expect(told.map((m) => m.patients)).toEqual([[chart('0002')], [chart('0001')]])
  await w.agent.register.unmergeCharts({
    patient: chart('0001'),
    other: chart('0002'),
    by: 'office',
    approvedBy: 'officer',
  })
  await w.agent.exchange()
  expect(await w.vault.hear(w.agent)).toEqual([
    expect.objectContaining({
      type: 'stop-withdrawn-reported',
      stop: told[1]!.stop,
      patients: [chart('0001')],
    }),
  ])
  const after = await w.agent.dryRun()
  expect(after.open.patients).toBe(1)
  expect(after.reasons).toEqual([expect.objectContaining({ code: 'STOPPED', patients: 1 })])
})

test('T29 re-notice does not clear a stop', async () => {
  using w = await afterWait()
  await w.agent.register.recordStop({ patient: chart('0001'), by: 'desk' })
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  await pass(w, 90 * DAY)
  expect((await w.agent.dryRun()).reasons).toEqual([
    expect.objectContaining({ code: 'STOPPED', patients: 1 }),
  ])
})

test('T40 corrected record: a changed record is sent anew, a vanished one is taken back', async () => {
  using w = await afterWait()
  await w.agent.build()
  await w.agent.exchange()
  const [first] = await w.vault.batches(w.agent)
  await w.vault.receipt(w.agent, first!)
  await w.agent.exchange()
  w.clock.now += HOUR
  w.write('Observation.ndjson', [result('0001', 'o1', 9.9), result('0002', 'o3')])
  await w.agent.gather({ full: true })
  expect(await w.agent.build()).toMatchObject({ records: 1, tombstones: 1 })
  await w.agent.exchange()
  const [second] = await w.vault.batches(w.agent)
  expect(second!.content.records.map((r) => r.key.id)).toEqual(['o1'])
  expect(second!.content.tombstones).toMatchObject([{ key: { id: 'o2' }, patients: [chart('0001')] }])
  await w.vault.receipt(w.agent, second!)
  await w.agent.exchange()
  await w.agent.gather({ full: true })
  expect(await w.agent.build()).toMatchObject({ batches: 0 })
  expect(await w.agent.status()).toMatchObject({ recordsSent: 4 })
})

test('T42 operator decertified: nothing queued is sent after one conversation', async () => {
  using w = await afterWait()
  await w.agent.build()
  await w.vault.say(w.agent, {
    type: 'operator-status',
    operator: 'op-1',
    name: '認定事業者',
    address: '東京都千代田区1-1',
    tracks: ['ANON'],
    standing: 'revoked',
    asOf: w.clock.now,
  })
  await w.agent.exchange()
  expect(uploads(w)).toBe(0)
  expect((await w.agent.dryRun()).reasons[0]).toMatchObject({ code: 'OPERATOR_NOT_CERTIFIED', patients: 2 })
})
