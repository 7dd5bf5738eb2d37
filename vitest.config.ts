import { defineConfig } from 'vitest/config'

const postgres = process.env['KAKEHASHI_POSTGRES']
const exclude = ['**/node_modules/**']

const unit = {
  test: {
    name: 'unit',
    include: ['{protocol,agent,hub}/**/*.test.ts', 'test/{law,house}/**/*.test.ts'],
    exclude,
    env: { DATABASE_URL: '' },
  },
}

/** The same tests of the stores and the hub once more, on PostgreSQL. */
const hubPostgres = {
  test: {
    name: 'hub-postgres',
    include: ['protocol/store/**/*.test.ts', 'hub/**/*.test.ts', 'test/law/hub*.test.ts'],
    exclude,
    env: { DATABASE_URL: postgres ?? '' },
  },
}

const whole = {
  test: {
    name: 'whole',
    include: ['test/{sim,walk,kill,fuzz,look,hospital}/**/*.test.ts'],
    exclude,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    env: { DATABASE_URL: '' },
  },
}

export default defineConfig({
  test: { projects: postgres === undefined ? [unit, whole] : [unit, hubPostgres, whole] },
})
