import { expect, test, vi } from 'vitest'
import { ELEMENTS } from './elements.ts'
import { linkedCohort } from './linked-cohort.ts'
import { coverage, profileHash, readProfile, type Profile } from './profile.ts'

const PATIENCE_MS = 60_000
vi.setConfig({ testTimeout: PATIENCE_MS })

/** The profile as JSON, with one more rule. */
function withRule(type: string, path: string, rule: unknown): unknown {
  const profile = structuredClone(linkedCohort()) as unknown as {
    resources: Record<string, { rules: Record<string, unknown> }>
  }
  const resource = (profile.resources[type] ??= { rules: {} })
  resource.rules[path] = rule
  return profile
}

const keepAnything = [
  { op: 'keep-code', values: ['x'], systems: { x: '.*' }, criteria: [1] },
  { op: 'shift-date', criteria: [1] },
  { op: 'age-band', width: 5, top: 90, criteria: [1] },
  { op: 'region', criteria: [1] },
  { op: 'keep-number', units: ['x'], min: 0, max: 1, criteria: [1] },
]

test('R35 strings, names, identifiers and narratives cannot be kept by any operation, whatever the path', () => {
  const closed = new Set([
    'string',
    'Identifier',
    'HumanName',
    'ContactPoint',
    'Reference',
    'Narrative',
    'Annotation',
    'Attachment',
    'Extension',
    'id',
    'boolean',
  ])
  let tried = 0
  for (const [type, elements] of Object.entries(ELEMENTS))
    for (const [path, element] of Object.entries(elements)) {
      if (!closed.has(element)) continue
      for (const rule of keepAnything) {
        if (rule.op === 'region' && type === 'Patient' && path === 'address.state') continue
        expect(() => readProfile(withRule(type, path, rule))).toThrow(/cannot keep|is for/)
        tried++
      }
      expect(() => readProfile(withRule(type, path, { op: 'drop', criteria: [1, 2, 3] }))).not.toThrow()
    }
  expect(tried).toBeGreaterThan(500)
})

test('R33 a profile is closed: unknown paths, operations, members and open codings are load errors', () => {
  const rule = { op: 'shift-date', criteria: [1] }
  expect(() => readProfile(withRule('Patient', 'birthTime', rule))).toThrow('not an element')
  expect(() => readProfile(withRule('Basic', 'created', rule))).toThrow('not a resource')
  expect(() => readProfile(withRule('Condition', 'onsetDateTime', { op: 'keep', criteria: [1] }))).toThrow(
    'resources',
  )
  expect(() => readProfile({ ...linkedCohort(), extra: 1 })).toThrow('extra')
  expect(() => readProfile(withRule('Condition', 'code.coding', { op: 'keep-code', criteria: [4] }))).toThrow(
    'list of code systems',
  )
  expect(() => readProfile(withRule('Patient', 'deceasedDateTime', { ...keepAnything[2] }))).toThrow(
    /cannot keep/,
  )
})

test('R33 the coverage matrix proves that none of the five criteria is empty', () => {
  const matrix = coverage(linkedCohort())
  expect(matrix.map((c) => c.criterion)).toEqual([1, 2, 3, 4, 5])
  for (const row of matrix) expect(row.by.length).toBeGreaterThan(1)
  const bare = structuredClone(linkedCohort())
  for (const { rules } of Object.values(bare.resources))
    for (const rule of Object.values(rules)) rule.criteria = rule.criteria.filter((n) => n !== 2).concat(5)
  expect(() => readProfile(bare)).toThrow('criteria 2')
})

test('R33 the hash pins every rule, and a k below ten needs its reason', () => {
  const one = linkedCohort()
  const two = readProfile(withRule('Condition', 'recordedDate', { op: 'shift-date', criteria: [3] }))
  expect(profileHash(one)).toBe(profileHash(linkedCohort()))
  expect(profileHash(one)).not.toBe(profileHash(two))
  expect(() => linkedCohort({ k: 5 })).toThrow('smallKReason')
  const small: Profile = linkedCohort({ k: 5, smallKReason: '実演用の少人数データ' })
  expect(small.privacy.k).toBe(5)
})
