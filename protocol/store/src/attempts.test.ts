import type { Env } from '@kakehashi/protocol/env'
import { systemEnv } from '@kakehashi/protocol/env'
import { expect, test } from 'vitest'
import { attemptMigration, Attempts, type AttemptTables } from './attempts.ts'
import { openStore, type Store } from './store.ts'

async function counted() {
  const clock = { now: 1_000_000 }
  const env: Env = { ...systemEnv(), now: () => clock.now }
  const store = await openStore<AttemptTables>(':memory:', [attemptMigration('a')], env)
  const again = () => new Attempts(store as unknown as Store<AttemptTables>, Buffer.from('key'))
  return { clock, store, again, attempts: again() }
}

test('four mistakes are free, then the wait doubles; flooding with names does not free the one under attack', async () => {
  const { clock, attempts, again } = await counted()
  const waits = []
  for (let n = 0; n < 8; n++) {
    expect(await attempts.begin('x')).toBe(0)
    waits.push(await attempts.waitMs('x'))
    clock.now += waits.at(-1) ?? 0
  }
  expect(waits).toEqual([0, 0, 0, 0, 30_000, 60_000, 120_000, 240_000])
  await attempts.begin('x')
  for (let n = 0; n < 999; n++) await attempts.begin(`name-${n}`)
  expect(await again().waitMs('x')).toBe(480_000)
  await attempts.succeeded('x')
  expect(await attempts.waitMs('x')).toBe(0)
})

test('ASVS 6.3.1 a new process counts on; a hundred guesses at once are not all the first; another day is another day', async () => {
  const { clock, attempts, again, store } = await counted()
  const waits = await Promise.all(Array.from({ length: 100 }, () => attempts.begin('x')))
  expect(waits.filter((ms) => ms === 0)).toHaveLength(5)
  expect(await again().begin('x')).toBe(30_000)
  clock.now += 25 * 3_600_000
  expect(await again().begin('x')).toBe(0)
  expect(await again().waitMs('x')).toBe(0)
  expect(JSON.stringify(await store.db.selectFrom('attempt').selectAll().execute())).not.toContain('"x"')
})
