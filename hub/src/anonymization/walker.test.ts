import { expect, test, vi } from 'vitest'
import { ageAt, ageBand, shiftDate } from './dates.ts'
import { ELEMENTS } from './elements.ts'
import { linkedCohort } from './linked-cohort.ts'
import { isFrom, newOffset, newPseudonym } from './persons.ts'
import { systemEnv } from '@kakehashi/protocol/env'
import { prefectureOf, REGION_VALUES } from './regions.ts'
import { compileView } from './view/rows.ts'
import { compileWalker } from './walker.ts'

const PATIENCE_MS = 60_000
vi.setConfig({ testTimeout: PATIENCE_MS })

const about = { pseudonym: `p${'0'.repeat(32)}`, offsetDays: -37, asOf: '2026-04-01' }
const walker = compileWalker(linkedCohort())

type Json = Record<string, unknown>

/** A resource with a canary in every leaf the table of elements knows, and in many it does not. */
function canaries(type: string): { resource: Json; planted: string[] } {
  const planted: string[] = []
  const canary = (path: string): string => {
    const text = `CANARY-${planted.length}-${path}`
    planted.push(text)
    return text
  }
  const resource: Json = { resourceType: type }
  for (const path of Object.keys(ELEMENTS[type] ?? {})) {
    const parts = path.split('.')
    let node = resource
    for (const part of parts.slice(0, -1)) node = (node[part] ??= {}) as Json
    const last = parts.at(-1) ?? ''
    if (typeof node === 'object' && !(last in node))
      node[last] = {
        system: canary(path),
        code: canary(path),
        value: canary(path),
        display: canary(path),
        text: canary(path),
      }
  }
  resource['contained'] = [{ resourceType: 'Patient', name: [{ text: canary('contained') }] }]
  resource['extension'] = [{ url: canary('url'), valueString: canary('extension') }]
  resource['_birthDate'] = { extension: [{ valueDateTime: canary('_birthDate') }] }
  resource['unknownElement'] = canary('unknown')
  return { resource, planted }
}

test('T46 default deny: a canary in every leaf, and none comes out', () => {
  for (const type of Object.keys(ELEMENTS)) {
    const { resource, planted } = canaries(type)
    expect(planted.length).toBeGreaterThan(40)
    for (const status of ['final', 'active'])
      expect(JSON.stringify(walker.walk(type, JSON.stringify({ ...resource, status }), about))).not.toContain(
        'CANARY',
      )
  }
  expect(walker.walk('DocumentReference', '{"resourceType":"DocumentReference"}', about)).toEqual({
    dropped: 'no-rule',
  })
})

const ICD = 'http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full'
const diagnosis = {
  resourceType: 'Condition',
  id: 'cond-0001',
  meta: { lastUpdated: '2024-03-11T00:00:00Z' },
  code: { coding: [{ system: ICD, code: 'E11.9', display: '２型糖尿病' }], text: '山田' },
  onsetDateTime: '2024-03-11T08:00:00+09:00',
  subject: { reference: 'Patient/0001', display: '山田太郎' },
}

test('R35 what the rules name is kept, shifted and stripped to system and code; the person is the pseudonym', () => {
  expect(walker.walk('Condition', JSON.stringify(diagnosis), about)).toEqual({
    kept: {
      resourceType: 'Condition',
      code: { coding: [{ system: ICD, code: 'E11.9' }] },
      onsetDateTime: '2024-02-03',
      subject: { reference: `Patient/${about.pseudonym}` },
    },
  })
})

test('R35 modifierExtension anywhere, errors and refuted diagnoses drop the whole resource', () => {
  const modified = { ...diagnosis, code: { ...diagnosis.code, modifierExtension: [{ url: 'urn:not' }] } }
  expect(walker.walk('Condition', JSON.stringify(modified), about)).toEqual({ dropped: 'modifier-extension' })
  const refuted = { ...diagnosis, verificationStatus: { coding: [{ code: 'refuted' }] } }
  expect(walker.walk('Condition', JSON.stringify(refuted), about)).toEqual({ dropped: 'not-required-status' })
  const wrong = { resourceType: 'Observation', status: 'entered-in-error' }
  expect(walker.walk('Observation', JSON.stringify(wrong), about)).toEqual({ dropped: 'not-required-status' })
})

test('R34 dates shift with their precision, instants as the day in Tokyo, and gaps stay equal', () => {
  expect(shiftDate('2024-03-11', 10)).toBe('2024-03-21')
  expect(shiftDate('2024-03', 20)).toBe('2024-04')
  expect(shiftDate('2024', -200)).toBe('2023')
  expect(shiftDate('2024-02-28T23:30:00Z', 1)).toBe('2024-03-01')
  expect(shiftDate('2024-02-28T23:30:00+09:00', 1)).toBe('2024-02-29')
  for (const bad of ['令和6年3月11日', '20240311', '2024-13-01', 'yesterday', ''])
    expect(shiftDate(bad, 1)).toBeNull()
  const env = systemEnv()
  for (let i = 0; i < 200; i++) {
    const offset = newOffset(env, { rangeDays: 180, multipleOf: 1 })
    expect(offset).not.toBe(0)
    expect(Math.abs(offset)).toBeLessThanOrEqual(180)
    const [a, b] = ['2024-02-20', '2024-03-05'].map((d) => Date.parse(shiftDate(d, offset) ?? ''))
    expect(((b ?? 0) - (a ?? 0)) / 86_400_000).toBe(14)
    expect(Math.abs(newOffset(env, { rangeDays: 180, multipleOf: 7 })) % 7).toBe(0)
  }
})

test('T47 age 103 falls into the class of ninety and over, and no town is kept', () => {
  expect(ageBand(ageAt('1922-05-05', '2026-04-01') ?? 0, 5, 90)).toBe('90+')
  expect(ageBand(89, 5, 90)).toBe('85-89')
  expect(ageAt('2000-04-02', '2026-04-01')).toBe(25)
  const old = {
    resourceType: 'Patient',
    gender: 'female',
    birthDate: '1922-05-05',
    address: [{ state: '北海道', city: '秘境町' }],
  }
  expect(walker.walk('Patient', JSON.stringify(old), about)).toEqual({
    kept: {
      resourceType: 'Patient',
      id: about.pseudonym,
      gender: 'female',
      birthDate: '90+',
      address: [{ state: '北海道' }],
    },
  })
  for (const [state, name] of [
    ['13', '東京都'],
    ['JP-27', '大阪府'],
    ['京都', '京都府'],
  ] as const)
    expect(prefectureOf(state)).toBe(name)
  expect(prefectureOf('秘境町')).toBeNull()
  expect(REGION_VALUES.has('東京都')).toBe(true)
})

test('R35 values outside the lists do not pass: units, comparators, codes of another shape', () => {
  const lab = (valueQuantity: Json, code = '2345-7') =>
    walker.walk(
      'Observation',
      JSON.stringify({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code }] },
        valueQuantity,
      }),
      about,
    ) as { kept: Json }
  expect(lab({ value: 5, code: 'mg/dL' }).kept['valueQuantity']).toEqual({ value: 5, code: 'mg/dL' })
  expect(lab({ value: 5, code: 'PATIENT-77' }).kept['valueQuantity']).toBeUndefined()
  expect(lab({ value: 5, comparator: '<', code: 'mg/dL' }).kept['valueQuantity']).toBeUndefined()
  expect(lab({ value: '5', code: 'mg/dL' }).kept['valueQuantity']).toBeUndefined()
  expect(lab({ value: 1e9, code: 'mg/dL' }).kept['valueQuantity']).toEqual({ value: 1e6, code: 'mg/dL' })
  expect(lab({ value: 5, code: 'mg/dL' }, 'taro-yamada').kept['code']).toBeUndefined()
})

test('R42 a pseudonym tells its package and nothing else', () => {
  const env = systemEnv()
  const [mine, other] = [env.random(32), env.random(32)]
  const seen = new Set<string>()
  for (let i = 0; i < 500; i++) {
    const pseudonym = newPseudonym(env, mine)
    expect(pseudonym).toMatch(/^p[0-9a-f]{32}$/)
    expect([isFrom(pseudonym, mine), isFrom(pseudonym, other)]).toEqual([true, false])
    seen.add(pseudonym)
  }
  expect(seen.size).toBe(500)
})

test('R35 views: the subset of SQL on FHIR is read, anything else is a load error', () => {
  const view = compileView({
    resourceType: 'ViewDefinition',
    name: 'v',
    title: '',
    resource: 'Condition',
    status: 'active',
    where: [{ path: "code.coding.where(system = 's').exists()" }],
    select: [
      {
        column: [
          column('person', 'subject.getReferenceKey(Patient)'),
          column('onset', 'onset.ofType(dateTime)'),
        ],
      },
      { forEach: 'code.coding', column: [column('code', 'code')] },
    ],
  })
  const kept = {
    resourceType: 'Condition',
    subject: { reference: 'Patient/p1' },
    onsetDateTime: '2024-01-01',
    code: {
      coding: [
        { system: 's', code: 'A' },
        { system: 't', code: 'B' },
      ],
    },
  }
  expect(view.rows(kept)).toEqual([
    ['p1', '2024-01-01', 'A'],
    ['p1', '2024-01-01', 'B'],
  ])
  expect(view.rows({ ...kept, code: { coding: [{ system: 't', code: 'B' }] } })).toEqual([])
  for (const path of ['a | b', 'iif(true, 1, 2)', 'a.all(b)', 'a[0]', "a.replace('x', 'y')", 'descendants()'])
    expect(() => compileView({ ...empty, select: [{ column: [column('x', path)] }] })).toThrow(
      'not understood',
    )
})

const empty = {
  resourceType: 'ViewDefinition' as const,
  name: 'v',
  title: '',
  resource: 'X',
  status: 'active' as const,
  where: [],
}

function column(name: string, path: string) {
  return { name, path, type: 'string' as const, description: '' }
}
