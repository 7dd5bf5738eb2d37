import { DatabaseSync } from 'node:sqlite'
import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import type { Store } from '@kakehashi/store/store'
import { type Kysely, sql } from 'kysely'
import type { SourceConnector, Sweep } from './connector.ts'
import type { Gathered } from './gathering.ts'
import { judge, rowsOf, type Missing, type Seen } from './ledger.ts'
import { showsOneVersion } from './regressed.ts'
import { standingOf } from './round-start.ts'
import type { SourcesTables } from './store.ts'
import { type BrakeRule, DELETION_BRAKE, tooMany } from './sweep.ts'
import { emptyWindow, take } from './window.ts'

/** What a round would do, had it been one. */
export interface Preview extends Pick<
  Gathered,
  'seen' | 'added' | 'changed' | 'unchanged' | 'held' | 'quarantined' | 'faults'
> {
  source: string
  /** Deletions that the source told itself. */
  deleted: number
  /** What a full pass did not show, by type; a server would still be asked for each. `braked`: too many to be believed. */
  missing: (Missing & { braked: boolean })[]
}

interface Previewing {
  store: Store<SourcesTables>
  connector: SourceConnector
  env: Env
  signal: AbortSignal
  full: boolean
  brake?: BrakeRule
}

const WINDOW = 1000

/**
 * Reads a source as a round does, and writes nothing: neither ledger nor checkpoint. What was seen is kept in a private
 * file that SQLite removes by itself, so that memory does not grow with the hospital.
 */
export async function preview({ store, connector, env, signal, full, brake }: Previewing): Promise<Preview> {
  const { id: source } = connector
  const found: Preview = {
    source,
    seen: 0,
    added: 0,
    changed: 0,
    unchanged: 0,
    held: 0,
    quarantined: 0,
    deleted: 0,
    missing: [],
    faults: [],
  }
  const { checkpoint, run, again } = await standingOf(store, source)
  const seen = new SeenKeys()
  let window = emptyWindow()
  let pass = { run, dated: showsOneVersion(connector) }
  const look = async (): Promise<void> => {
    const rows = await rowsOf(store.db, source, window.seen)
    for (const one of window.seen) {
      if (!seen.add(one)) continue
      found.seen++
      const { verdict, code } = judge(one, rows.get(`${one.key.type}/${one.key.id}`), pass)
      if (verdict === 'added' || verdict === 'changed') found[verdict]++
      else found.unchanged++
      if (code !== null) found.held++
    }
    found.quarantined += window.quarantined.length
    found.deleted += window.gone.length
    window = emptyWindow()
  }
  try {
    for await (const event of connector.changes(checkpoint, {
      run: env.id(),
      signal,
      full,
      again,
      dry: true,
    })) {
      if (event.t === 'fault')
        found.faults.push({ code: event.code, place: event.place, retryable: event.retryable })
      else if (event.t === 'checkpoint') {
        await look()
        if (event.swept) found.missing = await missingOf(store.db, source, event.swept, seen, brake)
      } else take(window, event)
      if (event.t === 'pass') pass = { ...pass, run: run + 1 }
      if (window.seen.length >= WINDOW) await look()
    }
    await look()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { code, place = source } = error.refusal
    found.faults.push({ code, place, retryable: true })
  } finally {
    seen.close()
  }
  return found
}

class SeenKeys {
  readonly #file = new DatabaseSync('')
  readonly #insert
  readonly #find
  constructor() {
    this.#file.exec('CREATE TABLE seen (type TEXT, id TEXT, PRIMARY KEY (type, id)) STRICT, WITHOUT ROWID')
    this.#insert = this.#file.prepare('INSERT OR IGNORE INTO seen VALUES (?, ?)')
    this.#find = this.#file.prepare('SELECT 1 FROM seen WHERE type = ? AND id = ?')
  }

  /** Whether it is new. */
  add({ key }: Pick<Seen, 'key'>): boolean {
    return this.#insert.run(key.type, key.id).changes > 0
  }

  has(type: string, id: string): boolean {
    return this.#find.get(type, id) !== undefined
  }

  close(): void {
    this.#file.close()
  }
}

interface LedgerRow {
  type: string
  id: string
  file: string
}

const ROWS = 5000

async function missingOf(
  db: Kysely<SourcesTables>,
  source: string,
  { types, except, files }: Sweep,
  seen: SeenKeys,
  rule: BrakeRule = DELETION_BRAKE,
): Promise<Preview['missing']> {
  const counts = new Map<string, Missing>()
  let last = { type: '', id: '' }
  for (;;) {
    const { rows } = await sql<LedgerRow>`
      SELECT type, id, file FROM source_ledger
      WHERE source = ${source} AND state <> 'gone' AND (type, id) > (${last.type}, ${last.id})
      ORDER BY type, id LIMIT ${ROWS}`.execute(db)
    for (const { type, id, file } of rows) {
      if (except.includes(type) || types?.includes(type) === false) continue
      const count = counts.get(type) ?? { type, missing: 0, total: 0 }
      counts.set(type, count)
      count.total++
      if ((files === null || files.includes(file)) && !seen.has(type, id)) count.missing++
    }
    last = rows.at(-1) ?? last
    if (rows.length < ROWS) break
  }
  return [...counts.values()]
    .filter((one) => one.missing > 0)
    .map((one) => ({ ...one, braked: tooMany(one, rule) }))
}
