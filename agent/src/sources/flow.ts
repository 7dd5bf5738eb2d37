import type { Env } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import { Refused, type RefusalCode } from '@kakehashi/protocol/refusals'
import type { Store, Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'
import type { SourceConnector, SourceEvent } from './connector.ts'
import { keepLedger, keepSpans, type Seen } from './ledger.ts'
import { markAllToRead, type SourcesTables, type SourcesTx } from './store.ts'
import { applySweep, askForMissing, type BrakeRule, DELETION_BRAKE } from './sweep.ts'

/** A `Patient` resource, for the index of the counter and the register. */
export interface PatientShown {
  patient: PatientKey
  resource: unknown
  source: string
}

export interface Gathering<DB extends SourcesTables = SourcesTables> {
  store: Store<DB>
  connector: SourceConnector
  env: Env
  log: Log
  signal: AbortSignal
  full?: boolean
  brake?: BrakeRule
  /** Called in the window's transaction for each new or changed `Patient`. */
  showPatient?(tx: Tx<DB>, shown: PatientShown): Promise<void>
  /** Called in the window's transaction for each link between two charts that a `Patient` tells. */
  showLink?(tx: Tx<DB>, link: Extract<SourceEvent, { t: 'patient-link' }>): Promise<void>
}

export interface Gathered {
  seen: number
  added: number
  changed: number
  unchanged: number
  held: number
  quarantined: number
  vanished: number
  /** Missing records whose number looked too large to be true; they wait for a person. */
  braked: number
  windows: number
  faults: { code: RefusalCode; place: string; retryable: boolean }[]
}

interface Window {
  seen: Seen[]
  shown: Map<Seen, PatientShown>
  links: Extract<SourceEvent, { t: 'patient-link' }>[]
  quarantined: Extract<SourceEvent, { t: 'quarantined' }>[]
  gone: Extract<SourceEvent, { t: 'tombstone' }>[]
  files: string[]
  pass: boolean
}

/**
 * One round of one source: what changed is marked, never kept. Each window is one transaction of ledger marks, patients
 * to read and checkpoint, so that whatever kills the agent, at most one window is read again. A record that named
 * nobody known is looked at once more when somebody became known in the same round.
 */
export async function gather<DB extends SourcesTables>(gathering: Gathering<DB>): Promise<Gathered> {
  const gathered = nothing()
  const store = gathering.store as unknown as Store<SourcesTables>
  const { connector, log } = gathering
  await round(gathering, await standingOf(store, connector.id), gathered)
  const after = await standingOf(store, connector.id)
  if (after.again.length > 0 && gathered.faults.length === 0)
    await round({ ...gathering, full: false }, after, gathered)
  const { seen, quarantined } = gathered
  if (quarantined > Math.max(QUARANTINE_MIN, seen * QUARANTINE_SHARE_MAX))
    log('source.quarantine-high', { seen, quarantined })
  log('source.gathered', {
    seen,
    quarantined,
    added: gathered.added,
    changed: gathered.changed,
    vanished: gathered.vanished,
    braked: gathered.braked,
    faults: gathered.faults.length,
  })
  return gathered
}

async function round<DB extends SourcesTables>(
  gathering: Gathering<DB>,
  standing: Standing,
  gathered: Gathered,
): Promise<void> {
  const { connector, env, signal, log } = gathering
  const { confirmed, again } = standing
  const options = { run: env.id(), signal, full: gathering.full === true || confirmed, again }
  let window = emptyWindow()
  try {
    for await (const event of connector.changes(standing.checkpoint, options)) {
      if (event.t === 'fault') fault(gathered, event, log)
      else if (event.t === 'checkpoint') {
        await commit(gathering, window, event, gathered)
        window = emptyWindow()
      } else take(window, event)
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { code, place = connector.id } = error.refusal
    fault(gathered, { code, place, retryable: true }, log)
  }
}

/** More than this is rather a broken export than a few broken lines. */
const QUARANTINE_MIN = 20
const QUARANTINE_SHARE_MAX = 0.01

function fault(gathered: Gathered, { code, place, retryable }: Gathered['faults'][number], log: Log): void {
  gathered.faults.push({ code, place, retryable })
  log('source.fault', { code, retryable })
}

function nothing(): Gathered {
  return {
    seen: 0,
    added: 0,
    changed: 0,
    unchanged: 0,
    held: 0,
    quarantined: 0,
    vanished: 0,
    braked: 0,
    windows: 0,
    faults: [],
  }
}

function emptyWindow(): Window {
  return { seen: [], shown: new Map(), links: [], quarantined: [], gone: [], files: [], pass: false }
}

function take(window: Window, event: Exclude<SourceEvent, { t: 'fault' | 'checkpoint' }>): void {
  switch (event.t) {
    case 'record': {
      const { record, span } = event
      const seen: Seen = { key: record.key, hash: record.contentHash, patients: record.patients, code: null }
      if (span) seen.span = span
      window.seen.push(seen)
      const [patient] = record.patients
      if (record.key.type === 'Patient' && patient !== undefined) {
        const resource: unknown = JSON.parse(Buffer.from(record.payload).toString('utf8'))
        window.shown.set(seen, { patient, resource, source: record.key.source })
      }
      return
    }
    case 'held': {
      const { key, contentHash: hash, patients, code, span } = event
      window.seen.push(span ? { key, hash, patients, code, span } : { key, hash, patients, code })
      return
    }
    case 'patient-link':
      window.links.push(event)
      return
    case 'quarantined':
      window.quarantined.push(event)
      return
    case 'tombstone':
      window.gone.push(event)
      return
    case 'file':
      window.files.push(event.file)
      return
    case 'pass':
      window.pass = true
  }
}

type Ending = Extract<SourceEvent, { t: 'checkpoint' }>

async function commit<DB extends SourcesTables>(
  gathering: Gathering<DB>,
  window: Window,
  ending: Ending,
  gathered: Gathered,
): Promise<void> {
  const { store, connector, signal, brake = DELETION_BRAKE } = gathering
  if (!ending.swept || !connector.confirmGone) return commitWindow(gathering, window, ending, null, gathered)
  // what is missing is known once the last window is in the ledger; its checkpoint waits until the source was asked
  await commitWindow(gathering, window, null, null, gathered)
  const answers = await askForMissing(store as unknown as Store<SourcesTables>, {
    connector: connector as Required<typeof connector>,
    swept: ending.swept,
    brake,
    signal,
  })
  await commitWindow(gathering, emptyWindow(), ending, answers, gathered)
}

async function commitWindow<DB extends SourcesTables>(
  { store, connector, env, full, brake = DELETION_BRAKE, showPatient, showLink, log }: Gathering<DB>,
  window: Window,
  ending: Ending | null,
  answers: ReadonlySet<string> | null,
  gathered: Gathered,
): Promise<void> {
  const source = connector.id
  const now = env.now()
  await store.bookkeep(async (whole) => {
    const tx = whole as unknown as SourcesTx
    const run = await runOf(tx, source, window.pass)
    for (const file of window.pass ? ['', ...window.files] : window.files) await forgetFile(tx, source, file)
    const change = await keepLedger(tx, source, window.seen, run, now)
    await keepSpans(tx, source, window.seen)
    await keepQuarantine(tx, source, window.quarantined, now)
    for (const [seen, shown] of window.shown)
      if (full || change.fresh.has(seen)) await showPatient?.(whole, shown)
    for (const link of window.links) await showLink?.(whole, link)
    const swept = ending?.swept ?? null
    const sweeping = { connector, run, swept, gone: window.gone, answers, brake, now, log }
    const told = await applySweep(tx, sweeping)
    await markAllToRead(tx, [...new Set([...change.touched, ...told.touched])], now)
    await keepCheckpoint(tx, source, ending?.checkpoint ?? null, run, now)
    gathered.seen += window.seen.length
    for (const count of ['added', 'changed', 'unchanged', 'held'] as const) gathered[count] += change[count]
    gathered.quarantined += window.quarantined.length
    gathered.vanished += told.vanished
    gathered.braked += told.braked
    gathered.windows++
  })
}

/** Without a checkpoint only the number of the pass is kept: where to go on from stays as it was. */
async function keepCheckpoint(
  tx: SourcesTx,
  source: string,
  checkpoint: string | null,
  run: number,
  at: number,
): Promise<void> {
  const told = checkpoint === null ? { run, at } : { checkpoint, run, at }
  await tx
    .insertInto('source_checkpoint')
    .values({ source, run, at, checkpoint: checkpoint ?? '' })
    .onConflict((c) => c.column('source').doUpdateSet(told))
    .execute()
}

interface Standing {
  checkpoint: string | null
  /** A person confirmed deletions: they are applied by a full pass. */
  confirmed: boolean
  /** Files with records that named nobody known, read before somebody new became known. */
  again: string[]
}

async function standingOf(store: Store<SourcesTables>, source: string): Promise<Standing> {
  const { db } = store
  const at = await db
    .selectFrom('source_checkpoint')
    .selectAll()
    .where('source', '=', source)
    .executeTakeFirst()
  const confirmed = await db
    .selectFrom('source_brake')
    .select('type')
    .where('source', '=', source)
    .where('confirmed', '=', 1)
    .executeTakeFirst()
  const held = await db
    .selectFrom('source_ledger')
    .select((e) => ['file', e.fn.min('tried').as('tried')])
    .where('source', '=', source)
    .where('state', '=', 'held')
    .where('code', '=', 'PATIENT_UNRESOLVED')
    .where('file', '!=', '')
    .groupBy('file')
    .execute()
  const known = held.length === 0 ? 0 : await lastPatientAt(db, source)
  return {
    checkpoint: at?.checkpoint || null,
    confirmed: confirmed !== undefined,
    again: held.filter((row) => Number(row.tried) <= known).map((row) => row.file),
  }
}

async function lastPatientAt(db: Kysely<SourcesTables>, source: string): Promise<number> {
  const row = await db
    .selectFrom('source_ledger')
    .select((e) => e.fn.max('since').as('since'))
    .where('source', '=', source)
    .where('type', '=', 'Patient')
    .executeTakeFirst()
  return Number(row?.since ?? 0)
}

async function runOf(tx: SourcesTx, source: string, pass: boolean): Promise<number> {
  const row = await tx
    .selectFrom('source_checkpoint')
    .select('run')
    .where('source', '=', source)
    .executeTakeFirst()
  return (row?.run ?? 0) + (pass ? 1 : 0)
}

async function forgetFile(tx: SourcesTx, source: string, file: string): Promise<void> {
  await tx.deleteFrom('source_span').where('source', '=', source).where('file', '=', file).execute()
  await tx.deleteFrom('quarantine').where('source', '=', source).where('file', '=', file).execute()
}

async function keepQuarantine(
  tx: SourcesTx,
  source: string,
  quarantined: Window['quarantined'],
  at: number,
): Promise<void> {
  for (const { place, code, hash, file = '' } of quarantined)
    await tx
      .insertInto('quarantine')
      .values({ source, place, file, code, hash, at })
      .onConflict((c) => c.columns(['source', 'place', 'hash']).doUpdateSet({ code, at }))
      .execute()
}
