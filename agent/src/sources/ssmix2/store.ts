import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { RecordKey } from '@kakehashi/protocol/records'
import type { Migration } from '@kakehashi/store/migrate'
import { type Kysely, sql } from 'kysely'
import type { SourcesTables, SourcesTx } from '../store.ts'

/** Every ledger row of a stored message names its storage key as its file, and begins with this. */
export const KEY_MARK = '//'

export const ssmix2Migrations: readonly Migration[] = [
  {
    name: 'ssmix2-001',
    up: (w) => [
      `CREATE TABLE source_folder (source ${w.text} NOT NULL, parent ${w.text} NOT NULL, folder ${w.text} NOT NULL, print ${w.text} NOT NULL, names ${w.bytes} NOT NULL, pending ${w.text}, PRIMARY KEY (source, parent, folder))${w.strict}, WITHOUT ROWID`,
      `CREATE INDEX source_folder_pending ON source_folder (source) WHERE pending IS NOT NULL`,
      // the rows of other sources have no such file, and cost nothing here
      `CREATE INDEX source_ledger_key ON source_ledger (source, file) WHERE file >= '//' AND file < '/0'`,
    ],
  },
]

/** One patient's folder as it was when it was last read. */
export interface FolderSeen {
  parent: string
  folder: string
  /** Hash of the sorted names; empty: to be read again. */
  print: string
  names: readonly string[]
  /** Storage keys that lost their valid file and show no deletion, and since when. */
  pending: Readonly<Record<string, number>>
}

type Row = SourcesTables['source_folder']

export async function keepFolders(tx: SourcesTx, source: string, seen: readonly FolderSeen[]): Promise<void> {
  for (const { parent, folder, print, names, pending } of seen) {
    if (names.length === 0 && Object.keys(pending).length === 0) {
      await tx
        .deleteFrom('source_folder')
        .where('source', '=', source)
        .where('parent', '=', parent)
        .where('folder', '=', folder)
        .execute()
      continue
    }
    const row = {
      print,
      names: deflateRawSync(names.join('\n'), { level: 1 }),
      pending: Object.keys(pending).length === 0 ? null : JSON.stringify(pending),
    }
    await tx
      .insertInto('source_folder')
      .values({ source, parent, folder, ...row })
      .onConflict((c) => c.columns(['source', 'parent', 'folder']).doUpdateSet(row))
      .execute()
  }
}

/** What the storage's reader asks of the agent's tables. */
export interface FolderIndex {
  /** The two upper folders under which patients are known. */
  parents(source: string): Promise<string[]>
  prints(source: string, parent: string): Promise<Map<string, { print: string; pending: boolean }>>
  folder(source: string, parent: string, folder: string): Promise<FolderSeen | null>
  /** Folders with keys that wait to be found again. */
  pending(source: string): Promise<FolderSeen[]>
  /** What the ledger holds of these storage keys. */
  recordsOf(source: string, keys: readonly string[]): Promise<Told[]>
  /** Other charts with the same kana name, birth date and sex. */
  namesakes(patient: PatientKey): Promise<PatientKey[]>
}

export interface Told {
  key: RecordKey
  patients: PatientKey[]
  file: string
}

export function folderIndex(store: { db: Kysely<SourcesTables> }): FolderIndex {
  const folders = (source: string) => store.db.selectFrom('source_folder').where('source', '=', source)
  return {
    async parents(source) {
      const rows = await folders(source).select('parent').distinct().execute()
      return rows.map((row) => row.parent)
    },
    async prints(source, parent) {
      const rows = await folders(source)
        .select(['folder', 'print', 'pending'])
        .where('parent', '=', parent)
        .execute()
      return new Map(rows.map((row) => [row.folder, { print: row.print, pending: row.pending !== null }]))
    },
    async folder(source, parent, folder) {
      const row = await folders(source)
        .selectAll()
        .where('parent', '=', parent)
        .where('folder', '=', folder)
        .executeTakeFirst()
      return row ? seenOf(row) : null
    },
    async pending(source) {
      const rows = await folders(source).selectAll().where('pending', 'is not', null).execute()
      return rows.map(seenOf)
    },
    async recordsOf(source, keys) {
      const found: Told[] = []
      for (let from = 0; from < keys.length; from += 500) {
        const { rows } = await sql<{ type: string; id: string; patients: string; file: string }>`
          SELECT l.type, l.id, l.patients, l.file
          FROM json_each(${JSON.stringify(keys.slice(from, from + 500))}) AS k
          CROSS JOIN source_ledger AS l INDEXED BY source_ledger_key
          ON l.source = ${source} AND l.file = k.value AND l.file >= '//' AND l.file < '/0'
          WHERE l.state <> 'gone'`.execute(store.db)
        for (const { type, id, patients, file } of rows)
          found.push({ key: { source, type, id }, patients: JSON.parse(patients) as PatientKey[], file })
      }
      return found
    },
    async namesakes(patient) {
      const { rows } = await sql<{ patient: string }>`
        SELECT b.patient FROM patient_index AS a JOIN patient_index AS b
        ON b.kana_key = a.kana_key AND b.birth_date = a.birth_date AND b.sex = a.sex AND b.patient <> a.patient
        WHERE a.patient = ${patient} AND a.kana_key <> '' LIMIT 5`.execute(store.db)
      return rows.map((row) => row.patient as PatientKey)
    },
  }
}

function seenOf(row: Row): FolderSeen {
  const names = inflateRawSync(row.names).toString('utf8')
  return {
    parent: row.parent,
    folder: row.folder,
    print: row.print,
    names: names === '' ? [] : names.split('\n'),
    pending: row.pending === null ? {} : (JSON.parse(row.pending) as Record<string, number>),
  }
}
