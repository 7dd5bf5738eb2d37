import { Refused } from '@kakehashi/protocol/refusals'
import { expect, test } from 'vitest'
import { canonicalText as canonicalBytes, JSON_DEPTH_MAX } from './canonical-text.ts'

const canonicalText = (text: string): string => Buffer.from(canonicalBytes(Buffer.from(text))).toString()

test('DATA T34 decimals: 1.00 is not 1, and neither is 1e0', () => {
  expect(canonicalText('{"value": 1.00}')).toBe('{"value":1.00}')
  const forms = ['1', '1.0', '1.00', '1e0', '-0', '0.0', '12345678901234567890', '3.1415926535897932384626']
  expect(new Set(forms.map((n) => canonicalText(`{"v":${n}}`))).size).toBe(forms.length)
  for (const n of forms) expect(canonicalText(`[ ${n} ]`)).toBe(`[${n}]`)
})

test('spaces, key order and escapes do not count', () => {
  const one = canonicalText('{"b":[1,2,{"z":null,"y":true}],"a":"\\u3042\\/\\n\\"x"}')
  const other = canonicalText(
    '\n{ "a" : "あ/\\u000a\\u0022x" ,\t"b" : [ 1 , 2 , { "y" : true , "z" : null } ] }\r\n',
  )
  expect(one).toBe(other)
  expect(JSON.parse(one)).toEqual({ a: 'あ/\n"x', b: [1, 2, { y: true, z: null }] })
})

test('DATA T17 meta.versionId and meta.lastUpdated do not count, but only there', () => {
  const bare = canonicalText('{"id":"1","resourceType":"Observation"}')
  expect(
    canonicalText('{"resourceType":"Observation","id":"1","meta":{"versionId":"7","lastUpdated":"x"}}'),
  ).toBe(bare)
  const kept = '{"contained":[{"meta":{"versionId":"1"}}],"meta":{"tag":[]},"versionId":"2"}'
  expect(canonicalText(kept)).toBe(kept)
})

test('DATA T34 a key given twice is refused, however it is written', () => {
  expect(() => canonicalText('{"a":1,"a":2}')).toThrow(Refused)
  expect(() => canonicalText('{"x":{"a":1,"b":0,"\\u0061":2}}')).toThrow(Refused)
  expect(canonicalText('{"x":{"a":1},"y":{"a":1}}')).toBe('{"x":{"a":1},"y":{"a":1}}')
  // nor those that are left out
  expect(() => canonicalText('{"meta":"p","meta":{"versionId":"1"}}')).toThrow(Refused)
  expect(() => canonicalText('{"meta":{"versionId":"1"},"meta":{}}')).toThrow(Refused)
  expect(() => canonicalText('{"meta":{"versionId":"1","versionId":"2"}}')).toThrow(Refused)
  expect(() => canonicalText('{"meta":{"lastUpdated":"a","tag":[],"lastUpdated":"b"}}')).toThrow(Refused)
})

test('keys are sorted as UTF-16 says, whatever their bytes and their number', () => {
  expect(canonicalText('{"\u{1f600}":1,"\uffff":2,"\u3042":3,"z":4,"a!":5,"a":6}')).toBe(
    '{"a!":5,"a":6,"z":4,"\u3042":3,"\u{1f600}":1,"\uffff":2}',
  )
  expect(canonicalText('{"b\\u0022":1,"b":2}')).toBe('{"b":2,"b\\"":1}')
  const many = Array.from({ length: 1000 }, (_, n) => [`k${(n * 7919) % 1000}`, n] as const)
  const sorted = many.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const written = JSON.stringify(Object.fromEntries(many))
  expect(canonicalText(written)).toBe(JSON.stringify(Object.fromEntries(sorted)))
  expect(() => canonicalText(`${written.slice(0, -1)},"k500":0}`)).toThrow(Refused)
})

test('a hash once told stays: the ledger and the vault compare with those of earlier versions', () => {
  const resource =
    '{"resourceType":"Observation","id":"x","meta":{"versionId":"3","profile":["p"]},"text":{"div":"<a b=\\"c\\">\\/\\u3042</a>"},"valueQuantity":{"value":1.00,"unit":"mg"}}'
  expect(canonicalText(resource)).toBe(
    '{"id":"x","meta":{"profile":["p"]},"resourceType":"Observation","text":{"div":"<a b=\\"c\\">/あ</a>"},"valueQuantity":{"unit":"mg","value":1.00}}',
  )
})

test('DATA T34 more than 64 levels are refused', () => {
  const nested = (n: number) => '['.repeat(n) + ']'.repeat(n)
  expect(canonicalText(nested(JSON_DEPTH_MAX))).toBe(nested(JSON_DEPTH_MAX))
  expect(() => canonicalText(nested(JSON_DEPTH_MAX + 1))).toThrow(Refused)
  expect(() => canonicalText('{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000))).toThrow(Refused)
})

test('whatever JSON.stringify writes comes back with the same meaning', () => {
  let state = 1
  const random = (n: number) => (state = (state * 48_271) % 2_147_483_647) % n
  const make = (depth: number): unknown => {
    const kind = random(depth > 5 ? 4 : 6)
    if (kind === 0) return [null, true, false][random(3)]
    if (kind === 1) return random(1_000_000) / 64
    if (kind < 4) return ['', 'あ"\\', '\\"', '\u2028', '\ud83d\ude00', '\u0000', 'a/b'][random(7)]
    const many = Array.from({ length: random(5) }, () => make(depth + 1))
    return kind === 4 ? many : Object.fromEntries(many.map((v, n) => [['b"', 'a\\', '鍵', 'c', 'a'][n], v]))
  }
  for (let n = 0; n < 2000; n++) {
    const value = make(0)
    expect(JSON.parse(canonicalText(JSON.stringify(value, null, random(3))))).toEqual(value)
  }
})
