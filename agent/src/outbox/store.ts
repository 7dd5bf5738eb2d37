import type { BatchId, OperatorId, PatientKey } from '@kakehashi/protocol/ids'
import type { Track } from '@kakehashi/protocol/rules/state'
import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'

/**
 * Where a batch is on its way to the hub. `claimed`: the gate was passed and it certainly never left;
 * `in-flight`: some bytes may have reached the gateway.
 */
export const LEGS = ['queued', 'claimed', 'in-flight', 'at-gateway', 'done', 'dropped'] as const
export type Leg = (typeof LEGS)[number]
/** What the vault said of it. */
export type Outcome = 'none' | 'accepted' | 'partly' | 'refused'

/** Every way a batch may go; anything else is an error in the program. */
export const LEG_MOVES: Record<Leg, readonly Leg[]> = {
  queued: ['claimed', 'dropped', 'done'],
  claimed: ['queued', 'in-flight', 'dropped', 'done'],
  'in-flight': ['at-gateway', 'queued', 'dropped', 'done'],
  'at-gateway': ['done', 'queued'],
  done: [],
  dropped: ['done'],
}
/** Not finished: a later batch with one of its patients waits. */
export const OPEN_LEGS = ['queued', 'claimed', 'in-flight', 'at-gateway'] as const satisfies readonly Leg[]

export interface OutboxTables {
  outbox_batch: {
    batch: string
    sequence: number
    leg: string
    outcome: string
    /** 1: a stop came while it was in flight; no further byte is sent. */
    halted: number
    /** 1: it was in flight once. Whatever the gateway says of it later, the vault may have it. */
    flown: number
    track: string
    operator: string
    digest: string
    size: number
    records: number
    rule_version: string
    created_at: number
    moved_at: number
  }
  /** The sealed bytes, cut as they are uploaded; gone when the batch is done or dropped. */
  outbox_part: { batch: string; start: number; bytes: Uint8Array }
  outbox_patient: { batch: string; patient: string; items: string }
  /** What the ledger will remember when the vault's receipt says accepted, also of a batch that was dropped after it flew. */
  outbox_record: {
    batch: string
    key: string
    hash: string
    patient: string
    tombstone: number
  }
  /** Art. 54: one record of provision a batch, one line a patient. */
  provision: {
    batch: string
    provided_at: number
    provided_on: string
    operator: string
    operator_name: string
    operator_address: string
    track: string
    records: number
  }
  provision_patient: { batch: string; patient: string; items: string }
  refused_record: {
    batch: string
    patient: string | null
    record: string | null
    code: string
    at: number
    retry_at: number | null
  }
}

export const outboxMigrations: readonly Migration[] = [
  {
    name: 'outbox-001',
    up: (w) => [
      `CREATE TABLE outbox_batch (batch ${w.text} PRIMARY KEY, sequence ${w.int} NOT NULL UNIQUE, leg ${w.text} NOT NULL, outcome ${w.text} NOT NULL, halted ${w.int} NOT NULL, track ${w.text} NOT NULL, operator ${w.text} NOT NULL, digest ${w.text} NOT NULL, size ${w.int} NOT NULL, records ${w.int} NOT NULL, rule_version ${w.text} NOT NULL, created_at ${w.int} NOT NULL, moved_at ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX outbox_batch_leg ON outbox_batch (leg, sequence)`,
      `CREATE TABLE outbox_part (batch ${w.text} NOT NULL, start ${w.int} NOT NULL, bytes ${w.bytes} NOT NULL, PRIMARY KEY (batch, start))${w.strict}`,
      `CREATE TABLE outbox_patient (batch ${w.text} NOT NULL, patient ${w.text} NOT NULL, items ${w.text} NOT NULL, PRIMARY KEY (batch, patient))${w.strict}`,
      `CREATE INDEX outbox_patient_patient ON outbox_patient (patient)`,
      `CREATE TABLE outbox_record (batch ${w.text} NOT NULL, key ${w.text} NOT NULL, hash ${w.text} NOT NULL, patient ${w.text} NOT NULL, tombstone ${w.int} NOT NULL, PRIMARY KEY (batch, key))${w.strict}`,
      `CREATE INDEX outbox_record_key ON outbox_record (key)`,
      `CREATE INDEX outbox_record_patient ON outbox_record (patient)`,
      `CREATE TABLE provision (batch ${w.text} PRIMARY KEY, provided_at ${w.int} NOT NULL, provided_on ${w.text} NOT NULL, operator ${w.text} NOT NULL, operator_name ${w.text} NOT NULL, operator_address ${w.text} NOT NULL, track ${w.text} NOT NULL, records ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE provision_patient (batch ${w.text} NOT NULL, patient ${w.text} NOT NULL, items ${w.text} NOT NULL, PRIMARY KEY (batch, patient))${w.strict}`,
      `CREATE INDEX provision_patient_patient ON provision_patient (patient)`,
      `CREATE TABLE refused_record (batch ${w.text} NOT NULL, patient ${w.text}, record ${w.text}, code ${w.text} NOT NULL, at ${w.int} NOT NULL, retry_at ${w.int})${w.strict}`,
      `CREATE INDEX refused_record_batch ON refused_record (batch)`,
      `CREATE INDEX refused_record_retry ON refused_record (retry_at) WHERE retry_at IS NOT NULL`,
    ],
  },
  {
    name: 'outbox-002',
    up: (w) => [`ALTER TABLE outbox_batch ADD COLUMN flown ${w.int} NOT NULL DEFAULT 0`],
  },
]

export type OutboxReader = Pick<Kysely<OutboxTables>, 'selectFrom'>
export type OutboxTx = Tx<OutboxTables>

export interface BatchRow {
  batch: BatchId
  sequence: number
  leg: Leg
  outcome: Outcome
  halted: boolean
  flown: boolean
  track: Track
  operator: OperatorId
  digest: string
  size: number
  records: number
  createdAt: number
}

interface RawBatch {
  batch: string
  sequence: number
  leg: string
  outcome: string
  halted: number
  flown: number
  track: string
  operator: string
  digest: string
  size: number
  records: number
  created_at: number
}

function batchRow(row: RawBatch): BatchRow {
  return {
    batch: row.batch as BatchId,
    sequence: row.sequence,
    leg: row.leg as Leg,
    outcome: row.outcome as Outcome,
    halted: row.halted === 1,
    flown: row.flown === 1,
    track: row.track as Track,
    operator: row.operator as OperatorId,
    digest: row.digest,
    size: row.size,
    records: row.records,
    createdAt: row.created_at,
  }
}

export async function batchOf(db: OutboxReader, batch: BatchId): Promise<BatchRow | null> {
  const row = await db.selectFrom('outbox_batch').selectAll().where('batch', '=', batch).executeTakeFirst()
  return row ? batchRow(row) : null
}

/** Number of the newest batch; 0: none was ever made. */
export async function lastSequence(db: OutboxReader): Promise<number> {
  const last = await db
    .selectFrom('outbox_batch')
    .select((e) => e.fn.max('sequence').as('sequence'))
    .executeTakeFirst()
  return last?.sequence ?? 0
}

export async function batchesOnLeg(db: OutboxReader, legs: readonly Leg[]): Promise<BatchRow[]> {
  const rows = await db
    .selectFrom('outbox_batch')
    .selectAll()
    .where('leg', 'in', [...legs])
    .orderBy('sequence')
    .execute()
  return rows.map(batchRow)
}

/** The oldest queued batch none of whose patients is in an earlier unfinished one. */
export async function claimable(db: OutboxReader): Promise<BatchRow | null> {
  const row = await db
    .selectFrom('outbox_batch as b')
    .selectAll('b')
    .where('b.leg', '=', 'queued')
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('outbox_patient as mine')
            .innerJoin('outbox_patient as theirs', 'theirs.patient', 'mine.patient')
            .innerJoin('outbox_batch as earlier', 'earlier.batch', 'theirs.batch')
            .select('mine.patient')
            .whereRef('mine.batch', '=', 'b.batch')
            .whereRef('earlier.sequence', '<', 'b.sequence')
            .where('earlier.leg', 'in', [...OPEN_LEGS]),
        ),
      ),
    )
    .orderBy('b.sequence')
    .limit(1)
    .executeTakeFirst()
  return row ? batchRow(row) : null
}

/** Moves a batch along; false when it is no longer where the caller thought (a stop dropped it meanwhile). */
export async function moveBatch(
  tx: OutboxTx,
  batch: BatchId,
  from: Leg,
  to: Leg,
  now: number,
): Promise<boolean> {
  if (!LEG_MOVES[from].includes(to)) throw new Error(`a batch cannot go from ${from} to ${to}`)
  const moved = await tx
    .updateTable('outbox_batch')
    .set({ leg: to, moved_at: now, ...(to === 'in-flight' ? { flown: 1 } : {}) })
    .where('batch', '=', batch)
    .where('leg', '=', from)
    .executeTakeFirst()
  return Number(moved.numUpdatedRows) === 1
}

export async function forgetBytes(tx: OutboxTx, batch: BatchId): Promise<void> {
  await tx.deleteFrom('outbox_part').where('batch', '=', batch).execute()
}

export async function patientsOfBatch(
  db: OutboxReader,
  batch: BatchId,
): Promise<{ patient: PatientKey; items: string }[]> {
  const rows = await db
    .selectFrom('outbox_patient')
    .select(['patient', 'items'])
    .where('batch', '=', batch)
    .orderBy('patient')
    .execute()
  return rows.map((row) => ({ patient: row.patient as PatientKey, items: row.items }))
}

export async function openBatchesWith(
  db: OutboxReader,
  patients: readonly PatientKey[],
): Promise<BatchRow[]> {
  if (patients.length === 0) return []
  const rows = await db
    .selectFrom('outbox_batch')
    .selectAll()
    .where('leg', 'in', [...OPEN_LEGS])
    .where('batch', 'in', (e) =>
      e
        .selectFrom('outbox_patient')
        .select('batch')
        .where('patient', 'in', [...patients]),
    )
    .orderBy('sequence')
    .execute()
  return rows.map(batchRow)
}
