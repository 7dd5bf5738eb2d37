import { mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { silentLog } from '@kakehashi/protocol/log'
import { openStore, type Store } from '@kakehashi/store/store'
import { takePatient } from '../../patients/flow.ts'
import { patientsMigrations, type PatientsTables } from '../../patients/store.ts'
import { FACILITY, fetched, fixedEnv, key } from '../folder.fixture.ts'
import { gather, type Gathered, type Gathering } from '../flow.ts'
import { LABEL_POLICY } from '../labels.ts'
import { dueTombstones, recordSent, sourcesMigrations, type SourcesTables } from '../store.ts'
import { foldersOf } from './file-name.ts'
import { Ssmix2Storage, type StorageOptions } from './storage.ts'
import { folderIndex, ssmix2Migrations } from './store.ts'

type Tables = SourcesTables & PatientsTables

/** ISO-2022-JP, for kanji and kana of JIS X 0208 that EUC-JP tells the code of; the table is read off the decoder. */
export const JIS = new Map<string, [number, number]>()
for (let row = 0x21; row <= 0x7e; row++)
  for (let cell = 0x21; cell <= 0x7e; cell++) {
    const text = new TextDecoder('euc-jp').decode(Uint8Array.of(row | 0x80, cell | 0x80))
    if (text !== '\ufffd' && !JIS.has(text)) JIS.set(text, [row, cell])
  }

export function jis(text: string): Buffer {
  const out: number[] = []
  let wide = false
  for (const sign of text) {
    const code = sign.charCodeAt(0) < 0x80 ? null : JIS.get(sign)
    if (code === undefined) throw new Error(`not in JIS X 0208: ${sign}`)
    if (wide !== (code !== null)) out.push(0x1b, ...(wide ? [0x28, 0x42] : [0x24, 0x42]))
    wide = code !== null
    out.push(...(code ?? [sign.charCodeAt(0)]))
  }
  if (wide) out.push(0x1b, 0x28, 0x42)
  return Buffer.from(out)
}

export interface Written {
  patient: string
  date?: string
  kind: string
  order?: string
  at: string
  department?: string
  flag?: 0 | 1 | 2
}

export function nameOf(file: Written): string {
  const { patient, date = '-', kind, order = '999999999999999', at, department = '-', flag = 1 } = file
  return [patient, date, kind, order, at, department, flag].join('_')
}

export function pathOf(root: string, file: Written): string {
  const [first, second] = foldersOf(file.patient)
  return join(root, first, second, file.patient, file.date ?? '-', file.kind, nameOf(file))
}

export const OLD = new Date('2026-01-01T00:00:00Z')

/** A hospital's storage on disk and the agent's tables beside it. */
export async function openStorage(more: Partial<StorageOptions> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'kakehashi-ssmix2-'))
  const env = fixedEnv()
  const tables = [...sourcesMigrations, ...patientsMigrations, ...ssmix2Migrations]
  const store = (await openStore<Tables>(
    new DatabaseSync(':memory:'),
    tables,
    env,
  )) as unknown as Store<Tables>
  const index = folderIndex(store as never)
  const connector = new Ssmix2Storage({
    source: 'ss',
    facility: FACILITY,
    labels: LABEL_POLICY,
    folder: root,
    institution: null,
    transactions: null,
    indexTable: null,
    env,
    index,
    ...more,
  })
  return {
    root,
    env,
    store,
    index,
    connector,
    async put(file: Written, content: string | Uint8Array, mtime = OLD): Promise<string> {
      const path = pathOf(root, file)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, typeof content === 'string' ? jis(content) : content)
      await utimes(path, mtime, mtime)
      return path
    },
    /** As the storage does it: the name alone changes. */
    async flag(file: Written, to: 0 | 1 | 2): Promise<void> {
      await rename(pathOf(root, file), pathOf(root, { ...file, flag: to }))
    },
    bytes: (file: Written) => readFile(pathOf(root, file)),
    gather: (options: Partial<Gathering<Tables>> = {}): Promise<Gathered> =>
      gather({
        store,
        connector,
        env,
        log: silentLog,
        signal: new AbortController().signal,
        showPatient: (tx, shown) => takePatient(tx as never, shown, env.now(), async () => {}),
        ...options,
      }),
    ledger: () => ledgerOf(store),
    quarantined: () => quarantinedIn(store),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

/** `type/id state` of everything that is not gone. */
async function ledgerOf(store: Store<Tables>): Promise<string[]> {
  const rows = await store.db
    .selectFrom('source_ledger')
    .select(['type', 'id', 'state', 'code'])
    .where('state', '<>', 'gone')
    .orderBy('type')
    .orderBy('id')
    .execute()
  return rows.map((row) => `${row.type}/${row.id} ${row.state}${row.code === null ? '' : ` ${row.code}`}`)
}

async function quarantinedIn(store: Store<Tables>): Promise<string[]> {
  const rows = await store.db.selectFrom('quarantine').select(['place', 'code']).orderBy('place').execute()
  return rows.map((row) => `${row.code} ${row.place}`)
}

export type StorageWorld = Awaited<ReturnType<typeof openStorage>>

export const msh = (type: string, id = '1', at = '20260101000000') =>
  `MSH|^~\\&|HIS|SEND|GW|RCV|${at}||${type}|${id}|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO`

export const pid = (patient: string) =>
  `PID|0001||${patient}^^^^PI||患者^太郎^^^^^L^I~カンジャ^タロウ^^^^^L^P||19480405|M`

export const adt00 = (patient: string, id?: string) =>
  [msh('ADT^A08^ADT_A01', id), 'EVN||20260101000000', pid(patient), 'PV1|0001|O'].join('\r')

export const problems = (
  patient: string,
  list: readonly [id: string, code: string, more?: string][],
  id?: string,
) =>
  [
    msh('PPR^ZD1^PPR_ZD1', id),
    pid(patient),
    ...list.map(
      ([instance, code, more = '']) =>
        `PRB|AD|20260101|${code}^胃炎^MDCDX2|${instance}|||20260101|||||||||20260101${more}`,
    ),
  ].join('\r')

export const results = (patient: string, value: string, status = 'F', code = '3A010000002327101') =>
  [
    msh('OUL^R22^OUL_R22'),
    pid(patient),
    'PV1|0001|O|01^^^^^C',
    'SPM|1|S1||023^血清^JC10|||||||||||||202601010900',
    'OBR|1|O1|F1|3^生化学的検査^JC10|||202601010900',
    'ORC|SC|O1|F1||CM||||202601010800',
    `OBX|1|NM|${code}^総蛋白^JC10||${value}|g/dl^g/dl^99XYZ|6.70-8.3||||${status}|||202601010930`,
  ].join('\r')

/** One patient's chart, problems and results, as most tests write them. */
export const P = '0000123456'
export const T1 = '20260105090000000'
export const T2 = '20260106090000000'
export const chart: Written = { patient: P, kind: 'ADT-00', at: T1 }
export const list: Written = { patient: P, kind: 'PPR-01', at: T1 }
export const lab: Written = {
  patient: P,
  kind: 'OML-11',
  date: '20260105',
  order: '000000000000777',
  at: T1,
  department: '01',
}
/** Longer than any settle time. */
export const AGES = 3600_000

/** As if everything of the patient had been accepted at the hub. */
export async function sendAll(w: StorageWorld): Promise<void> {
  const { records } = await fetched(w.connector, [key(P)])
  const sent = records.map((record) => ({
    key: `${record.key.source}|${record.key.type}|${record.key.id}`,
    hash: record.contentHash,
    patient: record.patients[0] ?? key(P),
  }))
  await w.store.bookkeep((tx) => recordSent(tx as never, sent, 1))
}

export async function dueOf(w: StorageWorld): Promise<string[]> {
  const due = await dueTombstones(w.store.db as never, key(P))
  return due.map(({ key: { type }, reason }) => `${type} ${reason}`)
}
