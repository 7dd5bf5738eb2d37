import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { runSeeds } from './pool.ts'
import { runSeed } from './run.ts'
import { missing } from './sometimes.ts'

/** `KAKEHASHI_SIM_SEEDS=100` asks for fewer where somebody waits; then not everything need be met. */
const SEEDS = Number(process.env['KAKEHASHI_SIM_SEEDS'] ?? 1000)
const HALF_AN_HOUR = 1_800_000
const threads = Math.min(4, availableParallelism())

test('the same seed is the same history, another seed another', async () => {
  const [first, again, other] = [await runSeed(7), await runSeed(7), await runSeed(8)]
  expect(again.traceHash).toBe(first.traceHash)
  expect(again.events).toBe(first.events)
  expect(other.traceHash).not.toBe(first.traceHash)
})

test(
  `${SEEDS} seeds: no invariant is violated, and everything worth meeting was met`,
  async () => {
    const started = performance.now()
    const tally = await runSeeds({ from: 1, seeds: SEEDS, threads, plant: null })
    expect(tally.failures.map(({ seed, text }) => `seed ${seed}: ${text}`)).toEqual([])
    expect(tally.seeds).toBe(SEEDS)
    expect(SEEDS < 1000 ? [] : missing(tally.sometimes)).toEqual([])
    const seconds = (performance.now() - started) / 1000
    const faults = [...tally.faults.values()].reduce((a, b) => a + b, 0)
    console.log(
      `${tally.seeds} seeds, ${tally.events} events, ${faults} faults, ${(tally.seeds / seconds).toFixed(1)} seeds/s, ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB at most`,
    )
  },
  HALF_AN_HOUR,
)
