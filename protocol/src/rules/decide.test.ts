import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusalCode } from '../refusals.ts'
import { vectors } from '../vectors.ts'
import { addDays, startOfDay, tokyoDate } from './calendar.ts'
import { decide } from './decide.ts'
import { RULES, rulesAt, rulesHash } from './rule-file.ts'
import { ITEM_CLASSES, type GateState, type NoticeFact, type StopFact } from './state.ts'

/** Properties of the gate over invented patients; the golden vectors pin single answers. */
const rules = RULES[0]!
const base = instants(vectors<{ base: unknown }>('gate').base) as GateState
const NOW = Date.parse('2026-08-15T12:00:00+09:00')
const REQUEST = { track: 'ANON', item: 'laboratory' } as const

function instants(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => instants(item))
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value)) return Date.parse(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, instants(member)]))
}

const [notice] = base.patient.notices
const times = fc.integer({ min: NOW - 200 * 86_400_000, max: NOW + 20 * 86_400_000 })
const notices: fc.Arbitrary<NoticeFact> = fc
  .record({
    at: times,
    late: fc.constantFrom(0, 0, 0, 40 * 86_400_000),
    approved: fc.boolean(),
    recipient: fc.constantFrom('person', 'guardian'),
    recipientState: fc.constantFrom('able', 'able', 'able', 'unable'),
    method: fc.constantFrom('handed', 'kiosk', 'post', 'electronic', 'other'),
    standing: fc.constantFrom('effective', 'effective', 'effective', 'pending', 'void'),
    id: fc.uuid(),
  })
  .map(({ at, late, approved, id, ...rest }) => ({
    ...notice!,
    ...rest,
    notice: id as NoticeFact['notice'],
    deliveredAt: at,
    recordedAt: at + late,
    ...(approved ? { backdateApprovedBy: 's2' } : {}),
  }))
const stops: fc.Arbitrary<StopFact> = fc
  .record({
    standing: fc.constantFrom('provisional', 'confirmed', 'withdrawn', 'undone'),
    tracks: fc.constantFrom(null, ['ANON'], ['PSEUDO'], []),
    askedAt: times,
  })
  .map(
    (drawn) =>
      ({
        stop: 's' as StopFact['stop'],
        operators: null,
        requester: 'person',
        origin: 'counter',
        withdrawnAt: drawn.standing === 'withdrawn' ? drawn.askedAt + 1 : null,
        ...drawn,
      }) as StopFact,
  )
const BIRTH_DATES = [
  ...Array<string>(6).fill('1950-01-01'),
  '2012-03-04',
  '2010-07-01',
  '2010-08-15',
  null,
  '1900-01-01',
]
const states: fc.Arbitrary<GateState> = fc
  .record({
    birthDate: fc.constantFrom(...BIRTH_DATES),
    deceasedOn: fc.constantFrom(null, null, null, '2026-05-01'),
    capacity: fc.constantFrom('able', 'able', 'able', 'able', 'unable', 'unknown'),
    notices: fc.array(notices, { minLength: 1, maxLength: 4 }),
    stops: fc.oneof(fc.constant([]), fc.array(stops, { maxLength: 2 })),
    holds: fc.constantFrom([], [], [], ['identity']),
  })
  .map((drawn): unknown => ({
    ...base,
    patient: { ...base.patient, ...drawn },
    operator: { ...base.operator, asOf: NOW - 1000 },
    latestSeen: NOW,
  }))
  .map((state) => state as GateState)

const allowed = (state: GateState, now = NOW): boolean => decide(state, REQUEST, rules, now).allow

test('whoever is allowed was notified at least 30 full days before, in time and in writing', () => {
  let allows = 0
  fc.assert(
    fc.property(states, (state) => {
      const decision = decide(state, REQUEST, rules, NOW)
      if (!decision.allow) return
      allows++
      const found = state.patient.notices.find((n) => n.notice === decision.notice)!
      expect(addDays(tokyoDate(found.deliveredAt), 31) <= tokyoDate(NOW)).toBe(true)
      expect(found.standing).toBe('effective')
      expect(found.method).not.toBe('electronic')
      expect(state.patient.holds).toEqual([])
      const standing = state.patient.stops.filter(
        (s) => s.standing === 'confirmed' || s.standing === 'provisional',
      )
      expect(
        standing.every((s) => s.tracks !== null && s.tracks.length > 0 && !s.tracks.includes('ANON')),
      ).toBe(true)
    }),
    { numRuns: 1000 },
  )
  expect(allows).toBeGreaterThan(10)
})

test('a stop, a hold or a lost notice never opens the gate', () => {
  fc.assert(
    fc.property(states, stops, fc.nat(), (state, stop, index) => {
      if (allowed(state)) return
      const { patient } = state
      const less = patient.notices.filter((_, i) => i !== index % Math.max(1, patient.notices.length))
      const standing = { ...stop, standing: 'confirmed' } as StopFact
      for (const change of [
        { stops: [...patient.stops, standing] },
        { holds: ['other'] as const },
        { notices: less },
      ])
        expect(
          allowed({
            ...state,
            patient: { ...patient, ...change, holds: [...(change.holds ?? patient.holds)] },
          }),
        ).toBe(false)
    }),
    { numRuns: 600 },
  )
})

test('a denial for waiting ends on the day it names, not a moment earlier', () => {
  fc.assert(
    fc.property(states, (drawn) => {
      const decision = decide(drawn, REQUEST, rules, NOW)
      if (decision.allow || decision.code !== 'WAITING' || decision.earliest === null) return
      const opens = startOfDay(decision.earliest)
      const state = { ...drawn, operator: { ...drawn.operator, asOf: opens } }
      const turning16 = drawn.patient.birthDate?.startsWith('201') === true
      expect(allowed(state, opens - 1)).toBe(false)
      if (!turning16) expect(allowed(state, opens)).toBe(true)
    }),
    { numRuns: 600 },
  )
})

test('the order of notices and stops does not matter', () => {
  fc.assert(
    fc.property(states, (state) => {
      const { patient } = state
      const mirrored = {
        ...patient,
        notices: patient.notices.toReversed(),
        stops: patient.stops.toReversed(),
      }
      const [one, two] = [state, { ...state, patient: mirrored }].map((s) => decide(s, REQUEST, rules, NOW))
      expect({ ...two, notice: null }).toEqual({ ...one, notice: null })
    }),
    { numRuns: 300 },
  )
})

test('R23 garbage in any place denies with a code and never throws', () => {
  const json = JSON.stringify({ ...base, operator: { ...base.operator, asOf: NOW }, latestSeen: NOW })
  const paths: string[] = []
  JSON.parse(json, function walk(this: unknown, key: string, value: unknown) {
    if (key !== '') paths.push(key)
    return value
  })
  fc.assert(
    fc.property(
      fc.constantFrom(...new Set(paths)),
      fc.jsonValue(),
      fc.constantFrom(...ITEM_CLASSES),
      (key, junk, item) => {
        const state = JSON.parse(json, (k, value: unknown) => (k === key ? junk : value)) as GateState
        const decision = decide(state, { track: 'ANON', item }, rules, NOW)
        if (!decision.allow) expect(isRefusalCode(decision.code)).toBe(true)
      },
    ),
    { numRuns: 600 },
  )
  for (const state of [null, {}, { facility: null }, 'x'])
    expect(decide(state as never, REQUEST, rules, NOW).allow).toBe(false)
})

test('R53 the rule file in force is the latest one begun, and its hash pins its text', () => {
  expect(rulesAt(NOW)).toBe(RULES.findLast((r) => r.effectiveFrom <= '2026-08-15'))
  expect(rulesHash(rules)).toMatch(/^[0-9a-f]{64}$/)
  expect(rulesHash({ ...rules, waitDaysMin: 29 })).not.toBe(rulesHash(rules))
  const starts = RULES.map((r) => r.effectiveFrom)
  expect(starts).toEqual(starts.toSorted())
  expect(new Set(RULES.map((r) => r.version)).size).toBe(RULES.length)
})
