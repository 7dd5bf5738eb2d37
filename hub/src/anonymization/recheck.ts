import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { text } from '../content/memory.ts'
import type { Profile } from './profile.ts'
import { REGION_VALUES } from './regions.ts'
import { allRows, oneNumber } from './staging.ts'

export interface Check {
  check: string
  ok: boolean
  found: number
}

export const PSEUDONYM = 'p[0-9a-f]{32}'

const SEXES = ['male', 'female', 'other', 'unknown', '不明', '*']
const AGE = String.raw`\d{1,2}-\d{1,2}|\d{2}\+|不明|\*`
const DATE = String.raw`\d{4}(-\d{2}(-\d{2})?)?`

type View = Profile['views'][number]

/**
 * Counts again, from the files that were written and the profile alone: closed columns and cell domains, class sizes,
 * rare codes, tails, and that CSV and NDJSON say what the Parquet says. Shares no code with what wrote them.
 */
export async function recheck(
  db: DuckDBConnection,
  profile: Profile,
  directory: string,
): Promise<{ checks: Check[]; smallestClass: number; persons: number }> {
  const checks: Check[] = []
  const add = (check: string, found: number): void => void checks.push({ check, ok: found === 0, found })
  for (const view of profile.views) {
    const parquet = `read_parquet(${text(join(directory, `${view.name}.parquet`))})`
    const columns = view.select.flatMap((s) => s.column)
    const have = (await allRows(db, `SELECT column_name FROM (DESCRIBE SELECT * FROM ${parquet})`)).map((r) =>
      String(r[0]),
    )
    const wanted = columns.map((c) => c.name)
    add(`${view.name}: closed list of columns`, have.join() === wanted.join() ? 0 : 1)
    for (const column of columns) {
      if (column.type === 'decimal') continue
      const domain = domainOf(profile, view, column.name)
      add(
        `${view.name}.${column.name}: closed domain`,
        await oneNumber(
          db,
          `SELECT count(*) FROM ${parquet} WHERE "${column.name}" IS NOT NULL AND NOT regexp_full_match("${column.name}", ${text(domain)})`,
        ),
      )
    }
    for (const [format, table] of others(directory, view.name, columns))
      add(`${view.name}: ${format} equals parquet`, await oneNumber(db, differing(parquet, table, columns)))
  }
  const counted = await countClasses(db, profile, directory)
  add('persons: one row each', counted.repeated)
  add(`persons: classes of at least ${profile.privacy.k}`, counted.below)
  for (const event of profile.events) await checkEvents(db, profile, event, directory, add)
  return { checks, smallestClass: counted.smallest, persons: counted.persons }
}

function domainOf(profile: Profile, view: View, column: string): string {
  if (column === 'person') return PSEUDONYM
  const quasi = profile.persons.view === view.name && profile.persons.quasi.find((c) => c.column === column)
  if (quasi) {
    if (quasi.hierarchy === 'age') return AGE
    return [...(quasi.hierarchy === 'sex' ? SEXES : REGION_VALUES)].map((v) => escape(v)).join('|')
  }
  const event = profile.events.find((e) => e.view === view.name)
  if (event?.date === column) return DATE
  const rules = Object.values(profile.resources[view.resource]?.rules ?? {})
  if (event?.system === column)
    return rules
      .flatMap((r) => (r.op === 'keep-code' ? Object.keys(r.systems ?? {}) : []))
      .map((s) => escape(s))
      .join('|')
  if (event?.unit === column)
    return rules
      .flatMap((r) => (r.op === 'keep-number' ? r.units : []))
      .map((u) => escape(u))
      .join('|')
  return rules.flatMap((r) => (r.op === 'keep-code' ? Object.values(r.systems ?? {}) : [])).join('|')
}

function escape(value: string): string {
  return value.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}

function others(
  directory: string,
  view: string,
  columns: View['select'][number]['column'],
): [string, string][] {
  const types = columns
    .map((c) => `${text(c.name)}: ${text(c.type === 'decimal' ? 'DOUBLE' : 'VARCHAR')}`)
    .join(', ')
  return [
    ['csv', `read_csv(${text(join(directory, `${view}.csv`))}, header = true, columns = {${types}})`],
    [
      'ndjson',
      `read_json(${text(join(directory, `${view}.ndjson`))}, format = 'newline_delimited', columns = {${types}})`,
    ],
  ]
}

function differing(a: string, b: string, columns: View['select'][number]['column']): string {
  const cells = columns.map((c) =>
    c.type === 'decimal'
      ? `"${c.name}"`
      : `regexp_replace("${c.name}", '^''([=+\\-@\\t\\r])', '\\1') AS "${c.name}"`,
  )
  const [left, right] = [a, b].map((t) => `SELECT ${cells.join(', ')} FROM ${t}`)
  return `SELECT (SELECT count(*) FROM (${left} EXCEPT ALL ${right})) + (SELECT count(*) FROM (${right} EXCEPT ALL ${left}))`
}

async function countClasses(
  db: DuckDBConnection,
  profile: Profile,
  directory: string,
): Promise<{ smallest: number; below: number; persons: number; repeated: number }> {
  const persons = `read_parquet(${text(join(directory, `${profile.persons.view}.parquet`))})`
  const columns = profile.persons.quasi.map((c) => `"${c.column}"`).join(', ')
  const [row] = await allRows(
    db,
    `SELECT coalesce(min(n), 0)::INTEGER, count(*) FILTER (WHERE n < ${profile.privacy.k})::INTEGER, coalesce(sum(n), 0)::INTEGER
     FROM (SELECT count(*) AS n FROM ${persons} GROUP BY ${columns})`,
  )
  const repeated = await oneNumber(db, `SELECT count(*) - count(DISTINCT person) FROM ${persons}`)
  return { smallest: Number(row?.[0]), below: Number(row?.[1]), persons: Number(row?.[2]), repeated }
}

async function checkEvents(
  db: DuckDBConnection,
  profile: Profile,
  event: Profile['events'][number],
  directory: string,
  add: (check: string, found: number) => void,
): Promise<void> {
  const table = `read_parquet(${text(join(directory, `${event.view}.parquet`))})`
  const persons = `read_parquet(${text(join(directory, `${profile.persons.view}.parquet`))})`
  add(
    `${event.view}: every row belongs to a person in the release`,
    await oneNumber(
      db,
      `SELECT count(*) FROM ${table} WHERE person IS NULL OR person NOT IN (SELECT person FROM ${persons})`,
    ),
  )
  const min = profile.privacy.rareCodeMin
  add(
    `${event.view}: every code has at least ${min} persons`,
    await oneNumber(
      db,
      `SELECT count(*) FROM (SELECT "${event.system}", "${event.code}" FROM ${table} GROUP BY ALL HAVING count(DISTINCT person) < ${min})`,
    ),
  )
  if (event.number === null) return
  const by = `"${event.system}", "${event.code}", "${event.unit ?? event.code}"`
  const tail = profile.privacy.tailMin
  add(
    `${event.view}: each extreme value is shared by at least ${tail} persons`,
    await oneNumber(
      db,
      `WITH v AS (SELECT *, min("${event.number}") OVER w AS lo, max("${event.number}") OVER w AS hi FROM ${table} WINDOW w AS (PARTITION BY ${by}))
       SELECT count(*) FROM (SELECT ${by}, count(DISTINCT person) FILTER (WHERE "${event.number}" = lo) AS a,
         count(DISTINCT person) FILTER (WHERE "${event.number}" = hi) AS b FROM v GROUP BY ${by}) WHERE a < ${tail} OR b < ${tail}`,
    ),
  )
}
