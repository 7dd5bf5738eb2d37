import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { type RecordKey, recordKeyOf } from '@kakehashi/protocol/records'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import { type Kysely, sql } from 'kysely'
import type { Span, Sweep } from './connector.ts'
import { isRegressed } from './regressed.ts'
import { cancelTombstones, oweTombstones, type SourcesTables, type SourcesTx } from './store.ts'

/** A record as the ledger sees it. */
export interface Seen {
  key: RecordKey
  hash: string
  patients: PatientKey[]
  code: RefusalCode | null
  /** When the source says it was written. */
  time: Instant | null
  span?: Span
}

export interface LedgerPass {
  source: string
  /** Number of the full pass under way, or of the last one. */
  run: number
  now: Instant
  /** Whether an older version than before means that the source was put back (DATA T38). */
  dated: boolean
}

export interface LedgerChange {
  added: number
  changed: number
  unchanged: number
  held: number
  /** Older than what was seen before. */
  regressed: number
  /** Patients about whom something is new. */
  touched: Set<PatientKey>
  /** Keys that are new or have new content. */
  fresh: Set<Seen>
}

export interface Row {
  type: string
  id: string
  hash: string
  patients: string
  run: number
  state: string
  code: string | null
  file: string
  told_at: number | null
}

const PAGE = 500

/**
 * Compares what a window showed with the ledger and brings the ledger up to date. Seeing the same again changes
 * nothing: a window that is read twice counts nothing twice.
 */
export async function keepLedger(
  tx: SourcesTx,
  seen: readonly Seen[],
  pass: LedgerPass,
): Promise<LedgerChange> {
  const { source } = pass
  const change: LedgerChange = {
    added: 0,
    changed: 0,
    unchanged: 0,
    held: 0,
    regressed: 0,
    touched: new Set(),
    fresh: new Set(),
  }
  // the last of several in one window prevails
  const latest = [...new Map(seen.map((one) => [`${one.key.type}/${one.key.id}`, one])).values()]
  for (let from = 0; from < latest.length; from += PAGE) {
    const page = latest.slice(from, from + PAGE)
    const known = await rowsOf(tx, source, page)
    const rows: unknown[][] = []
    for (const one of page) {
      const before = known.get(`${one.key.type}/${one.key.id}`)
      const row = await compare(tx, one, before, pass, change)
      if (row) rows.push(row)
    }
    if (rows.length > 0) await upsert(tx, source, rows)
  }
  await cancelTombstones(
    tx,
    [...change.fresh].filter((one) => one.code === null),
  )
  return change
}

/** What a record is against what the ledger had of it. */
export type Verdict = 'ignored' | 'same' | 'added' | 'changed'

export function judge(
  one: Seen,
  before: Row | undefined,
  { run, dated }: Pick<LedgerPass, 'run' | 'dated'>,
): { verdict: Verdict; code: RefusalCode | null; older: boolean } {
  const older = dated && before !== undefined && before.state !== 'gone' && isRegressed(one, before)
  const code = one.code ?? (older ? 'SOURCE_REGRESSED' : null)
  // of two versions in one pass the newer counts, unless the other one holds
  if (older && one.code === null && before.run === run && before.code !== 'SOURCE_REGRESSED')
    return { verdict: 'ignored', code, older }
  const state = code === null ? 'active' : 'held'
  const patients = JSON.stringify(one.patients)
  if (before?.hash === one.hash && before.state === state && before.patients === patients)
    return { verdict: 'same', code, older }
  return { verdict: before !== undefined && before.state !== 'gone' ? 'changed' : 'added', code, older }
}

async function compare(
  tx: SourcesTx,
  one: Seen,
  before: Row | undefined,
  pass: LedgerPass,
  change: LedgerChange,
): Promise<unknown[] | null> {
  const { run, now, dated } = pass
  const { verdict, code, older } = judge(one, before, pass)
  if (verdict === 'ignored') return null
  if (code !== null) change.held++
  const file = one.span?.file ?? ''
  if (verdict === 'same') {
    change.unchanged++
    if (before?.run === run && before.file === file && code === null) return null
  } else {
    change[verdict]++
    if (code === 'SOURCE_REGRESSED') change.regressed++
    else {
      change.fresh.add(one)
      for (const patient of one.patients) change.touched.add(patient)
      if (before && verdict === 'changed')
        for (const patient of await withdrawn(tx, one, before, now)) change.touched.add(patient)
    }
  }
  const state = code === null ? 'active' : 'held'
  const tried = code === null ? null : now
  // what is older, or says no time, does not make the newest time forgotten
  const newest = older || one.time === null ? (before?.told_at ?? null) : one.time
  const toldAt = dated ? newest : null
  const { type, id } = one.key
  return [type, id, one.hash, JSON.stringify(one.patients), file, run, state, code, now, tried, toldAt]
}

/** A version that is now about other patients, or may no longer travel, takes back what was sent before. */
async function withdrawn(tx: SourcesTx, one: Seen, before: Row, now: Instant): Promise<PatientKey[]> {
  const were = JSON.parse(before.patients) as PatientKey[]
  const lost = were.filter((patient) => !one.patients.includes(patient))
  if (lost.length === 0 && one.code === null) return []
  const owed = await oweTombstones(tx, [{ key: one.key, patients: were }], 'superseded', now)
  return [...lost, ...owed]
}

/** What the ledger has of these, by `type/id`. */
export async function rowsOf(
  tx: Kysely<SourcesTables>,
  source: string,
  page: readonly Seen[],
): Promise<Map<string, Row>> {
  const keys = JSON.stringify(page.map((one) => [one.key.type, one.key.id]))
  const { rows } = await sql<Row>`
    SELECT l.type, l.id, l.hash, l.patients, l.run, l.state, l.code, l.file, l.told_at
    FROM json_each(${keys}) AS k CROSS JOIN source_ledger AS l
    ON l.source = ${source} AND l.type = k.value ->> 0 AND l.id = k.value ->> 1`.execute(tx)
  return new Map(rows.map((row) => [`${row.type}/${row.id}`, row]))
}

async function upsert(tx: SourcesTx, source: string, rows: unknown[][]): Promise<void> {
  await sql`
    INSERT INTO source_ledger (source, type, id, hash, patients, file, run, state, code, since, tried, told_at)
    SELECT ${source}, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10
    FROM json_each(${JSON.stringify(rows)}) WHERE true
    ON CONFLICT (source, type, id) DO UPDATE SET
      since = CASE WHEN hash = excluded.hash AND state = excluded.state THEN since ELSE excluded.since END,
      hash = excluded.hash, patients = excluded.patients, file = excluded.file, run = excluded.run,
      state = excluded.state, code = excluded.code, tried = excluded.tried, told_at = excluded.told_at`.execute(
    tx,
  )
}

/** Entered from what the vault told after a restore: no pass of this copy has shown it, and whatever shows it is news. */
const TOLD_RUN = -1

/**
 * What was given without any pass having shown it (it came after the last one) is entered, so that the next full pass
 * misses it if it has gone meanwhile. `hash` is `null` where the vault told it.
 */
export async function enterGiven(
  tx: SourcesTx,
  given: readonly { key: string; hash: string | null; patient: PatientKey }[],
  now: Instant,
): Promise<void> {
  for (let from = 0; from < given.length; from += PAGE) {
    const page = given.slice(from, from + PAGE).map(({ key, hash, patient }) => {
      const { source, type, id } = recordKeyOf(key)
      return [source, type, id, hash ?? '', JSON.stringify([patient]), hash === null ? TOLD_RUN : 0]
    })
    await sql`
      INSERT INTO source_ledger (source, type, id, hash, patients, file, run, state, code, since, tried)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, '', value ->> 5, 'active', NULL, ${now}, NULL
      FROM json_each(${JSON.stringify(page)}) WHERE true
      ON CONFLICT (source, type, id) DO NOTHING`.execute(tx)
  }
}

/** Remembers where each patient's lines lie; neighbours of one patient become one span. */
export async function keepSpans(tx: SourcesTx, source: string, seen: readonly Seen[]): Promise<void> {
  const rows: [string, string, number, number, number][] = []
  const last = new Map<string, [string, string, number, number, number]>()
  for (const { patients, span } of seen) {
    if (!span || span.length === 0) continue
    for (const patient of patients) {
      const before = last.get(patient)
      if (before?.[1] === span.file && before[2] === span.start) continue
      if (before?.[1] === span.file && before[2] + before[3] === span.start) before[3] += span.length
      else {
        const row: (typeof rows)[number] = [patient, span.file, span.start, span.length, span.line]
        rows.push(row)
        last.set(patient, row)
      }
    }
  }
  for (let from = 0; from < rows.length; from += PAGE)
    await sql`
      INSERT INTO source_span (source, patient, file, start, length, line)
      SELECT ${source}, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
      FROM json_each(${JSON.stringify(rows.slice(from, from + PAGE))}) WHERE true
      ON CONFLICT (source, patient, file, start) DO UPDATE SET length = excluded.length, line = excluded.line`.execute(
      tx,
    )
}

export interface Missing {
  type: string
  missing: number
  total: number
}

/** What a full pass did not show, by type, among what it judges. */
export async function missingOf(
  tx: Kysely<SourcesTables>,
  source: string,
  run: number,
  sweep: Sweep,
): Promise<Missing[]> {
  if (sweep.files?.length === 0) return []
  const { rows } = await sql<Missing>`
    SELECT type, SUM(run < ${run} AND ${inFiles(sweep)}) AS missing, COUNT(*) AS total
    FROM source_ledger WHERE source = ${source} AND state <> 'gone' AND ${ofTypes(sweep)}
    GROUP BY type HAVING missing > 0`.execute(tx)
  return rows
}

export async function missingKeys(
  tx: Kysely<SourcesTables>,
  source: string,
  run: number,
  sweep: Sweep,
  type: string,
): Promise<{ key: RecordKey; patients: PatientKey[]; told: boolean }[]> {
  const { rows } = await sql<{ id: string; patients: string; run: number }>`
    SELECT id, patients, run FROM source_ledger
    WHERE source = ${source} AND type = ${type} AND state <> 'gone' AND run < ${run} AND ${inFiles(sweep)}`.execute(
    tx,
  )
  return rows.map(({ id, patients, run: last }) => ({
    key: { source, type, id },
    patients: JSON.parse(patients) as PatientKey[],
    told: last === TOLD_RUN,
  }))
}

function inFiles({ files }: Sweep) {
  return files === null ? sql`true` : sql`file IN (SELECT value FROM json_each(${JSON.stringify(files)}))`
}

function ofTypes({ types, except }: Sweep) {
  const not = sql`type NOT IN (SELECT value FROM json_each(${JSON.stringify(except)}))`
  return types === null
    ? not
    : sql`${not} AND type IN (SELECT value FROM json_each(${JSON.stringify(types)}))`
}

/** Answers how many were there until now. */
export async function markGone(
  tx: SourcesTx,
  source: string,
  keys: readonly RecordKey[],
  now: Instant,
): Promise<number> {
  let gone = 0
  for (let from = 0; from < keys.length; from += PAGE) {
    const page = JSON.stringify(keys.slice(from, from + PAGE).map((key) => [key.type, key.id]))
    const { numAffectedRows } = await sql`
      UPDATE source_ledger SET state = 'gone', code = NULL, since = ${now}
      WHERE source = ${source} AND state <> 'gone' AND (type, id) IN
      (SELECT value ->> 0, value ->> 1 FROM json_each(${page}))`.execute(tx)
    gone += Number(numAffectedRows ?? 0)
  }
  return gone
}

/**
 * Of these record keys (as text), those that the source no longer holds, or holds but may not give; not what it only
 * shows too old (DATA T38).
 */
export async function noMoreThere(
  tx: SourcesTx,
  keys: readonly string[],
): Promise<{ key: RecordKey; patients: PatientKey[] }[]> {
  const found: { key: RecordKey; patients: PatientKey[] }[] = []
  for (let from = 0; from < keys.length; from += PAGE) {
    const page = keys.slice(from, from + PAGE).map((text) => Object.values(recordKeyOf(text)))
    const { rows } = await sql<RecordKey & { patients: string }>`
      SELECT l.source, l.type, l.id, l.patients
      FROM json_each(${JSON.stringify(page)}) AS k CROSS JOIN source_ledger AS l
      ON l.source = k.value ->> 0 AND l.type = k.value ->> 1 AND l.id = k.value ->> 2
      WHERE l.state <> 'active' AND l.code IS NOT 'SOURCE_REGRESSED'`.execute(tx)
    for (const { source, type, id, patients } of rows)
      found.push({ key: { source, type, id }, patients: JSON.parse(patients) as PatientKey[] })
  }
  return found
}

/** Of what the vault told, whose source shows something else, as far as this copy has seen: not held there, or another version. */
export async function shownOtherwise(
  tx: SourcesTx,
  told: readonly { key: string; hash: string | null }[],
): Promise<PatientKey[]> {
  const found = new Set<PatientKey>()
  for (let from = 0; from < told.length; from += PAGE) {
    const page = told
      .slice(from, from + PAGE)
      .map(({ key, hash }) => [...Object.values(recordKeyOf(key)), hash ?? ''])
    const { rows } = await sql<{ patients: string }>`
      SELECT l.patients
      FROM json_each(${JSON.stringify(page)}) AS k CROSS JOIN source_ledger AS l
      ON l.source = k.value ->> 0 AND l.type = k.value ->> 1 AND l.id = k.value ->> 2
      WHERE l.state = 'active' AND l.hash <> k.value ->> 3`.execute(tx)
    for (const { patients } of rows)
      for (const patient of JSON.parse(patients) as PatientKey[]) found.add(patient)
  }
  return [...found]
}
