import { sha256Hex } from '@kakehashi/protocol/signing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Clerk } from '../counter/world.fixture.ts'
import { openZip } from '../evidence/unzip.ts'
import { verifyEvidence } from '../evidence/verify.ts'
import type { DryRun } from '../gate/dry-run.ts'
import { certify, keyOf, type SomeChart } from '../imports/world.fixture.ts'
import { importNotices } from '../imports/notices.ts'
import { patientStateOf } from '../register/read.ts'
import { readMapping } from '../imports/mapping.ts'
import { provisionsInWords } from '../commands/evidence.ts'
import { csvCell, verifyProvisions } from './provision-export.ts'
import { takeSurvey } from './survey.ts'
import { officeOfMidori, PIN } from './world.fixture.ts'

type Office = Awaited<ReturnType<typeof officeOfMidori>>

async function officer(office: Office, staff = 's-02'): Promise<Clerk> {
  const clerk = new Clerk(office.app)
  await clerk.signIn(staff, PIN)
  return clerk
}

const DAY = 86_400_000

/** Somebody on every list that a survey can show. */
async function everyStanding(): Promise<Office> {
  const charts: SomeChart[] = [
    ...['2001', '2002', '2003', '2004', '2005', '2006'].map((number) => ({
      number,
      birthDate: '1960-01-01',
    })),
    { number: '2010', birthDate: '2010-12-20' },
    { number: '2011', birthDate: '2011-01-05' },
    { number: '2012', birthDate: '2019-01-05' },
    { number: '2013', birthDate: null },
    { number: '2014', birthDate: '1950-01-01', deceasedOn: '2026-10-01' },
  ]
  const office = await officeOfMidori({ charts })
  const { register, clock, context } = office
  const give = (number: string, recipients: ('person' | 'guardian')[] = ['person']) =>
    register.recordNotice({ patient: keyOf(number), by: 's-01', recipients })
  await give('2001')
  await give('2003')
  await give('2010', ['person', 'guardian'])
  await give('2012')
  await register.judgeCapacity({ patient: keyOf('2006'), capacity: 'unable', by: 's-02' })
  clock.now += 40 * DAY
  await certify(context)
  await give('2002')
  await register.recordStop({ patient: keyOf('2003'), by: 's-01' })
  await give('2004')
  await register.setHold({ patient: keyOf('2004'), reason: 'identity', by: 's-02' })
  return office
}

test('R23 a survey puts everybody under one reason, the sums add up, and agrees with the gate', async () => {
  const office = await everyStanding()
  const { people, codes, lists } = await takeSurvey(office.context)
  expect([...codes.values()].reduce((n, one) => n + one, 0)).toBe(people)
  const on = (list: Parameters<typeof lists.get>[0]) =>
    (lists.get(list) ?? []).map((one) => one.split('/')[1])
  expect(on('open')).toEqual(['2001'])
  expect(on('waiting')).toEqual(['2002'])
  expect(on('stopped')).toEqual(['2003'])
  expect(on('held')).toEqual(['2004', '2010'])
  expect(on('unknown')).toEqual(['2013'])
  expect(on('ask-capacity')).toEqual(['2006'])
})

test('R4 R6 R9 the lists say who is owed a notice and why; who turned 16 is among them', async () => {
  const office = await everyStanding()
  const { lists } = await takeSurvey(office.context)
  const on = (list: Parameters<typeof lists.get>[0]) =>
    (lists.get(list) ?? []).map((one) => one.split('/')[1])
  expect(on('owed-turned-16')).toEqual(['2010'])
  expect(on('owed-other-missing')).toEqual(['2012'])
  expect(on('owed-first')).toEqual(expect.arrayContaining(['2005', '2011']))
  for (const nobody of ['2003', '2013', '2014'])
    for (const list of lists.keys()) if (list.startsWith('owed-')) expect(on(list)).not.toContain(nobody)
  const clerk = await officer(office)
  const { text } = await clerk.get('/office/list/owed-turned-16')
  expect(text).toContain('2010')
  expect(text).toContain('16歳になったため')
})

test('what stops everybody is said once and does not hide why each of them waits', async () => {
  const office = await everyStanding()
  office.clock.now += 20 * DAY
  const clerk = await officer(office)
  const { text } = await clerk.get('/office')
  expect(text).toContain('認定状況の一覧が古いため')
  expect((await takeSurvey(office.context)).lists.get('stopped')).toHaveLength(1)
})

test('a row says how the person stands now, not how they stood when they were counted', async () => {
  const office = await everyStanding()
  const clerk = await officer(office)
  await clerk.get('/office')
  await office.register.recordStop({ patient: keyOf('2002'), by: 's-01' })
  const page = await clerk.get('/office/list/waiting')
  expect(page.text).toMatch(/いまはこの一覧にいません|いまはいません/)
})

test('R27 records of provision: a page, a CSV and a signed file that shows every change', async () => {
  const office = await everyStanding()
  await provided(office)
  const clerk = await officer(office)
  const page = await clerk.get('/office/provisions?from=2027-01-01&to=2027-01-31')
  expect(page.text).toContain('一般財団法人 架け橋')
  expect(page.text).toContain('東京都千代田区1-1')
  expect((await clerk.get('/office/provisions/b-1')).text).toContain('2001')
  const dates = { from: '2027-01-01', to: '2027-01-31' }
  const csv = await clerk.post('/office/provisions/export', { ...dates, form: 'csv' })
  expect(csv.headers.get('content-disposition')).toContain('attachment')
  expect(csv.text.split('\r\n')[1]).toBe(
    '2027-01-04,一般財団法人 架け橋,東京都千代田区1-1,匿名加工,b-1,2001,検査・病名',
  )
  await clerk.get('/office/provisions')
  const signed = await clerk.post('/office/provisions/export', { ...dates, form: 'json' })
  const key = office.context.keys.signing.public
  expect(verifyProvisions(signed.text, key)).toMatchObject({ lines: 1, from: '2027-01-01' })
  expect(verifyProvisions(signed.text.replace('2001', '2009'), key)).toBeNull()
  expect(verifyProvisions(signed.text.split('\n').slice(1).join('\n'), key)).toBeNull()
  expect(verifyProvisions('', key)).toBeNull()
  expect(provisionsInWords(verifyProvisions(signed.text, key)).join()).toContain('提供 1件')
  expect(provisionsInWords(null).join()).toContain('認定事業者に知らせて')
  const wrong = await clerk.get('/office/provisions?from=きのう')
  expect(wrong.status).toBe(422)
})

async function provided({ store, context, clock }: Office): Promise<void> {
  const { operator, operatorName, operatorAddress } = context.hub
  await store.bookkeep(async (tx) => {
    await tx
      .insertInto('provision')
      .values({
        batch: 'b-1',
        provided_at: clock.now,
        provided_on: '2027-01-04',
        operator,
        operator_name: operatorName,
        operator_address: operatorAddress,
        track: 'ANON',
        records: 2,
      })
      .execute()
    const items = JSON.stringify(['laboratory', 'diagnosis'])
    await tx
      .insertInto('provision_patient')
      .values({ batch: 'b-1', patient: keyOf('2001'), items })
      .execute()
  })
}

test('ASVS 1.2.10 a cell never begins like a formula', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const cell = csvCell(text)
      const shown = cell.startsWith('"') ? cell.slice(1) : cell
      expect(shown).not.toMatch(/^[=+\-@\t\r]/)
    }),
  )
})

test('R52 the evidence of a person comes as one file that verifies; an unknown number is said to be unknown', async () => {
  const office = await everyStanding()
  const clerk = await officer(office)
  await clerk.get('/office/evidence')
  const wrong = await clerk.post('/office/evidence', { scope: 'person', number: '9999' })
  expect(wrong.status).toBe(422)
  const response = await office.app.request('/office/evidence', {
    method: 'POST',
    body: new URLSearchParams({ csrf: clerk.csrf, scope: 'person', number: '2003' }),
    headers: { cookie: clerk.cookie, origin: 'http://localhost' },
  })
  expect(response.headers.get('content-type')).toBe('application/zip')
  expect(response.headers.get('content-disposition')).not.toContain('2003')
  const zip = Buffer.from(await response.arrayBuffer())
  const report = verifyEvidence(openZip(zip), office.context.keys.signing.public)
  expect(report.problems).toEqual([])
  expect(report.manifest?.madeBy).toBe('s-02')
})

test('R23 a dry run is started once, shown with its reasons and reconciled sums, and kept', async () => {
  let runs = 0
  const result: DryRun = {
    at: 1,
    ruleVersion: '2024-04-01.1',
    source: { patients: 3, records: 9 },
    open: { patients: 1, records: 4 },
    reasons: [
      { code: 'WAITING', sentence: '通知からの待機期間が終わっていません。', patients: 2, records: 5 },
    ],
    reconciles: true,
    faults: [],
  }
  const office = await officeOfMidori({
    more: {
      dryRun: async () => {
        runs += 1
        return result
      },
    },
  })
  const clerk = await officer(office, 's-03')
  await clerk.get('/office/dry-run')
  await clerk.post('/office/dry-run', {})
  await new Promise((done) => setImmediate(done))
  const { text } = await clerk.get('/office/dry-run')
  expect(runs).toBe(1)
  expect(text).toContain('合計は電子カルテ側の件数と一致します。')
  expect(text).toContain('通知からの待機期間が終わっていません。')
  const again = await officer(office)
  expect((await again.get('/office/dry-run')).text).toContain('2024-04-01.1')
})

test('IT sees counts, reasons and imports, and no person', async () => {
  const office = await everyStanding()
  const clerk = await officer(office, 's-03')
  const home = await clerk.get('/office')
  expect(home.text).toContain('待機期間中')
  expect(home.text).not.toContain('/office/list/')
  for (const path of [
    '/office/list/waiting',
    '/office/provisions',
    '/office/provisions/b-1',
    '/office/evidence',
  ])
    expect((await clerk.get(path)).status).toBe(403)
  const desk = await officer(office, 's-01')
  for (const path of ['/office', '/office/dry-run', '/office/imports'])
    expect((await desk.get(path)).status).toBe(403)
})

test('R9 letters are printed from the list of who is owed them; protected people are left out (T36)', async () => {
  const office = await everyStanding()
  await office.register.setProtection({ patient: keyOf('2005'), protected: true, by: 's-02' })
  const clerk = await officer(office)
  const list = await clerk.get('/office/list/owed-first')
  expect(list.text).toContain('郵送を控える方')
  const patients = /name="patients"\s+value="([^"]+)"/.exec(list.text)?.[1] ?? ''
  expect(patients).toContain('2005')
  const run = await clerk.post('/papers/print', { kind: 'letter', patients })
  expect(run.text).toContain('支援措置')
})

test('ASVS 1.2.1 names are shown as they are written and nothing else', async () => {
  const kanji = '<img src=x onerror=alert(1)>"\'&'
  const office = await officeOfMidori({
    charts: [{ number: '1001', birthDate: '1960-01-01', kanji, kana: kanji }],
  })
  const clerk = await officer(office)
  const { text } = await clerk.get('/office/list/owed-first')
  expect(text).toContain('&lt;img src=x')
  expect(text).not.toContain('<img')
})

test('an import is undone from the page, by the privacy officer only', async () => {
  const office = await officeOfMidori()
  const bytes = Buffer.from('患者番号,印刷日時,印刷番号\n1001,2026-11-25 09:00,J-1\n')
  const { run } = await importNotices(office, { bytes, mapping: readMapping(null), by: 's-02' })
  const it = await officer(office, 's-03')
  expect((await it.get('/office/imports')).text).toContain('kiosk')
  expect((await it.post(`/office/imports/${run}/undo`, {})).status).toBe(403)
  const clerk = await officer(office)
  await clerk.get('/office/imports')
  const done = await clerk.post(`/office/imports/${run}/undo`, {})
  expect(done.text).toContain('取り消した通知は1件です')
})

test('reading the office’s pages writes nothing', async () => {
  const office = await everyStanding()
  await provided(office)
  const clerk = await officer(office)
  await clerk.get('/office')
  const digest = async () => {
    const tables = ['register_event', 'audit_leaf', 'office_report', 'import_run', 'printed_paper'] as const
    const rows = []
    for (const table of tables) rows.push(await office.store.db.selectFrom(table).selectAll().execute())
    return sha256Hex(JSON.stringify(rows))
  }
  const before = await digest()
  for (const path of [
    '/office',
    '/office/list/waiting',
    '/office/list/stopped?page=99',
    '/office/provisions',
    '/office/provisions/b-1?page=2',
    '/office/dry-run',
    '/office/imports',
    '/office/evidence',
    '/papers',
    '/papers/poster',
    '/papers/filing',
  ])
    expect((await clerk.get(path)).status).toBe(200)
  expect(await digest()).toBe(before)
})

test('T15 R46 earlier dates wait on the officer’s page for a second person, with the evidence; refused, they stay as recorded', async () => {
  const office = await everyStanding()
  const { register, clock, context } = office
  const back = (number: string, by: string) =>
    register.recordNotice({ patient: keyOf(number), by, deliveredAt: clock.now - 20 * DAY })
  const [first, own] = [await back('2005', 's-01'), await back('2006', 's-02')]
  const again = await back('2011', 's-01')
  const clerk = await officer(office)
  expect((await clerk.get('/office')).text).toContain('過去の日付の承認を待つ通知が 3件')
  expect((await (await officer(office, 's-03')).get('/office/backdates')).status).toBe(403)
  const page = await clerk.get('/office/backdates')
  expect(page.text.match(/入れた本人は承認できません/g)).toHaveLength(1)
  const answer = (notice: string | undefined, form: Record<string, string>) =>
    clerk.post(`/office/backdates/${notice}`, form)
  expect((await answer(first.notices[0], { answer: 'approve', evidence: ' ' })).status).toBe(422)
  const stolen = await answer(own.notices[0], { answer: 'approve', evidence: '控え 9' })
  expect(stolen.text).toContain('別の個人情報担当')
  expect((await answer(first.notices[0], { answer: 'approve', evidence: '控え 12' })).text).toContain(
    '承認しました',
  )
  expect((await answer(again.notices[0], { answer: 'refuse' })).text).toContain('認めませんでした')
  expect((await answer(again.notices[0], { answer: 'approve', evidence: '控え 1' })).status).toBe(404)
  const asked = { notice: (await back('2012', 's-01')).notices[0]!, by: 's-02' }
  const both = await Promise.allSettled([
    register.refuseBackdate(asked),
    register.approveBackdate({ ...asked, by: 's-04', evidence: '控え 3' }),
  ])
  expect(both.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected'])
  const dated = async (number: string) =>
    (await patientStateOf(context.store.db, keyOf(number))).notices.map((one) => one.deliveredAt)
  expect(await dated('2005')).toEqual([clock.now - 20 * DAY])
  expect(await dated('2011')).toEqual([clock.now])
  expect((await clerk.get('/office')).text).toContain('過去の日付の承認を待つ通知が 1件')
})
