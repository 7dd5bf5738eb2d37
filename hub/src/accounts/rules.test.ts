import { expect, test } from 'vitest'
import { isLastOfficer, officersNeeded, type Role } from './rules.ts'

const NOW = 90 * 86_400_000
const account = (id: string, role: Role, goneDays: number | null = null) => ({
  ...{ account: id, roles: [role], disabled: goneDays !== null },
  disabledAt: goneDays === null ? null : NOW - goneDays * 86_400_000,
})

test('R46 accounts: the first are set up freely, then an officer proves it, and from two on two make anybody', () => {
  const [privacy, auditor, desk] = [
    account('p', 'privacy'),
    account('a', 'auditor'),
    account('d', 'desk'),
  ] as const
  expect(officersNeeded([], true, NOW)).toBe(0)
  expect(officersNeeded([desk], true, NOW)).toBe(0)
  expect(officersNeeded([desk, privacy], true, NOW)).toBe(1)
  expect([true, false].map((makes) => officersNeeded([privacy, auditor], makes, NOW))).toEqual([2, 1])
  expect([29, 31].map((days) => officersNeeded([privacy, account('a', 'auditor', days)], true, NOW))).toEqual(
    [2, 1],
  )
  expect(isLastOfficer([privacy, auditor], 'p')).toBe(false)
  expect(isLastOfficer([privacy, desk, account('a', 'auditor', 1)], 'p')).toBe(true)
  expect(isLastOfficer([privacy, desk], 'd')).toBe(false)
})
