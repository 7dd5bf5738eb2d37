import { expect, test } from 'vitest'
import { FACILITY } from '../folder.fixture.ts'
import { entryTexts } from './bundle.ts'
import { readUnit } from './unit.ts'

const scope = { source: 'ehr', facility: FACILITY, bases: [] }
const read = (text: string) => readUnit(Buffer.from(text), scope)

const OBSERVATION =
  '{ "resourceType" : "Observation", "id":"o","subject":{"reference":"urn:uuid:1"},"note":[{"text":"}],{\\"\\\\"}],\n "valueQuantity":{"value":5.60} }'
const BUNDLE = `{"resourceType":"Bundle","type":"collection","total":1.0,"entry":[
  {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"0012"}},
  {"resource" : ${OBSERVATION} , "fullUrl":"urn:uuid:2"},
  {"request":{"method":"DELETE","url":"Observation/9"}},
  {"search":{"mode":"outcome"},"resource":{"resourceType":"OperationOutcome","id":"x"}},
  {"resource":{"resourceType":"Observation"}}]}`

test('a Bundle gives the very text of each resource', () => {
  expect(entryTexts(BUNDLE)[1]).toBe(OBSERVATION)
  const [, observation] = read(BUNDLE)
  if (observation?.t !== 'parsed') throw new Error('not parsed')
  expect(Buffer.from(observation.parsed.record.payload).toString()).toBe(OBSERVATION)
})

test('DATA T19 urn:uuid is followed within the Bundle; T30 an outcome is no record; a broken entry spares the others', () => {
  const readings = read(BUNDLE)
  expect(
    readings.map((one) => (one.t === 'parsed' ? one.parsed.record.patients : [one.code, one.entry])),
  ).toEqual([['h1/0012'], ['h1/0012'], ['NOT_A_RESOURCE', 5]])
})

test('Bundles without entries, with odd entries, and with two lists of them', () => {
  expect(read('{"resourceType":"Bundle","type":"searchset"}')).toEqual([])
  expect(read('{"resourceType":"Bundle","entry":[null,{},{"resource":null}]}')).toMatchObject([
    { t: 'refused', code: 'NOT_A_RESOURCE', entry: 3 },
  ])
  expect(read('{"resourceType":"Bundle","entry":[],"entry":[]}')).toMatchObject([
    { t: 'refused', code: 'LINE_NOT_JSON' },
  ])
})

test('one resource larger than 4 MiB is refused', () => {
  const big = `{"resourceType":"Binary","id":"b","data":"${'A'.repeat(4 * 1024 * 1024)}"}`
  expect(read(big)).toMatchObject([{ t: 'refused', code: 'LINE_TOO_LONG' }])
})

test('bytes changed at random never break the reader: they are read as they are, or refused by name', () => {
  let state = 7
  const random = (n: number) => (state = (state * 48_271) % 2_147_483_647) % n
  const seeds = [
    BUNDLE,
    OBSERVATION,
    '{"resourceType":"Patient","id":"1","link":[{"other":{"reference":"Patient/2"},"type":"seealso"}]}',
  ]
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\\',
    'null',
    '1e9',
    '\u0000',
    '"id":"x"',
    '"subject":',
    '\\ud800',
    'é',
  ]
  const codes = new Set<string>()
  for (let n = 0; n < 4000; n++) {
    const bytes = Buffer.from(seeds[n % seeds.length] as string)
    const at = random(bytes.length)
    const piece = Buffer.from(pieces[random(pieces.length)] as string)
    const cut = random(3) === 0 ? random(20) : 0
    const changed = Buffer.concat([
      bytes.subarray(0, at),
      random(9) === 0 ? Buffer.from([random(256)]) : piece,
      bytes.subarray(at + cut),
    ])
    for (const one of readUnit(changed, scope)) {
      if (one.t === 'refused') codes.add(one.code)
      else expect(changed.includes(Buffer.from(one.parsed.record.payload))).toBe(true)
    }
  }
  expect([...codes].toSorted()).toEqual(['LINE_NOT_JSON', 'NOT_A_RESOURCE', 'NOT_UTF8'])
})
