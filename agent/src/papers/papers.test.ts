import { readStopToken, handleOf } from '@kakehashi/protocol/stop-handle'
import { NOTICE_LANGUAGES } from '@kakehashi/protocol/notice-content'
import { blocksOf, noticeText } from '@kakehashi/protocol/notice-text'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { importNotices } from '../imports/notices.ts'
import { readMapping } from '../imports/mapping.ts'
import { CONTENT, keyOf, registerOfMidori } from '../imports/world.fixture.ts'
import { patientStateOf } from '../register/read.ts'
import { applyOrderedStop } from '../uplink/ordered-stop.ts'
import { addressIn } from './address.ts'
import { handOverPaper, postRun, printPapers, voidPaper, type PrintAsked } from './flow.ts'
import { PAPER_WORDS } from './languages.ts'
import { numbersIn, patientsOf } from './numbers.ts'
import { noticeSheet } from './pages/sheet.ts'
import { paperNumber, readPaperNumber } from './rules.ts'
import { readPaper } from './store.ts'
import { publishedVersions } from './texts.ts'

type Ward = Awaited<ReturnType<typeof registerOfMidori>>

async function print(ward: Ward, numbers: readonly string[], more: Partial<PrintAsked> = {}) {
  const [published] = await publishedVersions(ward.store.db, 'ANON', () => null)
  const patients = await patientsOf(ward.context, numbers)
  return printPapers(ward.context, {
    patients,
    published: published!,
    language: 'ja',
    kind: 'notice',
    by: 's-02',
    ...more,
  })
}

async function stopByToken(ward: Ward, token: string) {
  await ward.store.bookkeep((tx) =>
    applyOrderedStop(tx, ward.context, {
      stop: ward.env.id(),
      patients: [],
      handle: handleOf(token),
      tracks: null,
      requester: 'person',
      askedAt: ward.clock.now,
      erasureAsked: false,
    } as never),
  )
}

const state = (ward: Ward, number: string) => patientStateOf(ward.store.db, keyOf(number))

test('R3 a token is bound to its person when it is printed: a stop on it holds before the sheet is handed over', async () => {
  const ward = await registerOfMidori()
  const { sheets } = await print(ward, ['1001', '1002'])
  expect(sheets.map((s) => readStopToken(s.token))).toEqual(sheets.map((s) => s.token))
  expect(new Set(sheets.map((s) => s.token)).size).toBe(2)
  await stopByToken(ward, sheets[0]!.token)
  expect((await state(ward, '00001001')).stops).toHaveLength(1)
  expect((await state(ward, '00001002')).stops).toHaveLength(0)
})

test('R3 a misprint is voided: its number is nobody’s, and it cannot be handed over', async () => {
  const ward = await registerOfMidori()
  const { sheets } = await print(ward, ['1001'])
  await voidPaper(ward.context, { paper: sheets[0]!.paper, by: 's-01' })
  await stopByToken(ward, sheets[0]!.token)
  expect((await state(ward, '00001001')).stops).toHaveLength(0)
  const again = { paper: sheets[0]!.paper, by: 's-01' }
  await expect(handOverPaper(ward, again)).rejects.toThrow('NOT_ALLOWED')
  await expect(voidPaper(ward.context, again)).rejects.toThrow('NOT_ALLOWED')
})

test('R3 what is handed over is a notice of the sheet’s own version with the sheet’s own handle, once', async () => {
  const ward = await registerOfMidori()
  const { sheets } = await print(ward, ['1003'])
  const [sheet] = sheets
  await handOverPaper(ward, { paper: sheet!.paper, by: 's-01', recipients: ['person', 'guardian'] })
  const { notices, handles } = await state(ward, '00001003')
  expect(notices.map((n) => [n.recipient, n.templateVersion, n.standing])).toEqual([
    ['person', 1, 'effective'],
    ['guardian', 1, 'effective'],
  ])
  expect(handles).toEqual([handleOf(sheet!.token)])
  await expect(handOverPaper(ward, { paper: sheet!.paper, by: 's-01' })).rejects.toThrow('NOT_ALLOWED')
})

test('T29 T20 T36 nothing is printed for who stopped, died, is unknown, was notified already, or is protected', async () => {
  const ward = await registerOfMidori()
  await ward.register.recordStop({ patient: keyOf('00001001'), by: 's-01' })
  await ward.register.recordNotice({ patient: keyOf('00001002'), by: 's-01' })
  await ward.register.setProtection({ patient: keyOf('00001003'), protected: true, by: 's-02' })
  const list = ['1001', '1002', '1003', '1004', '77', '1003']
  const { sheets, left } = await print(ward, list, { kind: 'letter' })
  expect(sheets).toEqual([])
  expect(left).toEqual([
    { number: '1001', why: 'stopped' },
    { number: '1002', why: 'notified' },
    { number: '1003', why: 'protected' },
    { number: '1004', why: 'deceased' },
    { number: '77', why: 'unknown' },
    { number: '1003', why: 'protected' },
  ])
  expect((await print(ward, list)).sheets).toHaveLength(1)
})

test('R8 letters count from their assumed arrival, with the handle of the letter', async () => {
  const ward = await registerOfMidori()
  const { run, sheets } = await print(ward, ['1001', '1002'], { kind: 'letter' })
  expect(await postRun(ward, { run, by: 's-02' })).toBe(2)
  expect(await postRun(ward, { run, by: 's-02' })).toBe(0)
  const { notices, handles } = await state(ward, '00001001')
  expect(notices).toMatchObject([{ method: 'post', deliveredAt: Date.parse('2026-12-02T00:00:00+09:00') }])
  expect(handles).toEqual([handleOf(sheets[0]!.token)])
})

test('nobody gets a second sheet while the first lies ready, unless it is asked for', async () => {
  const ward = await registerOfMidori()
  const { sheets } = await print(ward, ['1001'])
  expect(await print(ward, ['1001'])).toMatchObject({ sheets: [], left: [{ why: 'printed' }] })
  expect((await print(ward, ['1001'], { repeat: true })).sheets).toHaveLength(1)
  await voidPaper(ward.context, { paper: sheets[0]!.paper, by: 's-01' })
  expect((await print(ward, ['1001'])).left).toEqual([{ number: '1001', why: 'printed' }])
})

test('a line of the EMR that names a sheet uses it up; another person’s sheet is refused', async () => {
  const ward = await registerOfMidori()
  const { sheets } = await print(ward, ['1001', '1002'])
  const lines = [
    '患者番号,通知日時,状態,職員番号,用紙番号',
    `1001,2026-11-25 09:00,済,s-01,${sheets[0]!.paper}`,
    `1001,2026-11-25 09:01,済,s-01,${sheets[1]!.paper}`,
    `1002,2026-11-25 09:02,済,s-01,P-0000-0000`,
  ]
  const report = await importNotices(ward, {
    bytes: Buffer.from(lines.join('\n')),
    mapping: readMapping(null),
    by: 's-02',
  })
  expect(report).toMatchObject({
    recorded: 1,
    refused: [
      { line: 3, reason: 'PAPER_OF_ANOTHER' },
      { line: 4, reason: 'PAPER_UNKNOWN' },
    ],
  })
  expect((await readPaper(ward.store.db, sheets[0]!.paper))?.state).toBe('handed')
  expect((await state(ward, '00001001')).handles).toEqual([handleOf(sheets[0]!.token)])
})

test('no token is in the store, and none in the audit log', async () => {
  const ward = await registerOfMidori()
  const { sheets } = await print(ward, ['1001'])
  const rows = await ward.store.db.selectFrom('printed_paper').selectAll().execute()
  const leaves = await ward.store.db.selectFrom('audit_leaf').select('leaf').execute()
  const text = JSON.stringify(rows) + leaves.map((one) => Buffer.from(one.leaf).toString()).join('')
  expect(text).not.toContain(sheets[0]!.token)
  expect(text).not.toMatch(/山田|ヤマダ/)
})

test('R1 the sheet bears the published text to the letter, in every language its words are complete', () => {
  const text = noticeText(CONTENT)
  for (const language of NOTICE_LANGUAGES) {
    const sheet = String(
      noticeSheet({
        text,
        language,
        version: 1,
        token: 'A'.repeat(26),
        paper: 'P-K7QX-4M2D',
        portal: 'https://stop.example',
        phone: '0120-000-000',
        hospital: ['みどり病院'],
        day: '2026年11月25日',
      }),
    )
    for (const line of text.split('\n').filter((one) => one !== '')) expect(sheet).toContain(line)
    expect(sheet).toContain('AAAA AAAA AAAA AAAA AAAA AAAA AA')
    expect(sheet).toContain('stop.example')
    expect(PAPER_WORDS[language].keep).not.toBe('')
  }
})

test('the blocks of a text hold every line of it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('', '1　見出し', '本文です。', 'x'), { maxLength: 12 }), (lines) => {
      const { title, blocks } = blocksOf(lines.join('\n'))
      const again = [
        title,
        ...blocks.flatMap((b) => [...(b.heading === null ? [] : [b.heading]), ...b.lines]),
      ]
      expect(again.filter((one) => one !== '')).toEqual(lines.filter((one) => one !== ''))
    }),
  )
})

test('numbers are taken out of a list, out of a table and out of nonsense', () => {
  expect(numbersIn('1001\n１００２\r\n\n 1003 ')).toEqual(['1001', '1002', '1003'])
  expect(numbersIn('予約時刻\t診療科\t診察券番号\n9:00\t内科\t1001\n9:10\t"外\n科"\t1002')).toEqual([
    '1001',
    '1002',
  ])
  fc.assert(
    fc.property(fc.string(), (text) => {
      numbersIn(text)
    }),
  )
})

test('a sheet’s number survives scanners and hands', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (random) => {
      const number = paperNumber(random)
      expect(readPaperNumber(number)).toBe(number)
      expect(readPaperNumber(`*${number.toLowerCase().replaceAll('-', ' ')}*`)).toBe(number)
    }),
  )
  expect(readPaperNumber('P-K7QX')).toBeNull()
})

test('an address is read from what hospitals write, and is personal wherever it is printed', () => {
  const found = addressIn({
    address: [
      { use: 'old', text: '昔の住所' },
      { postalCode: '460-0008', state: '愛知県', city: '名古屋市中区', line: ['栄1-2-3'] },
    ],
    name: [{ family: '山田', given: ['花子'] }],
  })
  expect(found?.lines.map((line) => line.reveal())).toEqual(['愛知県名古屋市中区', '栄1-2-3'])
  expect(JSON.stringify(found)).not.toMatch(/栄|山田|460/)
  for (const nothing of [null, 1, {}, { address: 'x', name: [] }, { address: [{}], name: [{ text: 'x' }] }])
    expect(addressIn(nothing)).toBeNull()
})
