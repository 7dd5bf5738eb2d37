import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import { RULES, type RuleFile } from './rule-file.ts'
import type { GateRequest, GateState, LocalDate } from './state.ts'
import { earliestProvision } from './wait.ts'
import { vectors } from '../vectors.ts'

/** Replays `gate.json` and `wait.json`: any implementation of the gate must give these answers. */
interface GateVectors {
  rules: Record<string, RuleFile>
  base: unknown
  cases: { name: string; rules: string; now: string; request: GateRequest; patch: unknown; expect: object }[]
}

const gate = vectors<GateVectors>('gate')

test('the vectors carry the rule file in force', () => {
  const [first] = RULES
  expect(gate.rules[first!.version]).toEqual(first)
  expect(Object.keys(gate.rules)).toHaveLength(2)
})

test.each(gate.cases)('gate vector: $name', ({ rules, now, request, patch, expect: expected }) => {
  const state = instants(merged(gate.base, patch)) as GateState
  const rule = gate.rules[rules]!
  expect(decide(state, request, rule, Date.parse(now))).toEqual({ ...expected, ruleVersion: rules })
})

interface WaitVector {
  note: string
  rules: string
  deliveredAt: string
  waitDays: number
  closedDays: LocalDate[]
  saysOneMonth: boolean
  earliest: LocalDate
}

test.each(vectors<{ cases: WaitVector[] }>('wait').cases)(
  'wait vector: $deliveredAt, $note, $rules',
  ({ rules, deliveredAt, saysOneMonth, earliest, ...facility }) => {
    const rule = gate.rules[rules]!
    expect(earliestProvision(Date.parse(deliveredAt), rule, facility, saysOneMonth)).toBe(earliest)
  },
)

/** A JSON merge patch in which `null` is a value: no member of a state is ever removed. */
function merged(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return structuredClone(patch)
  const result: Record<string, unknown> = structuredClone(base)
  for (const [key, value] of Object.entries(patch)) result[key] = merged(base[key], value)
  return result
}

function instants(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => instants(item))
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T.*(Z|\+09:00)$/.test(value)) return Date.parse(value)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, instants(member)]))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
