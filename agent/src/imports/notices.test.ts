import fc from 'fast-check'
import { expect, test } from 'vitest'
import { patientStateOf } from '../register/read.ts'
import { importNotices, type ImportReport } from './notices.ts'
import { readMapping } from './mapping.ts'
import { undoImport } from './undo.ts'
import { keyOf, MORNING, registerOfMidori } from './world.fixture.ts'

const HEADER = '患者番号,印刷日時,印刷番号,渡した相手,状態,職員番号,受診番号'
const mapping = readMapping(null)

type Ward = Awaited<ReturnType<typeof registerOfMidori>>

function bring(
  ward: Ward,
  lines: readonly string[],
  more: Partial<Parameters<typeof importNotices>[1]> = {},
) {
  const bytes = Buffer.from([HEADER, ...lines, ''].join('\r\n'))
  return importNotices(ward, { bytes, mapping, by: 's-07', ...more })
}

const noticesOf = async (ward: Ward, number: string) =>
  (await patientStateOf(ward.store.db, keyOf(number))).notices

async function events(ward: Ward): Promise<number> {
  const row = await ward.store.db
    .selectFrom('register_event')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return row.n
}

const sums = (report: ImportReport) =>
  report.recorded + report.confirmed + report.known + report.cancelled + report.refused.length

test('R3 a kiosk file: each line is recorded, known or refused by number and reason, and the sums add up', async () => {
  const ward = await registerOfMidori()
  const report = await bring(ward, [
    '1001,2026-11-25 08:10,J-1,,印刷,,V-1',
    '00001003,2026/11/25 8:20,J-2,本人と保護者,済,s-01,V-2',
    '9999,2026-11-25 08:30,J-3,,印刷,,',
    '1002,2026-11-31 08:30,J-4,,印刷,,',
    '1002,2026-11-25 08:30,J-5,近所の人,印刷,,',
    '1002,2026-11-25 10:30,J-6,,印刷,,',
    '1004,2026-11-25 08:30,J-7,,印刷,,',
    '1002,2026-09-25 08:30,J-8,,印刷,,',
    '1002,"2026-11-25 08:30,J-9,,印刷,,',
    '1002,2026-11-25 08:30,J-10',
    ',2026-11-25 08:30,J-11,,印刷,,',
    '1002,2026-11-25 08:30,J-12,,なぞ,,',
  ])
  expect(report.refused).toEqual([
    { line: 4, reason: 'PATIENT_UNKNOWN' },
    { line: 5, reason: 'DATE_UNREADABLE' },
    { line: 6, reason: 'RECIPIENT_UNKNOWN' },
    { line: 7, reason: 'DATE_FUTURE' },
    { line: 8, reason: 'DIED_BEFORE' },
    { line: 9, reason: 'BEFORE_PUBLICATION' },
    { line: 10, reason: 'QUOTE_BROKEN' },
    { line: 11, reason: 'CELLS_DIFFER' },
    { line: 12, reason: 'PATIENT_EMPTY' },
    { line: 13, reason: 'STATE_UNKNOWN' },
  ])
  expect(report).toMatchObject({ lines: 12, recorded: 2, pending: 1, known: 0 })
  expect(sums(report)).toBe(report.lines)
  expect(await noticesOf(ward, '00001003')).toMatchObject([
    { recipient: 'person', method: 'handed', standing: 'effective' },
    { recipient: 'guardian', method: 'handed', standing: 'effective' },
  ])
})

test('T8 a kiosk print does not count until staff confirm it; a cancelled visit voids it', async () => {
  const ward = await registerOfMidori()
  await bring(ward, ['1001,2026-11-25 08:10,J-1,,印刷,,V-1', '1002,2026-11-25 08:11,J-2,,印刷,,V-2'])
  expect((await noticesOf(ward, '00001001'))[0]?.standing).toBe('pending')
  const later = await bring(ward, [
    '1001,2026-11-25 08:10,J-1,,取消,,V-1',
    '1002,2026-11-25 08:11,J-2,,済,s-02,V-2',
  ])
  expect(later).toMatchObject({ cancelled: 1, confirmed: 1, recorded: 0 })
  expect((await noticesOf(ward, '00001001'))[0]?.standing).toBe('void')
  expect((await noticesOf(ward, '00001002'))[0]?.standing).toBe('effective')
  expect(await bring(ward, ['1001,2026-11-25 08:12,J-3,,印刷,,V-1'])).toMatchObject({
    recorded: 0,
    refused: [{ line: 2, reason: 'VISIT_CANCELLED' }],
  })
})

test('T8 a notice that staff confirmed stays when the visit is cancelled afterwards', async () => {
  const ward = await registerOfMidori()
  await bring(ward, ['1001,2026-11-25 08:10,J-1,,印刷,,V-1'])
  const [printed] = await noticesOf(ward, '00001001')
  await ward.register.confirmNotice({ notice: printed!.notice, by: 's-02' })
  await bring(ward, ['1001,2026-11-25 08:10,J-1,,取消,,V-1'])
  expect((await noticesOf(ward, '00001001'))[0]?.standing).toBe('effective')
})

test('the same file again, and a longer one that contains it, change nothing that was there', async () => {
  const ward = await registerOfMidori()
  const first = ['1001,2026-11-25 08:10,J-1,,印刷,,', '1002,2026-11-25 08:11,,,印刷,,']
  await bring(ward, first)
  const [before, leaves] = [await events(ward), await leavesOf(ward)]
  const again = await bring(ward, first)
  expect(again).toMatchObject({ run: null, recorded: 0, known: 2, refused: [] })
  expect([await events(ward), await leavesOf(ward)]).toEqual([before, leaves])
  const more = await bring(ward, [...first, '1003,2026-11-25 08:12,J-3,両方,済,s-01,'])
  expect(more).toMatchObject({ recorded: 1, known: 2 })
})

async function leavesOf(ward: Ward): Promise<number> {
  const row = await ward.store.db
    .selectFrom('audit_leaf')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return row.n
}

test('a dry run tells the same sums and writes nothing', async () => {
  const ward = await registerOfMidori()
  const lines = [
    '1001,2026-11-25 08:10,J-1,,印刷,,V-1',
    '1002,2026-11-24 08:10,J-2,,印刷,,',
    '9999,2026-11-25 08:30,J-3,,印刷,,',
  ]
  const [before, leaves] = [await events(ward), await leavesOf(ward)]
  const { run: _none, ...dry } = await bring(ward, lines, { dryRun: true })
  expect([await events(ward), await leavesOf(ward)]).toEqual([before, leaves])
  const { run: _run, ...real } = await bring(ward, lines)
  expect(dry).toEqual(real)
})

test('T15 days before today count from now, unless a second person approved the file', async () => {
  const ward = await registerOfMidori()
  const line = '1001,2026-11-05 08:10,J-1,,済,s-01,'
  expect(await bring(ward, [line])).toMatchObject({ recorded: 1, datedNow: 1 })
  expect((await noticesOf(ward, '00001001'))[0]?.deliveredAt).toBe(MORNING)
  const other = '1002,2026-11-05 08:10,J-2,,済,s-01,'
  await expect(bring(ward, [other], { approvedBy: 's-07' })).rejects.toThrow('NOT_ALLOWED')
  expect(await bring(ward, [other], { approvedBy: 's-08' })).toMatchObject({ recorded: 1, datedNow: 0 })
  const [approved] = await noticesOf(ward, '00001002')
  expect(approved).toMatchObject({ deliveredAt: Date.parse('2026-11-05T08:10:00+09:00') })
})

test('an import is undone as new events; its lines stay undone unless asked for again', async () => {
  const ward = await registerOfMidori()
  const lines = ['1001,2026-11-25 08:10,J-1,,印刷,,', '1003,2026-11-25 08:12,J-3,両方,済,s-01,']
  const { run } = await bring(ward, lines)
  const before = await events(ward)
  expect(await undoImport(ward, { run: run!, by: 's-09' })).toEqual({ voided: 3 })
  expect(await events(ward)).toBe(before + 3)
  expect((await noticesOf(ward, '00001003')).map((n) => n.standing)).toEqual(['void', 'void'])
  expect(await undoImport(ward, { run: run!, by: 's-09' })).toEqual({ voided: 0 })
  expect((await bring(ward, lines)).refused.map((r) => r.reason)).toEqual(['UNDONE_BEFORE', 'UNDONE_BEFORE'])
  expect(await bring(ward, lines, { again: true })).toMatchObject({ recorded: 2 })
  expect((await noticesOf(ward, '00001003')).map((n) => n.standing)).toEqual([
    'void',
    'void',
    'effective',
    'effective',
  ])
  await expect(undoImport(ward, { run: 'none', by: 's-09' })).rejects.toThrow('NOT_FOUND')
})

test('a run that was cut short between register and entry goes on without a second notice', async () => {
  const ward = await registerOfMidori()
  const lines = ['1001,2026-11-25 08:10,J-1,,印刷,,', '1002,2026-11-25 08:11,J-2,,印刷,,']
  const { recordNotice } = ward.register
  let calls = 0
  const dying = {
    ...ward.register,
    recordNotice: async (asked: Parameters<typeof recordNotice>[0]) => {
      const done = await recordNotice(asked)
      if ((calls += 1) === 1) throw new Error('killed')
      return done
    },
  }
  await expect(bring({ ...ward, register: dying }, lines)).rejects.toThrow('killed')
  expect(await bring(ward, lines)).toMatchObject({ recorded: 2 })
  expect(await noticesOf(ward, '00001001')).toHaveLength(1)
  expect(await noticesOf(ward, '00001002')).toHaveLength(1)
})

test('T8 a run that was cut short between register and entry is undone whole, and so is its visit when it is cancelled', async () => {
  const line = '1001,2026-11-25 08:10,J-1,,済,s-01,V-1'
  const cutShort = async () => {
    const ward = await registerOfMidori()
    const recordNotice: Ward['register']['recordNotice'] = async (asked) => {
      await ward.register.recordNotice(asked)
      throw new Error('killed')
    }
    await expect(bring({ ...ward, register: { ...ward.register, recordNotice } }, [line])).rejects.toThrow(
      'killed',
    )
    expect(await noticesOf(ward, '00001001')).toMatchObject([{ standing: 'effective' }])
    return ward
  }
  const undone = await cutShort()
  const row = await undone.store.db.selectFrom('import_run').select('run').executeTakeFirstOrThrow()
  expect(await undoImport(undone, { run: row.run, by: 's-09' })).toEqual({ voided: 1 })
  expect(await noticesOf(undone, '00001001')).toMatchObject([{ standing: 'void' }])
  const cancelled = await cutShort()
  await bring(cancelled, ['1001,2026-11-25 08:10,J-1,,取消,s-01,V-1'])
  expect(await noticesOf(cancelled, '00001001')).toMatchObject([{ standing: 'void' }])
})

test('Shift_JIS, English headers, tabs and a mapping of the hospital’s own words are read alike', async () => {
  const ward = await registerOfMidori()
  // 患者番号,印刷日時,渡した相手 / 1001,… ,本人 as Windows in Japan writes them
  const cp932 = Buffer.from(
    '8ab38ed294d48d862c88f38dfc93fa8e9e2c936e82b582bd918a8ee80d0a313030312c323032362d31312d32352030383a31302c967b906c0d0a',
    'hex',
  )
  expect(await importNotices(ward, { bytes: cp932, mapping, by: 's' })).toMatchObject({
    recorded: 1,
    refused: [],
  })
  const english = Buffer.from('Patient_ID\tDate\tTime\tstatus\n1002\tR8.11.25\t9時5分\tdone\n')
  expect(await importNotices(ward, { bytes: english, mapping, by: 's' })).toMatchObject({ recorded: 1 })
  const own = readMapping(
    JSON.stringify({
      source: 'kiosk-2',
      csv: { columns: { patient: 'カルテＮｏ', at: '発券' }, state: { handed: ['○'] } },
    }),
  )
  const bytes = Buffer.from('\uFEFFカルテNo,発券,状態\n"1003","2026-11-25 09:00","○"\n')
  expect(await importNotices(ward, { bytes, mapping: own, by: 's' })).toMatchObject({
    recorded: 1,
    pending: 0,
  })
})

test('a file that cannot be a file of notices is refused whole, in Japanese, before anything is written', async () => {
  const ward = await registerOfMidori()
  const before = await leavesOf(ward)
  for (const bytes of [
    Buffer.from(''),
    Buffer.from('名前,住所\n'),
    Buffer.from('患者番号\n1001\n'),
    Buffer.from([0x81, 0x0a, 0xff, 0xfe]),
    Buffer.from('"患者番号\n'),
  ])
    await expect(importNotices(ward, { bytes, mapping, by: 's' })).rejects.toThrow(
      /REQUEST_MALFORMED|NOT_UTF8/,
    )
  expect(() => readMapping('{')).toThrow('REQUEST_MALFORMED')
  expect(() => readMapping('{"csv":{"columns":{"who":"x"}}}')).toThrow('REQUEST_MALFORMED')
  expect(await leavesOf(ward)).toBe(before)
})

test('no cell of a file stands in its report', async () => {
  const ward = await registerOfMidori()
  const report = await bring(ward, ['ヤマダハナコ,秘密のことば,??,だれか,なに,名前 太郎,'])
  expect(JSON.stringify(report)).not.toMatch(/ヤマダ|秘密|太郎|だれか/)
  expect(report.refused).toEqual([{ line: 2, reason: 'PATIENT_MALFORMED' }])
})

test('any bytes whatever are a report or one refusal', { timeout: 60_000 }, async () => {
  const ward = await registerOfMidori()
  const cell = fc.oneof(
    fc.constantFrom(
      '1001',
      '00001002',
      '2026-11-25 08:10',
      '印刷',
      '済',
      '"',
      '""',
      'J-1',
      '本人',
      '\n',
      '\0',
    ),
    fc.string({ maxLength: 12 }),
  )
  const body = fc.array(
    fc.array(cell, { maxLength: 9 }).map((cells) => cells.join(',')),
    { maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(body, fc.uint8Array({ maxLength: 40 }), fc.boolean(), async (lines, junk, whole) => {
      const bytes = whole ? junk : Buffer.concat([Buffer.from([HEADER, ...lines].join('\n')), junk])
      try {
        const report = await importNotices(ward, { bytes, mapping, by: 's', dryRun: true })
        expect(sums(report)).toBe(report.lines)
      } catch (error) {
        expect((error as Error).name).toBe('Refused')
      }
    }),
    { numRuns: 300 },
  )
})
