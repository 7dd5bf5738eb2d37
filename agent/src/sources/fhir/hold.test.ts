import { randomBytes } from 'node:crypto'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import { Hold, type PatientSpan } from './hold.ts'

const patients = ['midori/1', 'midori/2', 'midori/3'] as PatientKey[]
const span = (patient: PatientKey | undefined, length: number): PatientSpan => ({
  patient: patient as PatientKey,
  file: 'Observation.ndjson.gz',
  start: 0,
  length,
  line: 1,
})

test('what is held comes back byte for byte, once, also after its buffer was used for something else', () => {
  const hold = new Hold(patients)
  for (const size of [10, 4096, 300_000]) {
    const bytes = randomBytes(size)
    const shared = Buffer.from(bytes)
    const one = span(patients[0], size)
    hold.keep(one, shared)
    shared.fill(0)
    expect(hold.take(one)?.equals(bytes)).toBe(true)
    expect(hold.take(one)).toBeNull()
  }
  expect(hold.patients).toEqual(patients)
})

test('over its bound the last patients are put off whole, and the first never', () => {
  const hold = new Hold(patients, 10_000)
  const spans = patients.map((patient) => span(patient, 4000))
  for (const one of spans) hold.keep(one, randomBytes(4000))
  expect(hold.patients).toEqual(patients.slice(0, 2))
  expect(hold.take(spans[2] as PatientSpan)).toBeNull()
  expect([hold.wants(patients[1] as PatientKey), hold.wants(patients[2] as PatientKey)]).toEqual([
    true,
    false,
  ])
  hold.keep(span(patients[0], 20_000), randomBytes(20_000))
  expect(hold.patients).toEqual(patients.slice(0, 1))
  expect(hold.take(spans[0] as PatientSpan)).toHaveLength(4000)
})

test('ten times what it may hold fits, as records are text', () => {
  const hold = new Hold(patients, 100_000)
  const line = '{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.00}}\n'
  for (const patient of patients) hold.keep(span(patient, line.length * 4000), Buffer.from(line.repeat(4000)))
  expect(hold.patients).toEqual(patients)
})

test('a file that broke takes back what was held of it', () => {
  const hold = new Hold(patients)
  const one = span(patients[0], 5000)
  hold.keep(one, randomBytes(5000))
  hold.drop(one)
  expect(hold.take(one)).toBeNull()
})
