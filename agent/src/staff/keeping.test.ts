import { expect, test } from 'vitest'
import { leavesNobody, peopleNeeded } from './keeping.ts'
import type { StaffMember } from './store.ts'

const NOW = 90 * 86_400_000
const member = (id: string, role: StaffMember['role'], more: Partial<StaffMember> = {}): StaffMember => ({
  ...{ id, name: id, role, pin: 'x', pinUntil: null, disabled: false, disabledAt: null, version: 1 },
  ...more,
})
const gone = (days: number) => ({ disabled: true, disabledAt: NOW - days * 86_400_000 })
const [a, b, d] = [member('a', 'privacy'), member('b', 'it'), member('d', 'desk')]
const fresh = { id: 'new', role: 'desk' } as const

test('R46 the first is set up by whoever installs; then one proves it, and from two on two make anybody', () => {
  expect(peopleNeeded([], fresh, NOW)).toBe(0)
  expect(peopleNeeded([d, member('a', 'privacy', { pinUntil: NOW + 1 })], fresh, NOW)).toBe(0)
  expect(peopleNeeded([a, d], fresh, NOW)).toBe(1)
  expect(peopleNeeded([a, b, d], fresh, NOW)).toBe(2)
  for (const change of [{ pin: 'new' }, { role: 'privacy' }] as const)
    expect(peopleNeeded([a, b, d], { id: 'd', ...change }, NOW)).toBe(2)
  expect(peopleNeeded([a, b, member('d', 'desk', gone(1))], { id: 'd', disabled: false }, NOW)).toBe(2)
  for (const change of [{ disabled: true }, { role: 'desk' }, {}] as const)
    expect(peopleNeeded([a, b, d], { id: 'd', ...change }, NOW)).toBe(1)
})

test('R46 disabling the other makes nobody alone for a month, and the last is never lost', () => {
  expect(peopleNeeded([a, { ...b, ...gone(29) }], fresh, NOW)).toBe(2)
  expect(peopleNeeded([a, { ...b, ...gone(31) }], fresh, NOW)).toBe(1)
  expect(leavesNobody([a, b], { id: 'a', disabled: true })).toBe(false)
  for (const change of [{ disabled: true }, { role: 'desk' }, { pin: 'new' }] as const)
    expect(leavesNobody([a, d, { ...b, ...gone(1) }], { id: 'a', ...change })).toBe(true)
  expect(leavesNobody([a, d], { id: 'd', disabled: true })).toBe(false)
  expect(leavesNobody([d], { id: 'd', disabled: true })).toBe(false)
})
