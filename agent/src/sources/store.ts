import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { type RecordKey, recordKeyText, type Tombstone } from '@kakehashi/protocol/records'
import type { Migration, Words } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'

export interface SourcesTables {
  /** How far each source was read; `run` counts its full passes. */
  source_checkpoint: { source: string; checkpoint: string; run: number; at: number }
  /**
   * What each source holds, by key and hash; no content. `state`: `active`, `held` (may not travel, with `code`) or
   * `gone`. `file`: where it was last seen; `run`: the last pass that saw it.
   */
  source_ledger: {
    source: string
    type: string
    id: string
    hash: string
    patients: string
    file: string
    run: number
    state: string
    code: string | null
    since: number
    /** When a held record was last looked at. */
    tried: number | null
    /** The newest version's own time, of a server that shows one version only; what is older has been put back. */
    told_at: number | null
  }
  source_span: { source: string; patient: string; file: string; start: number; length: number; line: number }
  /** SS-MIX2: the names in each patient's folder when it was last read, packed. */
  source_folder: {
    source: string
    parent: string
    folder: string
    print: string
    names: Uint8Array
    pending: string | null
  }
  quarantine: { source: string; place: string; file: string; code: string; hash: string; at: number }
  /** Deletions that looked too many to be true, until a person confirms them. */
  source_brake: {
    source: string
    type: string
    missing: number
    total: number
    at: number
    confirmed: number
  }
  /** "This patient has something to read", said how often: all that is kept of a change until the gate allows it. */
  to_read: { patient: string; since: number; marks: number }
  /** Versions that the vault accepted, by record key. */
  sent_record: { key: string; hash: string; patient: string; seq: number }
  /** Forwarded before and no more: to be told to the vault with the patient's next batch. */
  due_tombstone: { key: string; patient: string; reason: string; at: number; body: string }
}

/** The large tables are kept in the order of their key, once: the agent's store is always SQLite. */
const clustered = (w: Words) => `${w.strict}, WITHOUT ROWID`

export const sourcesMigrations: readonly Migration[] = [
  {
    name: 'sources-001',
    up: (w) => [
      `CREATE TABLE source_checkpoint (source ${w.text} PRIMARY KEY, checkpoint ${w.text} NOT NULL, run ${w.int} NOT NULL, at ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE source_ledger (source ${w.text} NOT NULL, type ${w.text} NOT NULL, id ${w.text} NOT NULL, hash ${w.text} NOT NULL, patients ${w.text} NOT NULL, file ${w.text} NOT NULL, run ${w.int} NOT NULL, state ${w.text} NOT NULL, code ${w.text}, since ${w.int} NOT NULL, tried ${w.int}, PRIMARY KEY (source, type, id))${clustered(w)}`,
      `CREATE INDEX source_ledger_held ON source_ledger (source, code) WHERE state = 'held'`,
      `CREATE TABLE source_span (source ${w.text} NOT NULL, patient ${w.text} NOT NULL, file ${w.text} NOT NULL, start ${w.int} NOT NULL, length ${w.int} NOT NULL, line ${w.int} NOT NULL, PRIMARY KEY (source, patient, file, start))${clustered(w)}`,
      `CREATE INDEX source_span_file ON source_span (source, file)`,
      `CREATE TABLE quarantine (source ${w.text} NOT NULL, place ${w.text} NOT NULL, file ${w.text} NOT NULL, code ${w.text} NOT NULL, hash ${w.text} NOT NULL, at ${w.int} NOT NULL, PRIMARY KEY (source, place, hash))${w.strict}`,
      `CREATE TABLE source_brake (source ${w.text} NOT NULL, type ${w.text} NOT NULL, missing ${w.int} NOT NULL, total ${w.int} NOT NULL, at ${w.int} NOT NULL, confirmed ${w.int} NOT NULL, PRIMARY KEY (source, type))${w.strict}`,
      `CREATE TABLE to_read (patient ${w.text} PRIMARY KEY, since ${w.int} NOT NULL, marks ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX to_read_since ON to_read (since)`,
      `CREATE TABLE sent_record (key ${w.text} PRIMARY KEY, hash ${w.text} NOT NULL, patient ${w.text} NOT NULL, seq ${w.int} NOT NULL)${clustered(w)}`,
      `CREATE INDEX sent_record_patient ON sent_record (patient)`,
      `CREATE TABLE due_tombstone (key ${w.text} PRIMARY KEY, patient ${w.text} NOT NULL, reason ${w.text} NOT NULL, at ${w.int} NOT NULL, body ${w.text} NOT NULL)${w.strict}`,
      `CREATE INDEX due_tombstone_patient ON due_tombstone (patient)`,
    ],
  },
  { name: 'sources-002', up: (w) => [`ALTER TABLE source_ledger ADD COLUMN told_at ${w.int}`] },
]

export type SourcesTx = Tx<SourcesTables>
type Reader = Kysely<SourcesTables>

/** Keeps the time of the first mark: the longest wait is read first. */
export async function markToRead(tx: SourcesTx, patient: PatientKey, now: Instant): Promise<void> {
  await markAllToRead(tx, [patient], now)
}

export async function markAllToRead(
  tx: SourcesTx,
  patients: readonly PatientKey[],
  now: Instant,
): Promise<void> {
  for (let from = 0; from < patients.length; from += 500)
    await tx
      .insertInto('to_read')
      .values(patients.slice(from, from + 500).map((patient) => ({ patient, since: now, marks: 1 })))
      .onConflict((c) => c.column('patient').doUpdateSet((e) => ({ marks: e('to_read.marks', '+', 1) })))
      .execute()
}

export interface ToRead {
  patient: PatientKey
  since: Instant
  /** Counts the changes seen; see {@link clearToRead}. */
  marks: number
}

/** Longest waiting first; `after` walks on past patients whom the gate does not allow. */
export async function patientsToRead(db: Reader, limit: number, after?: ToRead): Promise<ToRead[]> {
  let query = db.selectFrom('to_read').selectAll().orderBy('since').orderBy('patient').limit(limit)
  if (after)
    query = query.where((e) =>
      e.or([
        e('since', '>', after.since),
        e.and([e('since', '=', after.since), e('patient', '>', after.patient)]),
      ]),
    )
  const rows = await query.execute()
  return rows.map((row) => ({ ...row, patient: row.patient as PatientKey }))
}

/**
 * Call it in the transaction that stores what was read, with the mark as it was before reading began: a change that
 * came meanwhile has raised `marks`, and the patient stays to be read.
 */
export async function clearToRead(tx: SourcesTx, read: Pick<ToRead, 'patient' | 'marks'>): Promise<void> {
  await tx.deleteFrom('to_read').where('patient', '=', read.patient).where('marks', '=', read.marks).execute()
}

/** Key text → hash of the version the vault has. */
export async function sentHashes(db: Reader, patient: PatientKey): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('sent_record')
    .select(['key', 'hash'])
    .where('patient', '=', patient)
    .execute()
  return new Map(rows.map((row) => [row.key, row.hash]))
}

/** By a batch of this number; one numbered later says what the vault has, however late a receipt comes. */
export async function recordSent(
  tx: SourcesTx,
  sent: readonly { key: string; hash: string; patient: PatientKey }[],
  seq: number,
): Promise<void> {
  for (let from = 0; from < sent.length; from += 500)
    await tx
      .insertInto('sent_record')
      .values(sent.slice(from, from + 500).map((row) => ({ ...row, seq })))
      .onConflict((c) =>
        c
          .column('key')
          .doUpdateSet((e) => ({
            hash: e.ref('excluded.hash'),
            patient: e.ref('excluded.patient'),
            seq: e.ref('excluded.seq'),
          }))
          .where((e) => e('sent_record.seq', '<=', e.ref('excluded.seq'))),
      )
      .execute()
}

/** The vault has none of these patients' records any more (erasure), or must be given all again. */
export async function forgetSent(tx: SourcesTx, patients: readonly PatientKey[]): Promise<void> {
  if (patients.length === 0) return
  await tx
    .deleteFrom('sent_record')
    .where('patient', 'in', [...patients])
    .execute()
  await tx
    .deleteFrom('due_tombstone')
    .where('patient', 'in', [...patients])
    .execute()
}

/** All that the vault holds is numbered at least `seq`: the rest it has lost. Answers whose that was. */
export async function forgetUntold(tx: SourcesTx, seq: number): Promise<PatientKey[]> {
  const rows = await tx
    .selectFrom('sent_record')
    .select('patient')
    .distinct()
    .where('seq', '<', seq)
    .execute()
  await tx.deleteFrom('sent_record').where('seq', '<', seq).execute()
  return rows.map((row) => row.patient as PatientKey)
}

export async function dueTombstones(db: Reader, patient: PatientKey): Promise<Tombstone[]> {
  const rows = await db.selectFrom('due_tombstone').select('body').where('patient', '=', patient).execute()
  return rows.map((row) => JSON.parse(row.body) as Tombstone)
}

/** The vault accepted these tombstones: neither owed nor held there any more, unless sent again by a later batch. */
export async function clearTombstones(tx: SourcesTx, keys: readonly string[], seq: number): Promise<void> {
  if (keys.length === 0) return
  const again = tx
    .selectFrom('sent_record')
    .select('key')
    .where('key', 'in', [...keys])
    .where('seq', '>', seq)
  await tx
    .deleteFrom('due_tombstone')
    .where('key', 'in', [...keys])
    .where('key', 'not in', again)
    .execute()
  await tx
    .deleteFrom('sent_record')
    .where('key', 'in', [...keys])
    .where('seq', '<=', seq)
    .execute()
}

/** What is there again needs no tombstone for those it is about; others it was sent for still get theirs. */
export async function cancelTombstones(
  tx: SourcesTx,
  back: readonly { key: RecordKey; patients: PatientKey[] }[],
): Promise<void> {
  const byKey = new Map(back.map((one) => [recordKeyText(one.key), one.patients]))
  const keys = [...byKey.keys()]
  for (let from = 0; from < keys.length; from += 500) {
    const page = keys.slice(from, from + 500)
    const due = await tx
      .selectFrom('due_tombstone')
      .select(['key', 'patient'])
      .where('key', 'in', page)
      .execute()
    for (const { key, patient } of due)
      if (byKey.get(key)?.includes(patient as PatientKey))
        await tx.deleteFrom('due_tombstone').where('key', '=', key).execute()
  }
}

/** Owes the vault a tombstone for what it was given before; answers for how many records that was so. */
export async function oweTombstones(
  tx: SourcesTx,
  gone: readonly { key: RecordKey; patients: PatientKey[] }[],
  reason: Tombstone['reason'],
  now: Instant,
): Promise<PatientKey[]> {
  const byKey = new Map(gone.map((one) => [recordKeyText(one.key), one]))
  const touched = new Set<PatientKey>()
  const keys = [...byKey.keys()]
  for (let from = 0; from < keys.length; from += 500) {
    const sent = await tx
      .selectFrom('sent_record')
      .select(['key', 'patient'])
      .where('key', 'in', keys.slice(from, from + 500))
      .execute()
    for (const { key, patient } of sent) {
      const tombstone: Tombstone = {
        key: (byKey.get(key) as { key: RecordKey }).key,
        patients: [patient as PatientKey],
        reason,
        at: new Date(now).toISOString(),
      }
      touched.add(patient as PatientKey)
      await tx
        .insertInto('due_tombstone')
        .values({ key, patient, reason, at: now, body: JSON.stringify(tombstone) })
        .onConflict((c) => c.column('key').doNothing())
        .execute()
    }
  }
  return [...touched]
}

export interface Quarantined {
  source: string
  /** File and line; names nobody. */
  place: string
  code: string
  hash: string
  at: Instant
}

/** What could not be read when it was last tried, newest first. */
export async function quarantined(db: Reader, limit: number): Promise<Quarantined[]> {
  return db
    .selectFrom('quarantine')
    .select(['source', 'place', 'code', 'hash', 'at'])
    .orderBy('at', 'desc')
    .orderBy('place')
    .limit(limit)
    .execute()
}

/** How many records each source has, by state, and why some are held. */
export async function ledgerCounts(
  db: Reader,
): Promise<{ source: string; type: string; state: string; code: string | null; records: number }[]> {
  const rows = await db
    .selectFrom('source_ledger')
    .select((e) => ['source', 'type', 'state', 'code', e.fn.countAll<number>().as('records')])
    .groupBy(['source', 'type', 'state', 'code'])
    .orderBy('source')
    .orderBy('type')
    .execute()
  return rows.map((row) => ({ ...row, records: Number(row.records) }))
}
