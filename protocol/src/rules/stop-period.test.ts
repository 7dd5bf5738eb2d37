import { expect, test } from 'vitest'
import { operatorId, stopId } from '../ids.ts'
import { inStopPeriod } from './stop-period.ts'
import type { ItemClass, StopFact } from './state.ts'

const OPERATOR = operatorId('op-1')
const at = (text: string): number => Date.parse(`${text}+09:00`)
const STOP: StopFact = {
  stop: stopId('s1'),
  tracks: null,
  operators: null,
  requester: 'person',
  standing: 'withdrawn',
  askedAt: at('2026-05-10T09:00:00'),
  withdrawnAt: at('2026-06-20T15:00:00'),
  origin: 'counter',
}

function excluded(
  resource: Record<string, unknown> | string,
  change: { stop?: Partial<StopFact>; item?: ItemClass; sourceTime?: string; mediaType?: string } = {},
): boolean {
  const { stop = {}, item = 'laboratory', sourceTime, mediaType = 'application/fhir+json' } = change
  const text = typeof resource === 'string' ? resource : JSON.stringify(resource)
  const record = { item, mediaType, payload: new TextEncoder().encode(text) }
  return inStopPeriod(
    sourceTime === undefined ? record : { ...record, sourceTime },
    [{ ...STOP, ...stop }],
    'ANON',
    OPERATOR,
  )
}

test.each([
  ['2026-05-10T08:59:59+09:00', false],
  ['2026-05-10T09:00:00+09:00', true],
  ['2026-05-10T00:00:00Z', true],
  ['2026-05-10', true],
  ['2026-05-09', false],
  ['2026-06-20T15:00:00+09:00', true],
  ['2026-06-20T15:00:01+09:00', false],
  ['2026-06-20', true],
  ['2026-06-21', false],
  ['2026-05-10T08:30', false],
  ['2026-04', false],
  ['2026-06', true],
  ['2026-07', false],
  ['2026', true],
  ['2025', false],
])('R21 stop period data: a result of %s is excluded: %s', (effectiveDateTime, answer) => {
  expect(excluded({ resourceType: 'Observation', effectiveDateTime })).toBe(answer)
})

test('R21 stop period data: any date in the record counts, and a stay that spans the stop', () => {
  const before = '2026-05-01'
  expect(excluded({ effectiveDateTime: before, issued: '2026-05-20T10:00:00+09:00' })).toBe(true)
  expect(excluded({ effectiveDateTime: before, component: [{ valueDateTime: '2026-06-01' }] })).toBe(true)
  expect(excluded({ period: { start: before, end: '2026-07-01' } })).toBe(true)
  expect(excluded({ period: { start: '2026-06-21', end: '2026-07-01' } })).toBe(false)
  expect(excluded({ onsetPeriod: { start: before } })).toBe(false)
  const cover = { resourceType: 'Coverage', period: { start: '2020-04-01', end: '2030-03-31' } }
  expect(excluded(cover, { item: 'insurance' })).toBe(false)
  expect(excluded({ ...cover, period: { start: '2026-06-01' } }, { item: 'insurance' })).toBe(true)
})

test('R21 stop period data: times of the machine and of the person date no record; unknown dates stay out', () => {
  const resource = { meta: { lastUpdated: '2026-05-20T10:00:00Z' }, birthDate: '2026-05-20', code: '2026' }
  expect(excluded({ ...resource, effectiveDateTime: '2026-07-01' })).toBe(false)
  expect(excluded(resource)).toBe(true)
  expect(excluded(resource, { sourceTime: '2026-05-20T10:00:00Z' })).toBe(true)
  expect(excluded(resource, { sourceTime: '2026-07-20T10:00:00Z' })).toBe(false)
  expect(excluded('MSH|…', { mediaType: 'x-application/hl7-v2+er7' })).toBe(true)
  expect(excluded('{', {})).toBe(true)
  expect(excluded({ resourceType: 'Patient', birthDate: '1950-01-01' }, { item: 'identity' })).toBe(false)
})

test('R21 stop period data: only stops withdrawn, of this track and operator; an undone one never was', () => {
  const inside = { effectiveDateTime: '2026-06-01' }
  expect(excluded(inside)).toBe(true)
  expect(excluded(inside, { stop: { standing: 'undone' } })).toBe(false)
  expect(excluded(inside, { stop: { tracks: ['PSEUDO'] } })).toBe(false)
  expect(excluded(inside, { stop: { operators: [operatorId('op-2')] } })).toBe(false)
  expect(excluded(inside, { stop: { withdrawnAt: null } })).toBe(true)
})
