import { check, date, property } from 'fast-check'
import { expect, test } from 'vitest'
import { dateTyped, kanaKey, kanjiKey, numberKey, queryOf } from './words.ts'

test('kana in every width and script is one key', () => {
  const key = kanaKey('ショウジ キョウコ')
  for (const form of [
    'しょうじ　きょうこ',
    'ｼｮｳｼﾞ ｷｮｳｺ',
    'ｼﾖｳｼﾞｷﾖｳｺ',
    'シヨウジ・キヨウコ',
    'ショウジキョウコ',
  ])
    expect(kanaKey(form)).toBe(key)
  expect(kanaKey('ガギグ')).not.toBe(kanaKey('カキク'))
  expect(kanaKey('ﾊﾟﾊﾞ')).toBe(kanaKey('パバ'))
  expect(kanaKey('ロ−ラ')).toBe(kanaKey('ローラ'))
})

test('forms of one character are one key', () => {
  expect(kanjiKey('髙橋　一郎')).toBe(kanjiKey('高橋一郎'))
  expect(kanjiKey('山﨑')).toBe(kanjiKey('山崎'))
  expect(kanjiKey('ｓｍｉｔｈ John')).toBe('SMITHJOHN')
})

test('birth dates as people type them', () => {
  const day = '1948-05-03'
  for (const typed of [
    '19480503',
    '1948-05-03',
    '1948/5/3',
    '１９４８年５月３日',
    'S23.5.3',
    's23/05/03',
    'Ｓ２３．５．３',
    '昭和23年5月3日',
    'S230503',
  ])
    expect(dateTyped(typed)).toBe(day)
  expect(dateTyped('令和元年5月1日')).toBe('2019-05-01')
  expect(dateTyped('R5.3.25')).toBe('2023-03-25')
  expect(dateTyped('H31.4.30')).toBe('2019-04-30')
  expect(dateTyped('T15.12.24')).toBe('1926-12-24')
  expect(dateTyped('M45.7.29')).toBe('1912-07-29')
  for (const typed of ['20230230', '1948-13-01', 'S23', '123', 'X23.5.3', '00000000'])
    expect(dateTyped(typed)).toBeNull()
})

test('leading zeros do not count', () => {
  expect(numberKey('00012')).toBe(numberKey('１２'))
  expect(numberKey('0')).toBe('0')
  expect(numberKey('pop-000002')).toBe('POP-000002')
})

test('a name and a date together; eight digits may be number or date', () => {
  expect(queryOf('ヤマダ 19480503')).toMatchObject({ kana: 'ヤマダ', birthDate: '1948-05-03' })
  expect(queryOf('山田　花子')).toMatchObject({ kanji: '山田花子', kana: null, number: null })
  expect(queryOf('19480503')).toMatchObject({ number: '19480503', birthDate: '1948-05-03' })
  expect(queryOf('昭和23年5月3日')).toMatchObject({ number: null, birthDate: '1948-05-03', kanji: null })
  expect(queryOf('  ')).toEqual({ number: null, framed: null, birthDate: null, kana: null, kanji: null })
})

test('a barcode comes with an end sign, with start and stop signs, or with both', () => {
  expect(queryOf('00123456\r')).toMatchObject({ number: '123456', framed: null })
  expect(queryOf('\u000200123456\r\n')).toMatchObject({ number: '123456', kanji: null })
  expect(queryOf('*00123456*')).toMatchObject({ number: null, framed: '123456', kanji: null })
  expect(queryOf('A00123456B')).toMatchObject({ number: 'A00123456B', framed: '123456', kanji: null })
  expect(queryOf('a00123456a')).toMatchObject({ framed: '123456' })
  expect(queryOf('AB12')).toMatchObject({ framed: null })
})

const ERAS = [
  ['R', '令和', '2019-05-01', 2018],
  ['H', '平成', '1989-01-08', 1988],
  ['S', '昭和', '1926-12-25', 1925],
  ['T', '大正', '1912-07-30', 1911],
  ['M', '明治', '1873-01-01', 1867],
] as const

test('every day since 1873 is found in each way people write it', () => {
  const days = date({
    min: new Date('1873-01-01T00:00:00Z'),
    max: new Date('2099-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  const found = property(days, (at) => {
    const day = at.toISOString().slice(0, 10)
    const [year, month, date] = day.split('-').map(Number) as [number, number, number]
    const [letter, name, , before] = ERAS.find(([, , from]) => from <= day) ?? ERAS[4]
    const two = (n: number) => String(n).padStart(2, '0')
    const era = year - before
    const written = [
      day,
      day.replaceAll('-', ''),
      `${year}/${month}/${date}`,
      `${year}年${month}月${date}日`,
      `${letter}${era}.${month}.${date}`,
      `${letter.toLowerCase()}${two(era)}${two(month)}${two(date)}`,
      `${name}${era === 1 ? '元' : era}年${month}月${date}日`,
    ]
    const wide = written.map((text) =>
      text.replaceAll(/[!-~]/g, (c) => String.fromCodePoint(c.charCodeAt(0) + 0xfee0)),
    )
    return [...written, ...wide].every((text) => era > 99 || dateTyped(text) === day)
  })
  expect(check(found).counterexample).toBeNull()
})
