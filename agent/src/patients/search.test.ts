import { beforeAll, expect, test } from 'vitest'
import { key, openReader, type Reader } from '../sources/folder.fixture.ts'
import { takePatient } from './flow.ts'
import { chartsLike, searchPatients } from './search.ts'
import { patientByIdentifier, type PatientsReader, readPatient } from './store.ts'

const REPRESENTATION = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation'
const SYSTEM = 'urn:oid:1.2.392.100495.20.3.51.11311234567'
const seen: unknown[] = []
let reader: Reader
let db: PatientsReader

async function put(
  number: string,
  kanji: string,
  kana: string,
  birthDate: string,
  gender = 'female',
  more = {},
) {
  const name = (valueCode: string, text: string) => ({
    extension: [{ url: REPRESENTATION, valueCode }],
    text,
  })
  const resource = {
    resourceType: 'Patient',
    id: number,
    identifier: [{ system: SYSTEM, value: number }],
    name: [name('IDE', kanji), name('SYL', kana)],
    birthDate,
    gender,
    ...more,
  }
  await reader.store.bookkeep((tx) =>
    takePatient(
      tx as never,
      { patient: key(number), resource, source: 'ehr' },
      reader.env.now(),
      async (_, one) => {
        seen.push(one)
      },
    ),
  )
}

beforeAll(async () => {
  reader = await openReader()
  db = reader.store.db as never
  await put('00000123', '山田　花子', 'ヤマダ ハナコ', '1948-05-03')
  await put('00000124', '髙橋 一郎', 'ﾀｶﾊｼ ｲﾁﾛｳ', '1948-05-03', 'male')
  await put('00009912', '山田 花子', 'ヤマダ　ハナコ', '1948-05-03')
  await put('19480503', '鈴木 次郎', 'スズキ ジロウ', '2001-01-01', 'male')
  await put('00000500', '佐藤 翔', 'サトウ ショウ', '1900-01-01', 'male', { deceasedBoolean: true })
  for (let n = 0; n < 20; n++) await put(`0000800${n}`, `田中 ${n}`, 'タナカ タロウ', '1970-01-01', 'male')
})

const numbers = async (typed: string) => (await searchPatients(db, typed)).people.map((one) => one.number)

test('by number, with or without its zeros, exactly', async () => {
  for (const typed of ['123', '00000123', '１２３', '0123'])
    expect(await searchPatients(db, typed)).toMatchObject({
      exact: true,
      more: false,
      people: [{ number: '00000123' }],
    })
  expect(await numbers('999999')).toEqual([])
})

test('by name in any script, width, order of spaces, or form of a character', async () => {
  for (const typed of ['ヤマダ', 'やまだはな', 'ﾔﾏﾀﾞ ﾊﾅｺ', '山田', '山田花子', '山田 花子'])
    expect(await numbers(typed)).toEqual(['00000123', '00009912'])
  for (const typed of ['高橋', '髙橋一郎', 'たかはし']) expect(await numbers(typed)).toEqual(['00000124'])
  expect(await numbers('ｻﾄｳ ｼﾖｳ')).toEqual(['00000500'])
})

test('by birth date, in the era’s years too; eight digits are a number first', async () => {
  expect(await numbers('S23.5.3')).toEqual(['00000124', '00000123', '00009912'])
  expect(await numbers('19480503')).toEqual(['19480503', '00000124', '00000123', '00009912'])
  expect(await numbers('ヤマダ S23.5.3')).toEqual(['00000123', '00009912'])
})

test('never more than eight, and it says that there are more', async () => {
  const found = await searchPatients(db, 'タナカ', 100)
  expect(found.people).toHaveLength(8)
  expect(found.more).toBe(true)
})

test('names do not print themselves', async () => {
  const { people } = await searchPatients(db, '123')
  expect(JSON.stringify(people)).not.toMatch(/山田|ヤマダ/)
  expect(String(people[0]?.kanji)).toBe('[redacted]')
  expect(people[0]?.kanji.reveal()).toBe('山田 花子')
})

test('T27 charts that look like the same person’s', async () => {
  expect((await chartsLike(db, key('00000123'))).map((one) => one.number)).toEqual(['00009912'])
  expect(await chartsLike(db, key('00000500'))).toEqual([])
})

test('T18 T20 the register is told of age and death as the gate must take them', async () => {
  expect(seen).toContainEqual({ patient: key('00000123'), birthDate: '1948-05-03', deceasedOn: null })
  expect(seen).toContainEqual({ patient: key('00000500'), birthDate: null, deceasedOn: '0001-01-01' })
  expect(await readPatient(db, key('00000500'))).toMatchObject({ birthDate: null })
  expect(await readPatient(db, key('nobody'))).toBeNull()
})

test('an identifier finds its one bearer, and nobody when two bear it', async () => {
  expect(await patientByIdentifier(db, SYSTEM, '00000123')).toBe(key('00000123'))
  expect(await patientByIdentifier(db, 'urn:other', '00000123')).toBeNull()
  expect(await patientByIdentifier(db, null, '00000123')).toBe(key('00000123'))
  await put('twin', '双子', 'フタゴ', '2000-01-01', 'male', {
    identifier: [{ system: SYSTEM, value: '00000123' }],
  })
  expect(await patientByIdentifier(db, SYSTEM, '00000123')).toBeNull()
})
