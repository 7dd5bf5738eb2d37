import type { Store } from '@kakehashi/store/store'
import type { SourceEvent } from './connector.ts'
import type { Gathered, Gathering, PatientShown } from './gathering.ts'
import { keepLedger, keepSpans, type Seen } from './ledger.ts'
import { type FolderSeen, keepFolders } from './ssmix2/store.ts'
import { markAllToRead, type SourcesTables, type SourcesTx } from './store.ts'
import { showsOneVersion, timeOf } from './regressed.ts'
import { applySweep, askForMissing, DELETION_BRAKE } from './sweep.ts'

/** What is held between two checkpoints: keys, hashes and places; of content only `Patient` resources. */
export interface Window {
  seen: Seen[]
  shown: Map<Seen, PatientShown>
  links: Extract<SourceEvent, { t: 'patient-link' }>[]
  quarantined: Extract<SourceEvent, { t: 'quarantined' }>[]
  gone: Extract<SourceEvent, { t: 'tombstone' }>[]
  files: string[]
  folders: FolderSeen[]
  pass: boolean
}

export function emptyWindow(): Window {
  return {
    seen: [],
    shown: new Map(),
    links: [],
    quarantined: [],
    gone: [],
    files: [],
    folders: [],
    pass: false,
  }
}

export function take(window: Window, event: Exclude<SourceEvent, { t: 'fault' | 'checkpoint' }>): void {
  switch (event.t) {
    case 'record': {
      const { record, span } = event
      const { key, contentHash: hash, patients } = record
      const seen: Seen = { key, hash, patients, code: null, time: timeOf(record) }
      if (span) seen.span = span
      window.seen.push(seen)
      const [patient] = patients
      if (key.type === 'Patient' && patient !== undefined) {
        const resource: unknown = JSON.parse(Buffer.from(record.payload).toString('utf8'))
        window.shown.set(seen, { patient, resource, source: key.source })
      }
      return
    }
    case 'held': {
      const { key, contentHash: hash, patients, code, span } = event
      const seen: Seen = { key, hash, patients, code, time: timeOf(event) }
      window.seen.push(span ? { ...seen, span } : seen)
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
    case 'folder':
      window.folders.push(event.seen)
      return
    case 'pass':
      window.pass = true
  }
}

type Ending = Extract<SourceEvent, { t: 'checkpoint' }>

export async function commit<DB extends SourcesTables>(
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
    const pass = { source, run, now, dated: showsOneVersion(connector) }
    const change = await keepLedger(tx, window.seen, pass)
    if (change.regressed > 0) log('source.regressed', { records: change.regressed })
    await keepSpans(tx, source, window.seen)
    await keepFolders(tx, source, window.folders)
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
