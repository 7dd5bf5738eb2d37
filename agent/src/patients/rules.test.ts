import { expect, test } from 'vitest'
import { birthDateOf, DEATH_DAY_UNKNOWN, patientFacts } from './rules.ts'

const today = '2026-04-01'
const facts = (patient: object) => patientFacts(patient, 'id-1', today)
const REPRESENTATION = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation'
const named = (code: string | null, family: string, given: string) => ({
  ...(code === null ? {} : { extension: [{ url: REPRESENTATION, valueCode: code }] }),
  family,
  given: [given],
})

test('T18 birth dates that are missing, incomplete or placeholders are unknown', () => {
  for (const told of [
    undefined,
    null,
    '',
    '1900-01-01',
    '1899-12-31',
    '9999-12-31',
    '0001-01-01',
    '1948',
    '1948-05',
    '2026-04-02',
    '2025-02-29',
    19480503,
  ])
    expect(birthDateOf(told, today)).toBeNull()
  expect(birthDateOf('1948-05-03', today)).toBe('1948-05-03')
  expect(birthDateOf('2012-02-29', today)).toBe('2012-02-29')
  expect(birthDateOf(today, today)).toBe(today)
})

test('names by their representation, in any order, or by their letters', () => {
  const [ide, syl] = [named('IDE', '山田', '花子'), named('SYL', 'ヤマダ', 'ハナコ')]
  for (const name of [
    [ide, syl],
    [syl, ide],
    [named(null, '山田', '花子'), named(null, 'ヤマダ', 'ハナコ')],
  ])
    expect(facts({ name })).toMatchObject({ kanji: '山田 花子', kana: 'ヤマダ ハナコ' })
  expect(facts({ name: [{ text: '山田　花子' }, { text: 'ﾔﾏﾀﾞ ﾊﾅｺ' }] })).toMatchObject({
    kanji: '山田 花子',
    kana: 'ﾔﾏﾀﾞ ﾊﾅｺ',
  })
  expect(facts({ name: [named(null, 'NGUYEN', 'VAN AN')] })).toMatchObject({
    kanji: 'NGUYEN VAN AN',
    kana: '',
  })
  expect(facts({ name: [{ ...named('IDE', '旧姓', '花子'), use: 'old' }, ide] }).kanji).toBe('山田 花子')
  expect(facts({})).toMatchObject({ kanji: '', kana: '', number: 'id-1' })
})

test('the chart number is the hospital’s own, current one, with its zeros', () => {
  const own = { system: 'urn:oid:1.2.392.100495.20.3.51.11311234567', value: '00000010' }
  const member = { system: 'http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID', value: '1:2:3:4' }
  expect(facts({ identifier: [member, own] }).number).toBe('00000010')
  expect(facts({ identifier: [{ ...own, use: 'old', value: '9' }, own] }).number).toBe('00000010')
  expect(facts({ identifier: [member, { type: { coding: [{ code: 'MR' }] }, value: '77' }] }).number).toBe(
    '77',
  )
  expect(facts({ identifier: [member] }).number).toBe('id-1')
})

test('T20 death: by day in Tokyo, by the first day it may have been, or before every notice', () => {
  expect(facts({ deceasedDateTime: '2025-12-01T20:00:00Z' }).deceasedOn).toBe('2025-12-02')
  expect(facts({ deceasedDateTime: '2025-12-01' }).deceasedOn).toBe('2025-12-01')
  expect(facts({ deceasedDateTime: '2025-12' }).deceasedOn).toBe('2025-12-01')
  expect(facts({ deceasedDateTime: '2025' }).deceasedOn).toBe('2025-01-01')
  expect(facts({ deceasedBoolean: true }).deceasedOn).toBe(DEATH_DAY_UNKNOWN)
  expect(facts({ deceasedDateTime: 'unknown' }).deceasedOn).toBe(DEATH_DAY_UNKNOWN)
  expect(facts({ deceasedBoolean: false }).deceasedOn).toBeNull()
})

test('a Patient of nonsense does no harm', () => {
  for (const odd of [
    null,
    3,
    [],
    { name: 'x', identifier: {}, birthDate: {} },
    { name: [null, { given: [1] }] },
  ])
    expect(() => facts(odd as object)).not.toThrow()
})
