import { Refused } from '@kakehashi/protocol/refusals'
import { expect, test } from 'vitest'
import { canonicalText, JSON_DEPTH_MAX } from './canonical-text.ts'

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
