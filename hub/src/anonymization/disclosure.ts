import type { DuckDBConnection } from '@duckdb/node-api'
import { joined, searchLattice, type Generalised, type Hierarchy } from './k-anonymity.ts'
import type { Profile } from './profile.ts'
import { allRows, oneNumber } from './staging.ts'

export class ReleaseImpossible extends Error {
  override name = 'ReleaseImpossible'
}

export interface EventCounts {
  view: string
  rows: number
  codesGeneralised: number
  codesDropped: number
  rowsDropped: number
  valuesClipped: number
  groupsWithoutTail: number
}

export interface Treated {
  generalised: Omit<Generalised, 'mapping'>
  events: EventCounts[]
  diversity: { smallest: number; classesBelow: number }
}

const q = (name: string): string => `"${name}"`

/** The whole treatment of the staged tables, in order: one row a person, k, then codes and numbers of who remains. */
export async function treat(db: DuckDBConnection, profile: Profile): Promise<Treated> {
  await onePersonOneRow(db, profile)
  const generalised = await anonymise(db, profile)
  const events: EventCounts[] = []
  for (const event of profile.events) {
    const { view } = event
    await db.run(`DELETE FROM ${q(view)} WHERE person NOT IN (SELECT person FROM ${q(profile.persons.view)})`)
    const before = await oneNumber(db, `SELECT count(*) FROM ${q(view)}`)
    const codes = await rareCodes(db, event, profile.privacy.rareCodeMin)
    const tails = event.number === null ? NO_TAILS : await clipTails(db, event, profile.privacy.tailMin)
    const rows = await oneNumber(db, `SELECT count(*) FROM ${q(view)}`)
    events.push({ view, rows, rowsDropped: before - rows, ...codes, ...tails })
  }
  return { generalised, events, diversity: await diversity(db, profile) }
}

/** Charts of one person become one row: the newest known value of each column. Persons without any row are out. */
async function onePersonOneRow(db: DuckDBConnection, profile: Profile): Promise<void> {
  const view = q(profile.persons.view)
  const columns = profile.persons.quasi.map(
    ({ column }) =>
      `coalesce(arg_max(${q(column)}, seq) FILTER (WHERE ${q(column)} IS NOT NULL), '不明') AS ${q(column)}`,
  )
  await db.run(
    `CREATE OR REPLACE TABLE one_row AS SELECT person, ${columns.join(', ')} FROM ${view} GROUP BY person`,
  )
  await db.run(`DROP TABLE ${view}`)
  await db.run(`ALTER TABLE one_row RENAME TO ${view}`)
}

async function anonymise(db: DuckDBConnection, profile: Profile): Promise<Omit<Generalised, 'mapping'>> {
  const { view, quasi } = profile.persons
  const columns = quasi.map((c) => q(c.column))
  const rows = await allRows(
    db,
    `SELECT ${columns.join(', ')}, count(*)::INTEGER FROM ${q(view)} GROUP BY ALL ORDER BY ALL`,
  )
  const combinations = rows.map((row) => ({
    values: row.slice(0, -1).map(String),
    persons: Number(row.at(-1)),
  }))
  const hierarchies = quasi.map((c) => c.hierarchy as Hierarchy)
  const found = searchLattice(combinations, hierarchies, profile.privacy)
  if (!found) throw new ReleaseImpossible('k cannot be reached: too few persons in the cohort')
  await db.run(
    `CREATE OR REPLACE TABLE generalised (${columns.map((c) => `${c} VARCHAR`).join(', ')}, ${columns.map((_, i) => `g${i} VARCHAR`).join(', ')})`,
  )
  const appender = await db.createAppender('generalised')
  for (const c of combinations) {
    const to = found.mapping.get(joined(c.values))
    if (!to) continue
    for (const value of [...c.values, ...to]) appender.appendVarchar(value)
    appender.endRow()
  }
  appender.closeSync()
  const on = columns.map((c) => `p.${c} = g.${c}`).join(' AND ')
  const picked = columns.map((c, i) => `g.g${i} AS ${c}`).join(', ')
  await db.run(
    `CREATE OR REPLACE TABLE kept_persons AS SELECT p.person, ${picked} FROM ${q(view)} p JOIN generalised g ON ${on}`,
  )
  await db.run(`DROP TABLE ${q(view)}`)
  await db.run(`ALTER TABLE kept_persons RENAME TO ${q(view)}`)
  const { mapping: _, ...measures } = found
  return measures
}

type Event = Profile['events'][number]

/** Codes of fewer than `min` persons: ICD-10 goes to three characters, then what is still rare is dropped. */
async function rareCodes(
  db: DuckDBConnection,
  event: Event,
  min: number,
): Promise<Pick<EventCounts, 'codesGeneralised' | 'codesDropped'>> {
  const [view, system, code] = [q(event.view), q(event.system), q(event.code)]
  const rare = `(SELECT ${system} AS s, ${code} AS c FROM ${view} GROUP BY ALL HAVING count(DISTINCT person) < ${min})`
  let codesGeneralised = 0
  if (event.hierarchy === 'icd10') {
    const longer = `${rare} WHERE length(c) > 3`
    codesGeneralised = await oneNumber(db, `SELECT count(*) FROM ${longer}`)
    await db.run(
      `UPDATE ${view} SET ${code} = left(${code}, 3) WHERE (${system}, ${code}) IN (SELECT (s, c) FROM ${longer})`,
    )
  }
  const codesDropped = await oneNumber(db, `SELECT count(*) FROM ${rare}`)
  await db.run(
    `DELETE FROM ${view} WHERE ${code} IS NULL OR (${system}, ${code}) IN (SELECT (s, c) FROM ${rare})`,
  )
  return { codesGeneralised, codesDropped }
}

const NO_TAILS = { valuesClipped: 0, groupsWithoutTail: 0 }

/**
 * Per code and unit, values are pulled in to the bound that at least `min` persons reach at each end, so that no
 * extreme stands for fewer. Groups too small for two such tails lose their rows.
 */
async function clipTails(
  db: DuckDBConnection,
  event: Event,
  min: number,
): Promise<Pick<EventCounts, 'valuesClipped' | 'groupsWithoutTail'>> {
  const [view, value] = [q(event.view), q(event.number ?? '')]
  const keys = [event.system, event.code, event.unit ?? event.code].map((c) => q(c))
  const by = [...new Set(keys)].join(', ')
  await db.run(`CREATE OR REPLACE TABLE tails AS
    WITH person_ends AS (
      SELECT ${by}, person, min(${value}) AS low, max(${value}) AS high FROM ${view} WHERE ${value} IS NOT NULL GROUP BY ALL
    ), placed AS (
      SELECT *, row_number() OVER (PARTITION BY ${by} ORDER BY low) AS from_low,
        row_number() OVER (PARTITION BY ${by} ORDER BY high DESC) AS from_high FROM person_ends
    )
    SELECT ${by}, max(low) FILTER (WHERE from_low = ${min}) AS lo, max(high) FILTER (WHERE from_high = ${min}) AS hi
    FROM placed GROUP BY ${by}`)
  const groupsWithoutTail = await oneNumber(
    db,
    'SELECT count(*) FROM tails WHERE lo IS NULL OR hi IS NULL OR lo > hi',
  )
  const same = [...new Set(keys)].map((k) => `v.${k} IS NOT DISTINCT FROM t.${k}`).join(' AND ')
  const valuesClipped = await oneNumber(
    db,
    `SELECT count(*) FROM ${view} v JOIN tails t ON ${same} WHERE v.${value} < t.lo OR v.${value} > t.hi`,
  )
  await db.run(`CREATE OR REPLACE TABLE clipped AS
    SELECT v.* REPLACE (greatest(least(v.${value}, t.hi), t.lo) AS ${value}) FROM ${view} v JOIN tails t ON ${same}
    WHERE t.lo <= t.hi`)
  await db.run(`DROP TABLE ${view}`)
  await db.run(`ALTER TABLE clipped RENAME TO ${view}`)
  return { valuesClipped, groupsWithoutTail }
}

/** Distinct ICD-10 chapters (first letters) within each class: one alone tells the diagnosis of everyone in it. */
async function diversity(db: DuckDBConnection, profile: Profile): Promise<Treated['diversity']> {
  const event = profile.events.find((e) => e.hierarchy === 'icd10')
  if (!event) return { smallest: 0, classesBelow: 0 }
  const columns = profile.persons.quasi.map((c) => `p.${q(c.column)}`).join(', ')
  const [row] = await allRows(
    db,
    `SELECT coalesce(min(n), 0)::INTEGER, count(*) FILTER (WHERE n < ${profile.privacy.diversityMin})::INTEGER FROM (
       SELECT ${columns}, count(DISTINCT left(e.${q(event.code)}, 1)) AS n
       FROM ${q(profile.persons.view)} p LEFT JOIN ${q(event.view)} e USING (person) GROUP BY ${columns})`,
  )
  return { smallest: Number(row?.[0] ?? 0), classesBelow: Number(row?.[1] ?? 0) }
}
