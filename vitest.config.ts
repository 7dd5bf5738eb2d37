import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const postgres = process.env['KAKEHASHI_POSTGRES']
const exclude = ['**/node_modules/**']
const LONG = '{protocol,agent,hub,test}/**/*.long.test.ts'

const unit = {
  test: {
    name: 'unit',
    include: ['{protocol,agent,hub}/**/*.test.ts', 'test/{law,house}/**/*.test.ts'],
    exclude: [...exclude, LONG],
    // nothing of ours keeps state in a module: files of one worker may share what they loaded
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { DATABASE_URL: '' },
  },
}

/** What takes longer than a developer waits for between two edits. */
const long = { test: { ...unit.test, name: 'long', include: [LONG], exclude, testTimeout: 600_000 } }

/** The same tests of the stores and the hub once more, on PostgreSQL. */
const hubPostgres = {
  test: {
    name: 'hub-postgres',
    include: ['protocol/store/**/*.test.ts', 'hub/**/*.test.ts', 'test/law/hub*.test.ts'],
    exclude,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { DATABASE_URL: postgres ?? '' },
  },
}

/** Deterministic simulation: nothing but computing. */
const sim = {
  test: {
    ...unit.test,
    name: 'sim',
    include: ['test/sim/**/*.test.ts'],
    exclude,
    testTimeout: 900_000,
    // it takes all cores by itself: after everything else
    sequence: { groupOrder: 1 },
  },
}

/** Real programs, browsers and servers: mostly waiting, and one at a time. */
const whole = {
  test: {
    name: 'whole',
    include: ['test/{walk,kill,fuzz,look,hospital}/**/*.test.ts'],
    exclude: [...exclude, LONG],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    env: { DATABASE_URL: '' },
  },
}

export default defineConfig({
  test: {
    // by default one core is left alone, which on two is half of them
    maxWorkers: availableParallelism(),
    projects: postgres === undefined ? [unit, long, sim, whole] : [unit, long, hubPostgres, sim, whole],
  },
})
