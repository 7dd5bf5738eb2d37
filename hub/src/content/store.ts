import type { Migration } from '@kakehashi/store/migrate'

export interface ContentTables {
  /** Keys of landing rows and of partition files, wrapped by the store key; a destroyed key keeps its id only. */
  content_key: {
    id: string
    partition: number
    purpose: 'landing' | 'file' | 'tombstone'
    wrapped: Uint8Array
    wrapped_by: string
    made_at: number
    destroyed_at: number | null
  }
  /** The manifest: which sealed file is a partition now. */
  content_partition: {
    partition: number
    file: string
    key_id: string
    records: number
    bytes: number
    sha256: string
    written_at: number
  }
  /**
   * Newest version of each record, identity resources included, whose content lies in the identity store; `gone` when a
   * tombstone came. `facility` and `key`: what the hospital itself calls it, to be told it after a restore; `null` where
   * the row is older than the columns.
   */
  content_record: {
    record: string
    partition: number
    owner: string
    hash: string
    seq: number
    version: number
    gone: number
    facility: string | null
    key: string | null
  }
  /** Further patients of a record that is about more than one. */
  content_about: { patient: string; record: string }
  /** Accepted, not yet in a partition file. */
  landing: {
    seq: number
    partition: number
    record: string
    owner: string
    type: string
    item: string
    batch: string
    media: string
    people: number
    key_id: string
    sealed: Uint8Array
  }
  /** Rows the next settling must leave out of a partition file. */
  content_removed: { partition: number; record: string; erasure: string | null }
  /** What an erasure did, written with the doing: a crash in between takes nothing from its certificate. */
  content_erasure_key: { erasure: string; key: string }
  content_erasure_place: { erasure: string; place: string; records: number }
  /** Keyed hashes of erased patients: what arrives later is refused. */
  content_erased: { handle: string; at: number }
  content_counter: { name: string; value: number }
}

export const contentMigrations: readonly Migration[] = [
  {
    name: '100-content',
    up: (w) => [
      `CREATE TABLE content_key (id ${w.text} PRIMARY KEY, partition ${w.int} NOT NULL, purpose ${w.text} NOT NULL, wrapped ${w.bytes} NOT NULL, wrapped_by ${w.text} NOT NULL, made_at ${w.int} NOT NULL, destroyed_at ${w.int})${w.strict}`,
      `CREATE INDEX content_key_use ON content_key (purpose, partition)`,
      `CREATE TABLE content_partition (partition ${w.int} PRIMARY KEY, file ${w.text} NOT NULL, key_id ${w.text} NOT NULL REFERENCES content_key (id), records ${w.int} NOT NULL, bytes ${w.int} NOT NULL, sha256 ${w.text} NOT NULL, written_at ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE content_record (record ${w.text} PRIMARY KEY, partition ${w.int} NOT NULL, owner ${w.text} NOT NULL, hash ${w.text} NOT NULL, seq ${w.int} NOT NULL, version ${w.int} NOT NULL, gone ${w.int} NOT NULL)${w.strict}`,
      `CREATE INDEX content_record_owner ON content_record (owner)`,
      `CREATE TABLE content_about (patient ${w.text} NOT NULL, record ${w.text} NOT NULL, PRIMARY KEY (patient, record))${w.strict}`,
      `CREATE INDEX content_about_record ON content_about (record)`,
      `CREATE TABLE landing (seq ${w.int} PRIMARY KEY, partition ${w.int} NOT NULL, record ${w.text} NOT NULL UNIQUE, owner ${w.text} NOT NULL, type ${w.text} NOT NULL, item ${w.text} NOT NULL, batch ${w.text} NOT NULL, media ${w.text} NOT NULL, people ${w.int} NOT NULL, key_id ${w.text} NOT NULL REFERENCES content_key (id), sealed ${w.bytes} NOT NULL)${w.strict}`,
      `CREATE INDEX landing_partition ON landing (partition, seq)`,
      `CREATE INDEX landing_owner ON landing (owner)`,
      `CREATE TABLE content_removed (partition ${w.int} NOT NULL, record ${w.text} NOT NULL, PRIMARY KEY (partition, record))${w.strict}`,
      `CREATE TABLE content_erased (handle ${w.text} PRIMARY KEY, at ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE content_counter (name ${w.text} PRIMARY KEY, value ${w.int} NOT NULL)${w.strict}`,
    ],
  },
  {
    name: '101-content-erasure',
    up: (w) => [
      `ALTER TABLE content_removed ADD COLUMN erasure ${w.text}`,
      `CREATE TABLE content_erasure_key (erasure ${w.text} NOT NULL, key ${w.text} NOT NULL, PRIMARY KEY (erasure, key))${w.strict}`,
      `CREATE TABLE content_erasure_place (erasure ${w.text} NOT NULL, place ${w.text} NOT NULL, records ${w.int} NOT NULL, PRIMARY KEY (erasure, place))${w.strict}`,
    ],
  },
  {
    name: '102-content-key',
    up: (w) => [
      `ALTER TABLE content_record ADD COLUMN facility ${w.text}`,
      `ALTER TABLE content_record ADD COLUMN key ${w.text}`,
      `CREATE INDEX content_record_facility ON content_record (facility, seq)`,
    ],
  },
]
