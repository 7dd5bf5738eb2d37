import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { fetched, key } from '../folder.fixture.ts'
import {
  adt00,
  msh,
  OLD,
  openStorage,
  pathOf,
  problems,
  results,
  type StorageWorld,
  AGES,
  chart,
  dueOf,
  lab,
  list,
  P,
  sendAll,
  T1,
  T2,
} from './storage.fixture.ts'

let w: StorageWorld
afterEach(() => w[Symbol.asyncDispose]())

test('a full list: a problem that is not in the newer file is no more', async () => {
  w = await openStorage()
  await w.put(
    list,
    problems(P, [
      ['1', '20054174'],
      ['2', '20054175'],
    ]),
  )
  await w.gather()
  await sendAll(w)
  await w.flag(list, 2)
  await w.put(
    { ...list, at: T2 },
    problems(P, [
      ['2', '20054175'],
      ['3', '20054176'],
    ]),
  )
  expect(await w.gather()).toMatchObject({ added: 1, changed: 0, unchanged: 1, vanished: 1 })
  expect(await dueOf(w)).toEqual(['Condition superseded'])
})

test('between two renames a key without a valid file has not gone; after a while it has, and only then', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'))
  await w.gather()
  const before = await w.ledger()
  await w.flag(lab, 2)
  expect(await w.gather()).toMatchObject({ vanished: 0 })
  await w.put({ ...lab, at: T2 }, results(P, '7.1'))
  w.env.at += AGES
  expect(await w.gather()).toMatchObject({ vanished: 0, unchanged: 4 })
  expect(await w.ledger()).toEqual(before)
  await rm(pathOf(w.root, { ...lab, at: T2 }))
  expect(await w.gather()).toMatchObject({ vanished: 0 })
  w.env.at += AGES
  expect(await w.gather()).toMatchObject({ vanished: 4 })
  expect(await w.ledger()).toEqual([])
})

test('late orders in old folders are found, since names are listed and no date is trusted', async () => {
  w = await openStorage()
  await w.put(chart, adt00(P))
  await w.gather()
  await w.put({ ...lab, date: '20190102' }, results(P, '7.1'), new Date('2019-01-02'))
  expect(await w.gather()).toMatchObject({ added: 4 })
  expect(await w.gather()).toMatchObject({ seen: 0, windows: 2 })
})

test('a restricted problem (PRB-25) is held, and its siblings travel', async () => {
  w = await openStorage()
  const restricted = `${'|'.repeat(9)}V^非常に限定^HL70177`
  await w.put(
    list,
    problems(P, [
      ['1', '20054174', restricted],
      ['2', '20054175'],
    ]),
  )
  expect(await w.gather()).toMatchObject({ added: 2, held: 1 })
  expect(await w.ledger()).toEqual([
    `Condition/${P}.-.PPR-01.999999999999999.PRB.1 held LABEL_HELD`,
    `Condition/${P}.-.PPR-01.999999999999999.PRB.2 active`,
  ])
})

test('an empty storage is rather one that is not mounted: nothing is taken for deleted', async () => {
  w = await openStorage()
  await w.put(lab, results(P, '7.1'))
  await w.gather()
  const before = await w.ledger()
  await rename(join(w.root, '000'), join(w.root, '.away'))
  w.env.at += AGES
  const gathered = await w.gather({ full: true })
  expect(gathered.faults).toMatchObject([{ code: 'SOURCE_UNREACHABLE' }])
  expect(await w.ledger()).toEqual(before)
  await rename(join(w.root, '.away'), join(w.root, '000'))
  expect(await w.gather()).toMatchObject({ added: 0, vanished: 0 })
})

test('the transaction log names who changed; its unfinished last line is read again', async () => {
  const log = await openStorage()
  w = await openStorage({ transactions: log.root })
  const file = join(log.root, '2026', 'TR_20260105090000000_00001.DAT')
  await mkdir(dirname(file), { recursive: true })
  const line = (patient: string) =>
    `#SSMIX,2.00,1310000001,${patient},20260105,OML-11,000000000000777,INS,01,${T1}\r${msh('OUL^R22')}\r`
  await writeFile(file, line(P))
  await w.put(chart, adt00(P))
  await w.put({ ...chart, patient: '0000777777' }, adt00('0000777777'))
  expect(await w.gather()).toMatchObject({ added: 2 })
  await w.put(lab, results(P, '7.1'))
  await w.put({ ...lab, patient: '0000777777' }, results('0000777777', '7.1'))
  await writeFile(file, `${line(P)}${line(P)}${line('0000777777').slice(0, 40)}`)
  expect(await w.gather()).toMatchObject({ added: 4 })
  await writeFile(file, `${line(P)}${line(P)}${line('0000777777')}`)
  expect(await w.gather()).toMatchObject({ added: 4 })
  await log[Symbol.asyncDispose]()
})

test('the extension storage: documents with their attachments, byte for byte; a bare rename deletes', async () => {
  w = await openStorage()
  const kind = 'L-SUMMARY^退院時サマリー^99ZL01^18842-5^Discharge summary^LN'
  const patient = join(w.root, '000', '012', P)
  const folder = (flag: number) =>
    join(patient, '20260105', kind, `${P}_20260105_L-SUMMARY_000000000000901_${T1}_01_${flag}`)
  await mkdir(folder(1), { recursive: true })
  const cda = (number: string) =>
    Buffer.from(
      `<ClinicalDocument><recordTarget><patientRole><id extension="${number}"/></patientRole></recordTarget></ClinicalDocument>`,
    )
  const pdf = Buffer.from([0x25, 0x50, 0x44, 0x46, 0x00, 0xff, 0x81])
  await writeFile(join(folder(1), 'a_picture.pdf'), pdf)
  await writeFile(join(folder(1), 'main_document.xml'), cda(P))
  for (const name of ['a_picture.pdf', 'main_document.xml']) await utimes(join(folder(1), name), OLD, OLD)
  expect(await w.gather()).toMatchObject({ added: 1, quarantined: 0 })
  const { records } = await fetched(w.connector, [key(P)])
  const document = JSON.parse(Buffer.from(records[0]!.payload).toString())
  expect(document).toMatchObject({
    resourceType: 'DocumentReference',
    subject: { reference: `Patient/${P}` },
    type: { coding: [{ code: 'L-SUMMARY' }, { system: 'http://loinc.org', code: '18842-5' }] },
    content: [
      { attachment: { contentType: 'text/xml', title: 'main_document.xml' } },
      { attachment: { contentType: 'application/pdf', data: pdf.toString('base64'), size: pdf.length } },
    ],
  })
  expect(records[0]).toMatchObject({ item: 'document' })
  await rename(folder(1), folder(0))
  expect(await w.gather()).toMatchObject({ vanished: 1 })
  expect(await w.ledger()).toEqual([])
  const other = folder(1).replace('901_', '902_')
  await mkdir(other, { recursive: true })
  await writeFile(join(other, 'main_document.xml'), cda('0000999999'))
  await utimes(join(other, 'main_document.xml'), OLD, OLD)
  expect(await w.gather()).toMatchObject({ added: 0, quarantined: 1 })
  await rm(other, { recursive: true })
  await w.gather()
  expect(await w.quarantined()).toEqual([])
})

test('the index table names who changed: only their folders are listed', async () => {
  const beside = await openStorage()
  const indexTable = join(beside.root, 'SSMIXIDX.csv')
  w = await openStorage({ indexTable })
  const rows = ['VolumeLabel,FacilityID,PatientID,OrderDate,DataKind,UpdateDatetime']
  const row = (patient: string, minute: number) =>
    rows.push(`V1,1310000001,${patient},20260105,OML-11,2026-01-05 09:0${minute}:00`)
  const save = () => writeFile(indexTable, `${rows.join('\r\n')}\r\n`)
  row(P, 0)
  await save()
  await w.put(chart, adt00(P))
  expect(await w.gather()).toMatchObject({ added: 1 })
  await w.put(lab, results(P, '7.1'))
  await w.put({ ...lab, patient: '0000777777' }, results('0000777777', '7.1'))
  row(P, 1)
  await save()
  expect(await w.gather()).toMatchObject({ added: 4 })
  row('0000777777', 1)
  await save()
  expect(await w.gather()).toMatchObject({ added: 4 })
  await beside[Symbol.asyncDispose]()
})
