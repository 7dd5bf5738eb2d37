import { decidePatient, openGate } from '@kakehashi/agent/gate/flow'
import { draftNotice, officeTasks } from '@kakehashi/agent/register/office'
import { filingSheetOf } from '@kakehashi/agent/register/filing-sheet'
import { publishedNotices, publishedText } from '@kakehashi/agent/register/notice-published'
import { owedOf } from '@kakehashi/agent/register/owed'
import { facilityStateOf, gateCommonsOf, gateStateOf } from '@kakehashi/agent/register/read'
import { appendEvent } from '@kakehashi/agent/register/store'
import { entityId, filingId, operatorId } from '@kakehashi/protocol/ids'
import type { NoticeContent } from '@kakehashi/protocol/notice-content'
import { PURPOSES } from '@kakehashi/protocol/notice-content'
import { expect, test } from 'vitest'
import {
  chart,
  DAY,
  FACILITY,
  openScheme,
  OPERATOR,
  pass,
  person,
  ready,
  result,
  world,
  type World,
} from './agent-world.ts'
import { onList } from './owed-lists.ts'
import { noticeNaming } from './notice.fixture.ts'

/** LAW §1.2, §1.6 and §3.4 over the register's verbs: texts, filings, changes and who is owed a notice of them. */

const file = (w: World, version: number, acceptedOn: string, more: object = {}) =>
  w.agent.register.acceptFiling({
    by: 'office',
    filing: {
      filing: filingId(`filing-${version}`),
      track: 'ANON',
      templateVersion: version,
      acceptedOn,
      endedOn: null,
      ...more,
    },
  })

const codes = async (w: World): Promise<string[]> =>
  (await w.agent.dryRun()).reasons.map((reason) => reason.code)

test('R1 a notice with any legal item empty is not published, and the refusal names the items', async () => {
  using w = await world()
  const whole = noticeNaming(OPERATOR)
  const empty: Partial<NoticeContent>[] = [
    { handler: { ...whole.handler, representative: ' ' } },
    { purpose: '' },
    { dataItems: [] },
    { acquisitionMethod: '' },
    { provisionMethod: '　' },
    { stopStatement: '' },
    { stopChannels: [] },
    { updateMethod: '' },
    { operators: [] },
  ]
  for (const without of empty)
    await expect(
      w.agent.register.publishNotice({ content: { ...whole, ...without }, by: 'office' }),
    ).rejects.toMatchObject({
      refusal: { code: 'REQUEST_MALFORMED', place: expect.stringMatching(/^notice/) },
    })
  const wrongTrack = { ...whole, track: 'PSEUDO' as const }
  await expect(w.agent.register.publishNotice({ content: wrongTrack, by: 'office' })).rejects.toMatchObject({
    refusal: { place: 'notice items ii' },
  })
  expect(await publishedNotices(w.store.db, 'ANON')).toEqual([])
  const pseudo = { ...wrongTrack, purpose: PURPOSES.PSEUDO }
  await w.agent.register.publishNotice({ content: pseudo, by: 'office' })
  expect((await publishedNotices(w.store.db, 'PSEUDO'))[0]?.template).toMatchObject({
    version: 1,
    track: 'PSEUDO',
  })
})

test('R1 a published text never changes; languages are added once each, and a notice is recorded in one of them', async () => {
  using w = await ready()
  const { register } = w.agent
  const [published] = await publishedNotices(w.store.db, 'ANON')
  for (const part of ['医療法人みどり会', '緑 一郎', '検査の結果', '2026年2月1日', '総合受付', '認定事業者'])
    expect(published?.text).toContain(part)
  await expect(
    register.publishNotice({ content: noticeNaming(OPERATOR), by: 'office' }),
  ).rejects.toMatchObject({ refusal: { place: 'notice unchanged' } })
  const english = { track: 'ANON', version: 1, language: 'en', by: 'office' } as const
  const given = { patient: chart('0001'), by: 'desk', language: 'en' } as const
  await expect(register.recordNotice(given)).rejects.toMatchObject({ refusal: { place: 'language' } })
  await register.translateNotice({ ...english, text: 'About your medical records' })
  await expect(register.translateNotice({ ...english, text: 'Other' })).rejects.toMatchObject({
    refusal: { code: 'NOT_ALLOWED' },
  })
  expect(await publishedText(w.store.db, english)).toBe('About your medical records')
  await register.recordNotice(given)
})

test('R1 after versions of which only the fact was kept, the next one bears the next number', async () => {
  using w = await ready()
  const facts = await facilityStateOf(w.store.db, FACILITY)
  const old = { ...facts!.templates[0]!, version: 7, hash: 'f'.repeat(64) }
  await w.store.bookkeep((tx) =>
    appendEvent(tx, {
      type: 'template-published',
      event: 'old',
      recordedAt: w.clock.now,
      by: 'office',
      template: old,
    }),
  )
  const content = noticeNaming(OPERATOR, { remarks: '改訂' })
  expect((await w.agent.register.publishNotice({ content, by: 'office' })).template.version).toBe(8)
})

test('R2 the filing sheet is made from the notice: first, then with what was before beside what is', async () => {
  using w = await ready()
  const first = await filingSheetOf(w.agent.context, { track: 'ANON' })
  expect(first).toMatchObject({ kind: 'first', article: '52', version: 1, changesOn: null })
  expect(first.items.map((one) => one.item)).toEqual(['i', 'ii', 'iii', 'iv', 'v', 'vi', 'vii', 'viii'])
  expect(first.items.every((one) => one.lines.length > 0 && one.before === null)).toBe(true)
  const content = noticeNaming(OPERATOR, { provisionMethod: '専用線により提供します。' })
  await w.agent.register.publishNotice({ content, by: 'office', changesOn: '2026-06-01' })
  const second = await filingSheetOf(w.agent.context, {
    track: 'ANON',
    facilities: [{ name: 'みどり東病院', address: '東京都', phone: '03-1' }],
  })
  expect(second).toMatchObject({ kind: 'change', version: 2, changesOn: '2026-06-01' })
  expect(second.items.filter((one) => one.before !== null).map((one) => one.item)).toEqual(['v'])
  for (const part of [
    '第52条第2項',
    '専用線により',
    '（変更前）',
    '暗号化したうえで',
    'みどり東病院',
    second.templateHash,
  ])
    expect(second.text).toContain(part)
})

test('R2 entity and facility: a filing covers the facilities it names, of the legal person that filed it', async () => {
  using w = await ready()
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  const { register } = w.agent
  const midorikai = { name: '医療法人みどり会', address: '東京都新宿区1-1', representative: '緑 一郎' }
  await register.recordEntity({ entity: { ...midorikai, entity: entityId('merged-corp') }, by: 'office' })
  expect(await codes(w)).toEqual(['NOT_FILED'])
  await file(w, 2, '2026-05-01', { facilities: ['another-house'] })
  expect(await codes(w)).toEqual(['NOT_FILED'])
  await file(w, 3, '2026-05-01', { facilities: ['another-house', 'midori'] })
  expect((await w.agent.dryRun()).open.patients).toBe(3)
})

test('R9 a changed manner of provision: notified before the day, or closed from the day on', async () => {
  using w = await ready()
  const { register } = w.agent
  const content = noticeNaming(OPERATOR, { provisionMethod: '専用線により提供します。' })
  await register.publishNotice({ content, by: 'office', changesOn: '2026-05-20' })
  expect(await officeTasks(w.agent.context)).toMatchObject([
    { task: 'file', version: 2, items: ['v'], by: '2026-05-19', overdue: false },
    { task: 'notify', version: 2, by: '2026-05-19' },
  ])
  const owed = await onList(w.agent.context)
  expect(owed.map((line) => line.owed[0])).toEqual(
    Array.from({ length: 3 }, () => ({
      why: 'change',
      recipient: 'person',
      version: 2,
      items: ['v'],
      by: '2026-05-19',
      overdue: false,
    })),
  )
  await file(w, 2, '2026-05-07')
  await register.recordNotice({ patient: chart('0001'), by: 'desk' })
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  await pass(w, 15 * DAY)
  expect(await w.agent.dryRun()).toMatchObject({
    open: { patients: 1 },
    reasons: [{ code: 'NOTICE_OUTDATED', patients: 2 }],
    reconciles: true,
  })
  expect(await onList(w.agent.context)).toMatchObject([
    { patient: chart('0002'), owed: [{ why: 'change', overdue: true }] },
    { patient: chart('0003') },
  ])
})

test('R9 another purpose is no change: refused, unless everybody is notified anew', async () => {
  using w = await ready()
  const content = noticeNaming(OPERATOR, { purpose: `${PURPOSES.ANON}統計の作成にも使います。` })
  await expect(w.agent.register.publishNotice({ content, by: 'office' })).rejects.toMatchObject({
    refusal: { code: 'NOT_ALLOWED', place: 'notice purpose' },
  })
  await w.agent.register.publishNotice({ content, by: 'office', asNewNotice: true })
  await file(w, 2, '2026-05-01')
  expect(await codes(w)).toEqual(['NOTICE_OUTDATED'])
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  expect((await codes(w)).toSorted()).toEqual(['NOTICE_OUTDATED', 'WAITING'])
})

test('T11 representative changed: a task opens, the next version is drafted, and after the limit it is overdue', async () => {
  using w = await ready()
  const { register, context } = w.agent
  expect(await officeTasks(context)).toEqual([])
  const entity = {
    entity: entityId('midorikai'),
    name: '医療法人みどり会',
    address: '東京都新宿区1-1',
    representative: '緑 二郎',
  }
  await register.recordEntity({ entity, by: 'office' })
  expect(await officeTasks(context)).toMatchObject([
    { task: 'publish', version: 1, items: ['i'], since: '2026-05-06', by: '2026-06-05', overdue: false },
  ])
  const draft = await draftNotice(context, 'ANON')
  expect(draft?.handler.representative).toBe('緑 二郎')
  const { template, changed } = await register.publishNotice({ content: draft!, by: 'office' })
  expect([template.version, changed]).toEqual([2, ['i']])
  expect((await officeTasks(context)).map((task) => task.task)).toEqual(['file', 'notify'])
  await file(w, 2, '2026-05-06')
  // the configured policy lets the old version go on, and the decision names the rules it was made under
  await pass(w, 40 * DAY)
  expect((await w.agent.dryRun()).open.patients).toBe(3)
  expect(await officeTasks(context)).toMatchObject([{ task: 'notify', overdue: true }])
  expect((await onList(context, 'owed-change'))[0]?.owed).toMatchObject([
    { items: ['i'], by: '2026-06-05', overdue: true },
  ])
  await register.recordNotice({ patient: chart('0001'), by: 'desk' })
  expect((await onList(context)).map((line) => line.patient)).toEqual([chart('0002'), chart('0003')])
})

test('T10 new item: after a notice that lists it the image waits thirty days while the old items flow', async () => {
  using w = await ready()
  w.write('ImagingStudy.ndjson', [
    { resourceType: 'ImagingStudy', id: 'ct1', status: 'available', subject: { reference: 'Patient/0001' } },
  ])
  await w.agent.gather()
  const items = [
    'identity',
    'encounter',
    'diagnosis',
    'laboratory',
    'medication',
    'observation',
    'image',
  ] as const
  const content = noticeNaming(OPERATOR, {
    dataItems: items.map((item) => ({ item, words: item })),
  })
  await w.agent.register.publishNotice({ content, by: 'office' })
  await file(w, 2, '2026-05-06')
  expect(await onList(w.agent.context, 'owed-change')).toHaveLength(3)
  await w.agent.register.recordNotice({ patient: chart('0001'), by: 'desk' })
  expect(await w.agent.dryRun()).toMatchObject({
    open: { patients: 3, records: 6 },
    reasons: [{ code: 'WAITING', patients: 0, records: 1 }],
  })
  await pass(w, 32 * DAY)
  expect(await w.agent.dryRun()).toMatchObject({ open: { patients: 3, records: 7 }, reasons: [] })
})

test('T13 second operator: who was notified of X is owed a notice that names Y, and the list says so', async () => {
  using w = await ready()
  const other = operatorId('op-2')
  w.agent.context.hub = { ...w.agent.context.hub, operator: other }
  expect((await onList(w.agent.context)).map((line) => line.owed[0]?.why)).toEqual([
    'operator',
    'operator',
    'operator',
  ])
})

test('R10 end of scheme: nothing is sent, filings are to be ended, and whoever was notified is owed word of it', async () => {
  using w = await ready()
  const { register, context } = w.agent
  await register.setFacility({
    by: 'office',
    waitDays: 30,
    deathPolicy: 'hold',
    closedDays: [],
    endedOn: '2026-05-06',
  })
  expect(await codes(w)).toEqual(['FACILITY_ENDED'])
  expect(await officeTasks(context)).toMatchObject([{ task: 'file-end', by: '2026-06-05', overdue: false }])
  expect(await onList(context, 'owed-ended')).toHaveLength(3)
  expect((await filingSheetOf(context, { track: 'ANON' })).text).toContain('提供を終了する日　2026年5月6日')
})

test('R8 a letter: assumed arrival, tracked arrival later at once and earlier by two, returned for good', async () => {
  using w = await world()
  w.write('Patient.ndjson', [person('0001'), person('0002')])
  w.write('Observation.ndjson', [result('0001', 'o1'), result('0002', 'o2')])
  await openScheme(w)
  await w.agent.exchange()
  await w.agent.gather()
  const { register } = w.agent
  const post = (n: string) =>
    register.recordNotice({ patient: chart(n), by: 'desk', method: 'post', evidence: 'lot 1' })
  const [first, second] = [await post('0001'), await post('0002')]
  expect(new Date(first.deliveredAt + 9 * 3600_000).toISOString().slice(0, 16)).toBe('2026-04-08T00:00')
  await pass(w, 5 * DAY)
  const track = (notice: string, day: number, approvedBy?: string) =>
    register.recordArrival({
      notice: notice as never,
      arrivedAt: Date.UTC(2026, 3, day, 1),
      evidence: 'tracking 1',
      by: 'desk',
      ...(approvedBy === undefined ? {} : { approvedBy }),
    })
  expect(await track(first.notices[0]!, 4)).toMatchObject({ counts: false })
  expect(await track(first.notices[0]!, 4, 'desk')).toMatchObject({ counts: false })
  expect(await track(first.notices[0]!, 4, 'officer')).toMatchObject({ counts: true })
  await expect(track(first.notices[0]!, 30)).rejects.toMatchObject({ refusal: { place: 'arrivedAt' } })
  await pass(w, 8 * DAY)
  expect(await track(second.notices[0]!, 13)).toMatchObject({ counts: true, incident: false })
  const earliest = async () => {
    const days: (string | null)[] = []
    await w.agent.dryRun({ each: (line) => days.push(line.earliest) })
    return days
  }
  expect(await earliest()).toEqual(['2026-05-08', '2026-05-14'])
  await register.returnNotice({ notice: second.notices[0]!, by: 'desk' })
  expect(await earliest()).toEqual(['2026-05-08', null])
})

test('R11 pseudonymized track: its own notice, filing, period, stop and record; the other track’s open nothing', async () => {
  using w = await ready()
  const { register, context } = w.agent
  const says = (track: 'ANON' | 'PSEUDO') => async () => {
    const question = await openGate(w.store.db, context, OPERATOR, track)
    const { code, items } = await decidePatient(w.store.db, context, chart('0001'), question)
    return items.get('laboratory')?.allow ? 'ALLOW' : code
  }
  const [anon, pseudo] = [says('ANON'), says('PSEUDO')]
  await w.vault.say(w.agent, {
    type: 'operator-status',
    operator: OPERATOR,
    name: '認定事業者',
    address: '東京都千代田区1-1',
    tracks: ['ANON', 'PSEUDO'],
    standing: 'certified',
    asOf: w.clock.now,
  })
  await w.agent.exchange()
  expect([await anon(), await pseudo()]).toEqual(['ALLOW', 'NOT_FILED'])
  const content = noticeNaming(OPERATOR, { track: 'PSEUDO', purpose: PURPOSES.PSEUDO })
  await register.publishNotice({ content, by: 'office' })
  const filing = {
    filing: filingId('filing-p'),
    track: 'PSEUDO',
    templateVersion: 1,
    acceptedOn: '2026-05-01',
    endedOn: null,
  } as const
  await register.acceptFiling({ filing, by: 'office' })
  expect((await filingSheetOf(context, { track: 'PSEUDO' })).text).toContain('第57条第1項')
  expect([await anon(), await pseudo()]).toEqual(['ALLOW', 'TRACK_NOT_NOTIFIED'])
  const { db } = w.store
  const commons = await gateCommonsOf(db, context.facility, context.hub.operator)
  const gate = await gateStateOf(db, chart('0001'), commons)
  const rules = context.rulesAt(w.clock.now)
  expect(owedOf(gate!, 'PSEUDO', rules, w.clock.now)).toMatchObject([{ why: 'track', recipient: 'person' }])
  await register.recordNotice({ patient: chart('0001'), by: 'desk', track: 'PSEUDO' })
  expect([await anon(), await pseudo()]).toEqual(['ALLOW', 'WAITING'])
  await register.recordStop({ patient: chart('0001'), by: 'desk', tracks: ['PSEUDO'] })
  expect([await anon(), await pseudo()]).toEqual(['ALLOW', 'STOPPED'])
  await register.recordStop({ patient: chart('0001'), by: 'desk' })
  expect([await anon(), await pseudo()]).toEqual(['STOPPED', 'STOPPED'])
})
