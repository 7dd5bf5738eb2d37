import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeStored } from './decode.ts'
import { isMessage, type Message, readMessage, segmentsOf, unescaped } from './message.ts'
import { fhirTime } from './time.ts'
import { mutants, walkMessage } from './mutants.fixture.ts'

const HEAD = 'MSH|^~\\&|HIS|SEND|GW|RCV|20260101||ADT^A08^ADT_A01|1|P|2.5'
const read = (...lines: string[]): Message => {
  const message = readMessage([HEAD, ...lines].join('\r'))
  if (!isMessage(message)) throw new Error(message)
  return message
}

test('fields, repetitions, components and subcomponents are found where HL7 counts them', () => {
  const message = read('PID|1||A1^^^^PI~A2||患者^太郎&次郎', 'TQ1|1||1013&内服&JAMI')
  const [pid] = segmentsOf(message, 'PID')
  const [tq1] = segmentsOf(message, 'TQ1')
  expect(pid?.repetitions(3).map((one) => [one.text(1), one.text(5)])).toEqual([
    ['A1', 'PI'],
    ['A2', ''],
  ])
  expect([pid?.text(5, 2), pid?.text(5, 2, 2)]).toEqual(['太郎', '次郎'])
  expect([1, 2, 3].map((n) => tq1?.first(3).inside(1).text(n))).toEqual(['1013', '内服', 'JAMI'])
  const [msh] = segmentsOf(message, 'MSH')
  expect([msh?.text(1), msh?.text(2), msh?.text(9, 2), msh?.text(12)]).toEqual(['|', '^~\\&', 'A08', '2.5'])
})

test('the null value deletes, the empty one is unknown, and neither is the other', () => {
  const [pid] = segmentsOf(read('PID|1||""||||x'), 'PID')
  expect([pid?.at(3), pid?.at(4), pid?.at(99)]).toEqual([null, undefined, undefined])
})

test('escapes: the five signs, line break, ASCII in hexadecimal; what is not known stays', () => {
  const signs = read().separators
  const cases: [string, string][] = [
    ['a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f', 'a|b^c~d\\e&f'],
    ['one\\.br\\two', 'one\ntwo'],
    ['\\X0D0A41\\', '\r\nA'],
    ['\\Xff\\', '\\Xff\\'],
    ['\\H\\bold\\N\\', '\\H\\bold\\N\\'],
    ['open \\F', 'open \\F'],
  ]
  for (const [written, meant] of cases) expect(unescaped(written, signs)).toBe(meant)
})

test('CR, LF and CRLF end segments; what ends files and frames is no part of them', () => {
  for (const end of ['\r', '\n', '\r\n']) {
    const message = readMessage(`\u000b${HEAD}${end}PID|1||2${end}\u001c\u001a\0`)
    expect(isMessage(message) && message.segments.map((one) => one.name)).toEqual(['MSH', 'PID'])
  }
  expect(readMessage('\u001c\r\n')).toBe('empty')
  expect(readMessage('PID|1')).toBe('not-hl7')
  expect(readMessage('MSH|||||')).toBe('not-hl7')
  expect(readMessage(`${HEAD}\r${'A|\r'.repeat(30_000)}`)).toBe('too-long')
})

test('times of every precision are as exact as they were told, and Tokyo’s without an offset', () => {
  const cases: [string, string | null][] = [
    ['1948', '1948'],
    ['194804', '1948-04'],
    ['19480405', '1948-04-05'],
    ['2011070100', '2011-07-01T00:00:00+09:00'],
    ['201107012345', '2011-07-01T23:45:00+09:00'],
    ['20110701224603', '2011-07-01T22:46:03+09:00'],
    ['20110701113813.225', '2011-07-01T11:38:13.225+09:00'],
    ['20111220224447.3399', '2011-12-20T22:44:47.3399+09:00'],
    ['20080203163012345', '2008-02-03T16:30:12.345+09:00'],
    ['20111220103059.0000', '2011-12-20T10:30:59+09:00'],
    ['201112091630305', '2011-12-09T16:30:30.5+09:00'],
    ['20110701224603+0000', '2011-07-01T22:46:03+00:00'],
    ['20110230', null],
    ['20111301', null],
    ['2011070125', null],
    ['00000000', null],
    ['', null],
    ['小学校低学年の頃', null],
  ]
  for (const [told, meant] of cases) expect([told, fhirTime(told)]).toEqual([told, meant])
})

const anyText = fc.string({ unit: fc.constantFrom(...'MSHPID|^~\\&\r\n"AF.XB患0 \u001b', '\u0000') })

test(
  'nothing that is read throws, and what is read stays within its bounds (100,000 mutants)',
  { timeout: 60_000 },
  () => {
    let messages = 0
    for (const bytes of mutants(100_000, 7)) {
      const decoded = decodeStored(bytes)
      if (decoded === null) continue
      const message = readMessage(decoded.text)
      if (!isMessage(message)) continue
      messages++
      walkMessage(message)
    }
    expect(messages).toBeGreaterThan(10_000)
    fc.assert(
      fc.property(anyText, (text) => {
        const message = readMessage(text)
        if (isMessage(message)) walkMessage(message)
      }),
      { numRuns: 500 },
    )
  },
)

test('any values written with escapes are read back', () => {
  const signs = { '|': 'F', '^': 'S', '~': 'R', '\\': 'E', '&': 'T' } as Record<string, string>
  const written = (text: string) => text.replaceAll(/[|^~\\&]/g, (sign) => `\\${signs[sign]}\\`)
  const value = fc.string({ unit: fc.constantFrom(...'|^~\\&AB患 ') }).filter((text) => text !== '')
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
      const [pid] = segmentsOf(read(`PID|${values.map(written).join('|')}`), 'PID')
      expect(values.map((_, n) => pid?.at(n + 1))).toEqual(values)
    }),
  )
})
