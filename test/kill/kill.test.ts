import { expect, test } from 'vitest'
import { ordeal } from './ordeal.ts'

test('kill -9 of agent, gateway and vault at random moments loses nothing and doubles nothing', async () => {
  const { killed, verdict, faults } = await ordeal({ kills: 5, seed: 'test', patients: 30 })
  expect(faults).toEqual([])
  expect(killed.map((one) => [one.name, one.kills])).toEqual([
    ['agent', 5],
    ['gateway', 5],
    ['vault', 5],
  ])
  expect(verdict.expected).toBeGreaterThan(60)
  expect(verdict.batches).toBeGreaterThan(1)
})
