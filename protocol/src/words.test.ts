import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonical } from './canonical.ts'
import { systemEnv } from './env.ts'
import {
  facilityId,
  facilityOf,
  localNumberOf,
  MalformedId,
  parsePatientKey,
  patientKey,
  Personal,
} from './ids.ts'
import { jsonLog, word } from './log.ts'
import { newBoxKey, newSigningKey, open, openSealed, sealTo, sign } from './signing.ts'
import { handleOf, newStopToken, readStopToken } from './stop-handle.ts'

/** The small words everything else is made of: ids, canonical text, signatures, tokens, log lines. */
const env = systemEnv()

test('canonical text: members sorted, no white space, one text for one value', () => {
  expect(canonical({ b: 1, a: [true, null, 'é'], ä: 0.5, c: undefined })).toBe(
    '{"a":[true,null,"é"],"b":1,"ä":0.5}',
  )
  expect(canonical({ '\u20ac': 1, '\r': 2, '1': 3, '\u0080': 4, ö: 5 })).toBe(
    '{"\\r":2,"1":3,"\u0080":4,"ö":5,"€":1}',
  )
  expect(canonical(1e21)).toBe('1e+21')
  for (const value of [Number.NaN, Infinity, 1n, () => 1, undefined])
    expect(() => canonical(value)).toThrow(TypeError)
})

test('canonical text parses back to the same value, however its members are ordered', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonical(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonical(JSON.parse(text))).toBe(text)
    }),
    { numRuns: 200 },
  )
})

test('patient keys keep leading zeros and refuse what could be read two ways', () => {
  const key = patientKey(facilityId('hp-1'), '0012')
  expect([facilityOf(key), localNumberOf(key)]).toEqual(['hp-1', '0012'])
  expect(parsePatientKey('hp-1/0012')).toBe(key)
  for (const text of ['0012', '/0012', 'hp-1/', 'hp-1/a/b', 'hp 1/0012', 'hp-1/a\nb'])
    expect(() => parsePatientKey(text)).toThrow(MalformedId)
})

test('a malformed id is not repeated in the error', () => {
  expect(() => facilityId('山田 太郎')).toThrow('not a FacilityId')
})

test('text that names a person prints as redacted everywhere', () => {
  const name = new Personal('山田太郎')
  expect(`${name} ${JSON.stringify({ name })} ${inspect({ name })} ${String(name)}`).not.toContain('山田')
  expect(name.reveal()).toBe('山田太郎')
})

test('a signature serves one purpose, one key and one body', () => {
  const key = newSigningKey(env)
  const signed = sign('receipt', { n: 1 }, key)
  expect(open('receipt', signed, key.public)).toEqual({ n: 1 })
  expect(open('other', signed, key.public)).toBeNull()
  expect(open('receipt', { ...signed, body: { n: 2 } }, key.public)).toBeNull()
  expect(open('receipt', signed, newSigningKey(env).public)).toBeNull()
  expect(open('receipt', { ...signed, signature: 'x' }, key.public)).toBeNull()
})

test('a sealed box opens with its key only, whichever randomness made it', () => {
  const [key, other] = [newBoxKey(env), newBoxKey(env)]
  const plain = new TextEncoder().encode('封')
  for (const box of [sealTo(key.public, plain), sealTo(key.public, plain, env)]) {
    expect(box).toHaveLength(plain.length + 48)
    expect(openSealed(box, key)).toEqual(plain)
    expect(openSealed(box, other)).toBeNull()
    expect(openSealed(box.subarray(1), key)).toBeNull()
  }
})

test('a stop token survives being typed by hand, and its handle does not give it back', () => {
  const token = newStopToken(env)
  expect(token).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/)
  const typed = token
    .toLowerCase()
    .replaceAll('0', 'o')
    .replaceAll('1', 'l')
    .replaceAll(/(.{4})/g, '$1-')
  expect(readStopToken(typed)).toBe(token)
  expect(readStopToken(token.slice(1))).toBeNull()
  expect(readStopToken(`U${token.slice(1)}`)).toBeNull()
  expect(handleOf(token)).toMatch(/^[0-9a-f]{64}$/)
  expect(handleOf(token)).not.toContain(token.toLowerCase())
  expect(handleOf(newStopToken(env))).not.toBe(handleOf(token))
})

test('a log line is one JSON object with its time and event', () => {
  const lines: string[] = []
  const log = jsonLog(
    () => 0,
    (line) => lines.push(line),
  )
  log('batch.sealed', { records: 3, why: word('quiet-hours') })
  expect(lines).toEqual([
    '{"at":"1970-01-01T00:00:00.000Z","event":"batch.sealed","records":3,"why":"quiet-hours"}\n',
  ])
})
