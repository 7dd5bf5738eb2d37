import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { expect, test, vi } from 'vitest'
import { MEMORY_ROOT, withDuckDB, withMemory } from '../content/memory.ts'
import { scanPackage } from '../release/scan.ts'
import { treat } from './disclosure.ts'
import { intruderWins, simulateIntruder, wilson } from './intruder.ts'
import { generalise, joined, LEVELS, searchLattice, type Combination, type Hierarchy } from './k-anonymity.ts'
import { linkedCohort } from './linked-cohort.ts'
import { recheck } from './recheck.ts'
import { treatUntilItResists } from './resist.ts'
import { allRows, Staging } from './staging.ts'
import { formulaSafe, writeTables } from './tables.ts'
import { systemEnv } from '@kakehashi/protocol/env'
import { parsePatientKey, personKey, type PatientKey } from '@kakehashi/protocol/ids'
import { sha256Hex } from '@kakehashi/protocol/signing'

/** The machine that runs these may be busy with ten other things. */
const PATIENCE_MS = 60_000
vi.setConfig({ testTimeout: PATIENCE_MS })

/** Small repeatable pseudo-random numbers, so that a failure can be run again. */
function* dice(seed: number): Generator<number> {
  let state = seed
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

const HIERARCHIES: Hierarchy[] = ['sex', 'age', 'region']

function randomTable(seed: number): Combination[] {
  const roll = dice(seed)
  const next = (n: number): number => Math.floor((roll.next().value ?? 0) * n)
  const table = new Map<string, Combination>()
  for (let i = 0; i < 60; i++) {
    const low = next(18) * 5
    const values = [
      ['male', 'female'][next(2)] ?? '',
      low >= 90 ? '90+' : `${low}-${low + 4}`,
      ['東京都', '神奈川県', '北海道', '沖縄県'][next(4)] ?? '',
    ]
    table.set(joined(values), { values, persons: 1 + next(6) })
  }
  return [...table.values()]
}

test('T48 k-anonymity: the least-loss node of the whole lattice, found again by brute force on random tables', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const table = randomTable(seed)
    const rules = { k: 4 + (seed % 8), suppressionLimit: (seed % 4) * 0.05, regionMin: 20 }
    const found = searchLattice(table, HIERARCHIES, rules)
    const region = new Map<string, number>()
    for (const c of table) region.set(c.values[2] ?? '', (region.get(c.values[2] ?? '') ?? 0) + c.persons)
    const small = new Set([...region].filter(([, n]) => n < rules.regionMin).map(([r]) => r))
    const total = table.reduce((n, c) => n + c.persons, 0)
    let best = Number.POSITIVE_INFINITY
    for (let s = 0; s < 2; s++)
      for (let a = 0; a < 4; a++)
        for (let r = 0; r < 4; r++) {
          const levels = [s, a, r]
          const sizes = new Map<string, number>()
          for (const c of table) {
            const name = c.values
              .map((v, i) => generalise(HIERARCHIES[i] ?? 'sex', v, levels[i] ?? 0, small))
              .join()
            sizes.set(name, (sizes.get(name) ?? 0) + c.persons)
          }
          const kept = [...sizes.values()].filter((n) => n >= rules.k)
          const out = (total - kept.reduce((n, x) => n + x, 0)) / total
          if (kept.length === 0 || out > rules.suppressionLimit) continue
          const mean = (s / (LEVELS.sex - 1) + a / (LEVELS.age - 1) + r / (LEVELS.region - 1)) / 3
          best = Math.min(best, (1 - out) * mean + out)
        }
    expect(found?.loss).toBeCloseTo(best, 12)
    expect(found?.smallestClass).toBeGreaterThanOrEqual(rules.k)
    expect(found?.checked).toBe(32)
  }
  expect(
    searchLattice([{ values: ['male', '40-44', '東京都'], persons: 3 }], HIERARCHIES, {
      k: 10,
      suppressionLimit: 0.1,
      regionMin: 1,
    }),
  ).toBeNull()
})

test('T47 a small prefecture is merged into its region before large ones are', () => {
  const small = new Set(['沖縄県'])
  expect(generalise('region', '沖縄県', 1, small)).toBe('九州')
  expect(generalise('region', '東京都', 1, small)).toBe('東京都')
  expect(generalise('region', '東京都', 2, small)).toBe('関東')
  expect(generalise('age', '85-89', 2, small)).toBe('80+')
  expect(generalise('age', '40-44', 1, small)).toBe('40-49')
  expect(generalise('age', '90+', 1, small)).toBe('90+')
})

const ICD = 'http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full'
const pseudonym = (i: number): string => `p${String(i).padStart(32, '0')}`

async function staged<T>(
  persons: number,
  code: (i: number) => string,
  value: (i: number) => number,
  job: (db: DuckDBConnection, directory: string) => Promise<T>,
): Promise<T> {
  return withMemory(MEMORY_ROOT, (directory) =>
    withDuckDB(directory, async (db) => {
      const staging = await Staging.open(db, linkedCohort())
      for (let i = 0; i < persons; i++) {
        const subject = { reference: `Patient/${pseudonym(i)}` }
        staging.add(
          {
            resourceType: 'Patient',
            id: pseudonym(i),
            gender: 'male',
            birthDate: i % 2 ? '40-44' : '60-64',
            address: [{ state: '東京都' }],
          } as never,
          i,
        )
        staging.add(
          {
            resourceType: 'Condition',
            subject,
            onsetDateTime: '2025-01-01',
            code: { coding: [{ system: ICD, code: code(i) }] },
          } as never,
          i,
        )
        staging.add(
          {
            resourceType: 'Observation',
            subject,
            effectiveDateTime: '2025-01-02',
            code: { coding: [{ system: 'http://loinc.org', code: '2345-7' }] },
            valueQuantity: { value: value(i), code: 'mg/dL' },
          } as never,
          i,
        )
      }
      staging.finish()
      return job(db, directory)
    }),
  )
}

test('R36 rare codes become three characters, then go; extremes are pulled in to what ten persons share', async () => {
  const code = (i: number): string => (i < 40 ? 'I10' : i < 52 ? `E11.${i % 9}` : i === 52 ? 'Q87.4' : 'J00')
  await staged(
    80,
    code,
    (i) => (i === 7 ? 5000 : 100 + (i % 30)),
    async (db) => {
      const treated = await treat(db, linkedCohort())
      const codes = await allRows(
        db,
        'SELECT code, count(DISTINCT person)::INTEGER FROM condition GROUP BY 1 ORDER BY 1',
      )
      expect(codes).toEqual([
        ['E11', 12],
        ['I10', 40],
        ['J00', 27],
      ])
      const condition = treated.events.find((e) => e.view === 'condition')
      expect(condition?.codesDropped).toBe(1)
      const [range] = await allRows(db, 'SELECT max(value) FROM observation')
      expect(Number(range?.[0])).toBeLessThan(130)
      expect(treated.events.find((e) => e.view === 'observation')?.valuesClipped).toBeGreaterThan(0)
      expect(treated.generalised.smallestClass).toBeGreaterThanOrEqual(10)
    },
  )
})

test('R36 the second count finds what the first was made to overlook', async () => {
  await staged(
    40,
    () => 'I10',
    (i) => 100 + (i % 3),
    async (db, directory) => {
      const profile = linkedCohort()
      await treat(db, profile)
      const good = join(directory, 'good')
      await mkdir(good)
      await writeTables(db, profile, good)
      const fine = await recheck(db, profile, good)
      expect(fine.checks.filter((c) => !c.ok)).toEqual([])
      expect(fine.smallestClass).toBe(20)

      await db.run(`UPDATE person SET region = '東京都千代田区' WHERE person = '${pseudonym(3)}'`)
      await db.run(
        `UPDATE condition SET code = 'Q87.4', onset = '2025-01-01T09:00' WHERE person = '${pseudonym(4)}'`,
      )
      await db.run(`UPDATE observation SET value = 9999 WHERE person = '${pseudonym(5)}'`)
      await db.run(`DELETE FROM person WHERE person = '${pseudonym(6)}'`)
      const bad = join(directory, 'bad')
      await mkdir(bad)
      await writeTables(db, profile, bad)
      const failed = (await recheck(db, profile, bad)).checks.filter((c) => !c.ok).map((c) => c.check)
      expect(failed).toEqual([
        'person.region: closed domain',
        'condition.onset: closed domain',
        'persons: classes of at least 10',
        'condition: every row belongs to a person in the release',
        'condition: every code has at least 10 persons',
        'observation: every row belongs to a person in the release',
        'observation: each extreme value is shared by at least 10 persons',
      ])
    },
  )
})

test('T45 T46 the scanner fails a package with a hash of an id, a chart number, or a hospital in it', async () => {
  const chart = parsePatientKey('hospital-a/A000123')
  const charts = new Map<PatientKey, ReturnType<typeof personKey>>([[chart, personKey('person-key-1')]])
  const cohort = { charts, hospitalWords: ['架け橋中央病院'] }
  const nobody = {
    selectFrom: () => nobody,
    select: () => nobody,
    where: () => nobody,
    execute: async () => [],
  }
  const short = Buffer.from(sha256Hex(chart).slice(0, 32), 'hex').toString('base64url')
  const planted: [string, string[]][] = [
    [pseudonym(99), []],
    [sha256Hex('A000123'), ['hash-of-id']],
    [short, ['hash-of-id']],
    ['A000123', ['source-id']],
    ['person-key-1', ['person-key']],
    ['架け橋中央病院', ['hospital']],
  ]
  await staged(
    20,
    () => 'I10',
    () => 1,
    async (db, directory) => {
      await treat(db, linkedCohort())
      await mkdir(join(directory, 'tables'))
      await writeFile(join(directory, 'manifest.json'), '{}')
      let cell = pseudonym(1)
      for (const [next, kinds] of planted) {
        await db.run(`UPDATE person SET person = '${next}' WHERE person = '${cell}'`)
        cell = next
        await writeTables(db, linkedCohort(), join(directory, 'tables'))
        const found = await scanPackage(db, linkedCohort(), directory, cohort, nobody as never)
        expect([...new Set(found.map((f) => f.kind))]).toEqual(kinds)
      }
    },
  )
})

test('R40 text that a spreadsheet would run gets an apostrophe, numbers do not', async () => {
  await withMemory(MEMORY_ROOT, (directory) =>
    withDuckDB(directory, async (db) => {
      const rows = await allRows(
        db,
        `SELECT ${formulaSafe('t')} FROM (VALUES ('=1+1'), ('+x'), ('-x'), ('@x'), ('a=b'), ('90+')) v(t)`,
      )
      expect(rows.flat()).toEqual(["'=1+1", "'+x", "'-x", "'@x", 'a=b', '90+'])
    }),
  )
})

test('R36 the interval of an attack rate is Wilson’s', () => {
  const { low, high } = wilson(1, 10)
  expect(low).toBeCloseTo(0.0179, 3)
  expect(high).toBeCloseTo(0.4042, 3)
})

test('R36 the simulated intruder finds a planted leak and nothing where everyone is alike', async () => {
  const env = systemEnv()
  const attack = (code: (i: number) => string) =>
    staged(
      40,
      code,
      () => 1,
      (db) => simulateIntruder(db, linkedCohort(), env),
    )
  const alike = await attack(() => 'I10')
  expect(alike[0]).toMatchObject({ known: 1, targets: 40, unique: 0 })
  expect(intruderWins(alike, 0)).toBe(false)
  const leaking = await attack((i) => `A${String(i).padStart(2, '0')}`)
  expect(leaking[0]).toMatchObject({ known: 1, targets: 40, unique: 40 })
  expect(intruderWins(leaking, 0.05)).toBe(true)
})

test('R36 while the intruder wins, classes and codes are made twice as common, from what was staged', async () => {
  const code = (i: number): string => (i < 36 ? `A${10 + Math.floor(i / 3)}` : 'I10')
  const small = linkedCohort({ k: 2, rareCodeMin: 2, tailMin: 2, smallKReason: 'test' })
  const loose = { ...small, privacy: { ...small.privacy, singledOutMax: 1 } }
  const env = systemEnv()
  const made = (profile: typeof small) =>
    staged(
      60,
      code,
      () => 1,
      async (db) => {
        const { strictness, attacks } = await treatUntilItResists(db, profile, env)
        return {
          strictness,
          unique: attacks[0]?.unique ?? 0,
          codes: await allRows(db, 'SELECT DISTINCT code FROM condition'),
        }
      },
    )
  const before = await made(loose)
  expect([before.strictness, before.codes.length]).toEqual([1, 13])
  expect(before.unique).toBeGreaterThan(3)
  const after = await made(small)
  expect([after.strictness, after.unique, after.codes.flat()]).toEqual([2, 0, ['I10']])
})
