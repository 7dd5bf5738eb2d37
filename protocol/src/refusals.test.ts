import { expect, test } from 'vitest'
import { inEnglish, inJapanese, isRefusalCode, REFUSALS, Refused, type RefusalCode } from './refusals.ts'

const codes = Object.keys(REFUSALS) as RefusalCode[]

test.each(codes)('%s has one Japanese and one English sentence', (code) => {
  expect(inJapanese(code)).toMatch(/[ぁ-んァ-ヶ一-龠].*。$/u)
  expect(inEnglish(code)).toMatch(/^[A-Z][\x20-\x7E]*\.$/)
  expect(isRefusalCode(code)).toBe(true)
})

test('no two codes say the same, and what is not in the list is no code', () => {
  expect(new Set(codes.map(inJapanese)).size).toBe(codes.length)
  expect(new Set(codes.map(inEnglish)).size).toBe(codes.length)
  expect(isRefusalCode('toString')).toBe(false)
})

test('a Refused names code and place', () => {
  const refused = new Refused('LINE_NOT_JSON', 'Observation.ndjson:7')
  expect(refused.refusal).toEqual({ code: 'LINE_NOT_JSON', place: 'Observation.ndjson:7' })
  expect(refused.message).toContain('LINE_NOT_JSON at Observation.ndjson:7')
  expect(new Refused('STOPPED').refusal).toEqual({ code: 'STOPPED' })
})
