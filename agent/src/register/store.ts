import type { Instant } from '@kakehashi/protocol/env'
import type { RegisterEvent } from '@kakehashi/protocol/events'
import type { OperatorStatus } from '@kakehashi/protocol/messages'
import type { Migration } from '@kakehashi/store/migrate'
import type { Tx } from '@kakehashi/store/store'

export interface RegisterTables {
  /** Append-only. `subject`: the notice or stop it is about; `other`: the second chart of a merge. */
  register_event: {
    seq: number
    event: string
    at: number
    type: string
    patient: string | null
    other: string | null
    subject: string | null
    handle: string | null
    body: string
  }
  /** Copies of the documents of Art. 53, kept as handed out; also the task until they are handed over. */
  slip: {
    number: string
    stop: string
    asked_at: number
    opened_at: number
    body: string
    handed_at: number | null
    handed_by: string | null
    handed_how: string | null
  }
  operator_status: {
    operator: string
    name: string
    address: string
    tracks: string
    standing: string
    as_of: number
  }
  clock_seen: { id: number; latest: number }
  /** One row once this store was put back from a backup; `leaves`: length of its audit log then. */
  restored: {
    id: number
    asked: string
    restored_at: number
    opened_at: number | null
    leaves: number
    sequence_from: number
    missing_leaves: number | null
    /** How far the hub has told what it holds; `null`: not at all. */
    records_place: string | null
    /** `waits`: for a page; `again`: and for one more after it, since something came meanwhile. */
    records_state: 'untold' | 'waits' | 'again' | 'told'
    /** Under this number what the hub told is kept: above every batch of before, below every one since. */
    records_seq: number
  }
  /** Which parts of the hub's answer are here. */
  restored_part: { part: number }
  erased_chart: { hash: string; key: string }
  /** Notices with an earlier date than counts, entered by one person and waiting for a second. */
  backdate_asked: { notice: string; asked_at: number }
  /** Stops asked by name whose chart was not found: looked up whenever a patient is seen. */
  name_stop: {
    stop: string
    kana_key: string
    kanji_key: string
    birth_date: string | null
    asked_at: number
    settled_at: number | null
  }
}

export const registerMigrations: readonly Migration[] = [
  {
    name: 'register-001',
    up: (w) => [
      `CREATE TABLE register_event (seq ${w.int} PRIMARY KEY, event ${w.text} NOT NULL UNIQUE, at ${w.int} NOT NULL, type ${w.text} NOT NULL, patient ${w.text}, other ${w.text}, subject ${w.text}, handle ${w.text}, body ${w.text} NOT NULL)${w.strict}`,
      `CREATE INDEX register_event_patient ON register_event (patient)`,
      `CREATE INDEX register_event_other ON register_event (other) WHERE other IS NOT NULL`,
      `CREATE INDEX register_event_subject ON register_event (subject) WHERE subject IS NOT NULL`,
      `CREATE INDEX register_event_handle ON register_event (handle) WHERE handle IS NOT NULL`,
      `CREATE TRIGGER register_event_fixed BEFORE UPDATE ON register_event BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END`,
      `CREATE TRIGGER register_event_kept BEFORE DELETE ON register_event BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END`,
      `CREATE TABLE slip (number ${w.text} PRIMARY KEY, stop ${w.text} NOT NULL, asked_at ${w.int} NOT NULL, opened_at ${w.int} NOT NULL, body ${w.text} NOT NULL, handed_at ${w.int}, handed_by ${w.text}, handed_how ${w.text})${w.strict}`,
      `CREATE INDEX slip_stop ON slip (stop)`,
      `CREATE TABLE operator_status (operator ${w.text} PRIMARY KEY, name ${w.text} NOT NULL, address ${w.text} NOT NULL, tracks ${w.text} NOT NULL, standing ${w.text} NOT NULL, as_of ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE clock_seen (id ${w.int} PRIMARY KEY CHECK (id = 1), latest ${w.int} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: 'register-002',
    up: (w) => [
      `CREATE TABLE name_stop (stop ${w.text} PRIMARY KEY, kana_key ${w.text} NOT NULL, kanji_key ${w.text} NOT NULL, birth_date ${w.text}, asked_at ${w.int} NOT NULL, settled_at ${w.int})${w.strict}`,
      `CREATE INDEX name_stop_open ON name_stop (kana_key) WHERE settled_at IS NULL`,
    ],
  },
  {
    name: 'register-003',
    up: (w) => [
      `CREATE TABLE restored (id ${w.int} PRIMARY KEY CHECK (id = 1), asked ${w.text} NOT NULL, restored_at ${w.int} NOT NULL, opened_at ${w.int}, leaves ${w.int} NOT NULL, sequence_from ${w.int} NOT NULL, missing_leaves ${w.int})${w.strict}`,
      `CREATE TABLE restored_part (part ${w.int} PRIMARY KEY)${w.strict}`,
      `CREATE TABLE erased_chart (hash ${w.text} PRIMARY KEY, key ${w.text} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: 'register-004',
    up: (w) => [
      `CREATE TABLE backdate_asked (notice ${w.text} PRIMARY KEY, asked_at ${w.int} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: 'register-005',
    up: (w) => [
      `ALTER TABLE restored ADD COLUMN records_place ${w.text}`,
      `ALTER TABLE restored ADD COLUMN records_state ${w.text} NOT NULL DEFAULT 'untold'`,
      `ALTER TABLE restored ADD COLUMN records_seq ${w.int} NOT NULL DEFAULT 0`,
    ],
  },
]

type RegisterTx = Tx<RegisterTables>

/** Remembers the latest time ever seen; a clock that runs behind it later denies every decision. */
export async function seeTime(tx: RegisterTx, now: Instant): Promise<void> {
  await tx
    .insertInto('clock_seen')
    .values({ id: 1, latest: now })
    .onConflict((c) => c.column('id').doUpdateSet({ latest: now }).where('clock_seen.latest', '<', now))
    .execute()
}

function subjectOf(event: RegisterEvent): string | null {
  if ('notice' in event) return event.notice
  if ('stop' in event) return event.stop
  return null
}

export async function appendEvent(tx: RegisterTx, event: RegisterEvent): Promise<void> {
  const last = await tx
    .selectFrom('register_event')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  await tx
    .insertInto('register_event')
    .values({
      seq: (last?.seq ?? 0) + 1,
      event: event.event,
      at: event.recordedAt,
      type: event.type,
      patient: 'patient' in event ? event.patient : null,
      other: 'other' in event ? event.other : null,
      subject: subjectOf(event),
      handle: event.type === 'notice-given' ? (event.handle ?? null) : null,
      body: JSON.stringify(event),
    })
    .execute()
  await seeTime(tx, event.recordedAt)
}

/** The vault's signed word on an operator; an older one than known changes nothing. */
export async function keepOperatorStatus(tx: RegisterTx, status: OperatorStatus): Promise<void> {
  const facts = {
    name: status.name,
    address: status.address,
    tracks: JSON.stringify(status.tracks),
    standing: status.standing,
    as_of: status.asOf,
  }
  await tx
    .insertInto('operator_status')
    .values({ operator: status.operator, ...facts })
    .onConflict((c) =>
      c.column('operator').doUpdateSet(facts).where('operator_status.as_of', '<=', status.asOf),
    )
    .execute()
}
