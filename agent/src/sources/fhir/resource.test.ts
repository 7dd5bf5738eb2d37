import { Refused } from '@kakehashi/protocol/refusals'
import { expect, test } from 'vitest'
import { FACILITY } from '../folder.fixture.ts'
import { parseResource } from './resource.ts'

const scope = { source: 'ehr', facility: FACILITY, bases: ['https://ehr.example/fhir/'] }
const parse = (value: object | string | Uint8Array) =>
  parseResource(
    value instanceof Uint8Array
      ? value
      : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    scope,
  )
const about = (subject: unknown, more: object = {}) =>
  parse({ resourceType: 'Observation', id: 'o', subject, ...more })
const codeOf = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code
    throw error
  }
  return null
}

test('DATA T19 every form of reference finds the patient, or says that it cannot', () => {
  const found = (reference: string) => about({ reference }).record.patients
  expect(found('Patient/0012')).toEqual(['h1/0012'])
  expect(found('https://ehr.example/fhir/Patient/0012')).toEqual(['h1/0012'])
  expect(found('Patient/0012/_history/2')).toEqual(['h1/0012'])
  expect(found('https://ehr.example/fhir/Patient/0012/_history/2')).toEqual(['h1/0012'])
  for (const reference of [
    'https://other.example/fhir/Patient/0012',
    'urn:uuid:1',
    '#nobody',
    'Patient/..%2f1',
    '',
  ]) {
    const parsed = about({ reference })
    expect(parsed.record.patients).toEqual([])
    expect(parsed.unresolved).toBe(true)
  }
  expect(about({ display: '山田' }).unresolved).toBe(true)
  expect(about(undefined).unresolved).toBe(true)
})

test('DATA T19 an identifier is handed on to be looked up; a patient inside the resource is known by theirs', () => {
  const identifier = { system: 'urn:oid:1', value: '0012' }
  expect(about({ identifier }).named).toEqual([identifier])
  expect(about({ identifier, type: 'Device' }).named).toEqual([])
  expect(about({ reference: 'urn:uuid:1', identifier }).named).toEqual([identifier])
  const contained = [{ resourceType: 'Patient', id: 'p', identifier: [identifier] }]
  expect(about({ reference: '#p' }, { contained }).named).toEqual([identifier])
})

test('DATA T20 all patients of the compartment count, and a practitioner does not', () => {
  const coverage = parse({
    resourceType: 'Coverage',
    id: 'c',
    beneficiary: { reference: 'Patient/child' },
    subscriber: { reference: 'Patient/parent' },
    payor: [{ reference: 'Organization/x' }],
  })
  expect(coverage.record.patients).toEqual(['h1/child', 'h1/parent'])
  const performer = [{ reference: 'Practitioner/d' }, { reference: 'Patient/mother' }]
  expect(about({ reference: 'Patient/child' }, { performer }).record.patients).toEqual([
    'h1/child',
    'h1/mother',
  ])
  const group = parse({
    resourceType: 'Group',
    id: 'g',
    member: [{ entity: { reference: 'Patient/a' } }, { entity: { reference: 'Patient/b' } }],
  })
  expect(group.record.patients).toEqual(['h1/a', 'h1/b'])
})

test('DATA T22 what is about nobody may be so only by its type', () => {
  expect(parse({ resourceType: 'Organization', id: 'o' }).unresolved).toBe(false)
  expect(parse({ resourceType: 'Medication', id: 'm' }).unresolved).toBe(false)
  expect(parse({ resourceType: 'Encounter', id: 'e' }).unresolved).toBe(true)
  expect(parse({ resourceType: 'SomethingNew', id: 'x' }).unresolved).toBe(true)
})

test('DATA T21 links between charts are told, and do not make one patient of two', () => {
  const merged = parse({
    resourceType: 'Patient',
    id: 'b',
    link: [{ other: { reference: 'Patient/a' }, type: 'replaced-by' }],
  })
  expect(merged.record.patients).toEqual(['h1/b'])
  expect(merged.links).toEqual([{ to: 'h1/a', kind: 'replaced-by' }])
})

test('DATA T34 bad bytes, bad JSON and what is no resource are refused by name, without their content', () => {
  expect(codeOf(() => parse(new Uint8Array([0x7b, 0x22, 0xe3, 0x81, 0x22, 0x7d])))).toBe('NOT_UTF8')
  expect(codeOf(() => parse('{"resourceType":"Patient","id":"1"'))).toBe('LINE_NOT_JSON')
  expect(codeOf(() => parse('{"resourceType":"Patient","id":"1","id":"2"}'))).toBe('LINE_NOT_JSON')
  for (const text of [
    'null',
    '[]',
    '"x"',
    '3',
    '{}',
    '{"resourceType":"Patient"}',
    '{"resourceType":"Patient","id":"a/b"}',
    '{"resourceType":"patient","id":"1"}',
  ])
    expect(codeOf(() => parse(text))).toBe('NOT_A_RESOURCE')
  try {
    parse('{"resourceType":"Patient","id":"山田太郎"}')
  } catch (error) {
    expect(String(error)).not.toContain('山田')
  }
})

test('DATA T16 T17 the payload is the very bytes, the hash is of the content', () => {
  const text =
    '{"resourceType": "Observation","id":"o","subject":{"reference":"Patient/1"},"valueQuantity":{"value":1.00}}'
  const bytes = Buffer.from(text)
  const { record } = parse(bytes)
  expect(record.payload).toBe(bytes)
  const again = parse(
    text.replace('"id":"o"', '"id":"o","meta":{"versionId":"9","lastUpdated":"2026-01-01T00:00:00Z"}'),
  )
  expect(again.record.contentHash).toBe(record.contentHash)
  expect(again.record.sourceVersion).toBe('9')
  expect(parse(text.replace('1.00', '1.0')).record.contentHash).not.toBe(record.contentHash)
})

test('DATA T23 labels are read where FHIR puts them', () => {
  const { labels } = parse({
    resourceType: 'DocumentReference',
    id: 'd',
    subject: { reference: 'Patient/1' },
    meta: { security: [{ system: 's', code: 'R' }], tag: [{ system: 't', code: 'UNINFORMED' }] },
    securityLabel: [{ coding: [{ system: 's', code: 'V' }] }],
  }).record
  expect(labels).toEqual({ security: ['s|R', 's|V'], tags: ['t|UNINFORMED'] })
})

test('a laboratory result is told from another observation', () => {
  const category = [{ coding: [{ code: 'laboratory' }] }]
  expect(about({ reference: 'Patient/1' }, { category }).record.item).toBe('laboratory')
  expect(about({ reference: 'Patient/1' }).record.item).toBe('observation')
})
