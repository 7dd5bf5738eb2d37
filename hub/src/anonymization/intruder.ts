import type { DuckDBConnection } from '@duckdb/node-api'
import type { Env } from '@kakehashi/protocol/env'
import type { Profile } from './profile.ts'
import { allRows } from './staging.ts'

export interface Attack {
  /** How many events the intruder knows beside sex, age and region. */
  known: 1 | 2
  targets: number
  /** Targets whom exactly one person in the release fits. */
  unique: number
  /** Wilson interval of the share, 95 %. */
  low: number
  high: number
}

export const TARGETS_MAX = 1000

const q = (name: string): string => `"${name}"`

/**
 * A simulated intruder who knows the quasi-identifiers and one or two random events (code, and for two the days
 * between them) of random persons in the release, and counts who else fits.
 */
export async function simulateIntruder(db: DuckDBConnection, profile: Profile, env: Env): Promise<Attack[]> {
  const event = profile.events[0]
  if (!event || event.date === null) return []
  const [code, date] = [q(event.code), q(event.date)]
  const quasi = profile.persons.quasi.map((c) => q(c.column))
  await db.run(`CREATE OR REPLACE TEMP TABLE seen AS
    SELECT e.person, ${quasi.map((c) => `p.${c}`).join(', ')}, e.${code} AS code, try_cast(e.${date} AS DATE) AS day
    FROM ${q(event.view)} e JOIN ${q(profile.persons.view)} p USING (person)`)
  const salt = Buffer.from(env.random(8)).toString('hex')
  const attacks: Attack[] = []
  for (const known of [1, 2] as const) {
    await db.run(`CREATE OR REPLACE TEMP TABLE target AS
      SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY person ORDER BY md5(person || code || coalesce(day::VARCHAR, '') || '${salt}')) AS n FROM seen)
      WHERE n <= ${known} AND person IN (SELECT person FROM seen GROUP BY person HAVING count(*) >= ${known} ORDER BY md5(person || '${salt}') LIMIT ${TARGETS_MAX})`)
    const [row] = await allRows(db, known === 1 ? oneEvent(quasi) : twoEvents(quasi))
    const targets = Number(row?.[0] ?? 0)
    const unique = Number(row?.[1] ?? 0)
    attacks.push({ known, targets, unique, ...wilson(unique, targets) })
  }
  return attacks
}

function oneEvent(quasi: readonly string[]): string {
  const same = quasi.map((c) => `t.${c} = s.${c}`).join(' AND ')
  return `SELECT count(*)::INTEGER, count(*) FILTER (WHERE fits = 1)::INTEGER FROM (
    SELECT t.person, count(DISTINCT s.person) AS fits FROM target t JOIN seen s ON ${same} AND s.code = t.code
    GROUP BY t.person)`
}

function twoEvents(quasi: readonly string[]): string {
  const same = quasi.map((c) => `t.${c} = s.${c}`).join(' AND ')
  return `WITH pair AS (
      SELECT a.*, b.code AS code2, b.day - a.day AS gap FROM target a JOIN target b ON a.person = b.person AND a.n = 1 AND b.n = 2
    )
    SELECT count(*)::INTEGER, count(*) FILTER (WHERE fits = 1)::INTEGER FROM (
      SELECT t.person, count(DISTINCT s.person) AS fits FROM pair t
      JOIN seen s ON ${same} AND s.code = t.code
      JOIN seen u ON u.person = s.person AND u.code = t.code2 AND (t.gap IS NULL OR u.day - s.day = t.gap)
      GROUP BY t.person)`
}

export function wilson(hits: number, trials: number): { low: number; high: number } {
  if (trials === 0) return { low: 0, high: 1 }
  const z = 1.96
  const p = hits / trials
  const middle = p + z ** 2 / (2 * trials)
  const half = z * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2))
  const scale = 1 + z ** 2 / trials
  return { low: Math.max(0, (middle - half) / scale), high: Math.min(1, (middle + half) / scale) }
}

/** The gate: with one known event, no larger share of persons may be singled out than the profile says. */
export function intruderWins(attacks: readonly Attack[], singledOutMax: number): boolean {
  return attacks.some((a) => a.known === 1 && a.targets > 0 && a.unique / a.targets > singledOutMax)
}
