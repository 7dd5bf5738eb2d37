import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Env } from '@kakehashi/protocol/env'
import { facilityId, type PatientKey } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { openStore, type Store } from '@kakehashi/store/store'
import { takePatient } from '../patients/flow.ts'
import { patientByIdentifier, patientsMigrations, type PatientsTables } from '../patients/store.ts'
import type { FetchEvent, SourceConnector, SourceIndex } from './connector.ts'
import { BulkFolder } from './fhir/bulk-folder.ts'
import { gather, type Gathered, type Gathering } from './flow.ts'
import { LABEL_POLICY } from './labels.ts'
import { sourceIndex } from './source-index.ts'
import { sourcesMigrations, type SourcesTables } from './store.ts'

export type SourcesStore = Store<SourcesTables & PatientsTables>

export const FACILITY = facilityId('h1')
export const key = (number: string) => `h1/${number}` as PatientKey

export function fixedEnv(start = Date.parse('2026-04-01T00:00:00Z')): Env & { at: number } {
  let count = 0
  const env = {
    at: start,
    now: () => ++env.at,
    random: (n: number) => new Uint8Array(n),
    id: () => `id-${++count}`,
    after: (ms: number, task: () => void) => {
      env.at += ms
      queueMicrotask(task)
      return () => {}
    },
  }
  return env
}

export interface Reader {
  store: SourcesStore
  env: ReturnType<typeof fixedEnv>
  index: SourceIndex
  gather(
    connector: SourceConnector,
    more?: Partial<Gathering<SourcesTables & PatientsTables>>,
  ): Promise<Gathered>
}

/** The sources' and the patients' tables in memory, and a clock that moves when it is looked at. */
export async function openReader(): Promise<Reader> {
  const env = fixedEnv()
  const tables = [...sourcesMigrations, ...patientsMigrations]
  const opened = await openStore<SourcesTables & PatientsTables>(new DatabaseSync(':memory:'), tables, env)
  const store = opened as unknown as SourcesStore
  const index = sourceIndex(store as unknown as Store<SourcesTables>, (system, value) =>
    patientByIdentifier(store.db as never, system, value),
  )
  return {
    store,
    env,
    index,
    gather: (connector, more = {}) =>
      gather({
        store,
        connector,
        env,
        log: silentLog,
        signal: new AbortController().signal,
        showPatient: (tx, shown) => takePatient(tx as never, shown, env.now(), async () => {}),
        ...more,
      }),
  }
}

export interface ExportFolder {
  path: string
  put(name: string, content: string | Uint8Array): Promise<void>
  remove(name: string): Promise<void>
  connector(index: SourceIndex): BulkFolder
  [Symbol.asyncDispose](): Promise<void>
}

export async function exportFolder(): Promise<ExportFolder> {
  const path = await mkdtemp(join(tmpdir(), 'kakehashi-export-'))
  return {
    path,
    put: (name, content) => writeFile(join(path, name), content),
    remove: (name) => rm(join(path, name)),
    connector: (index) =>
      new BulkFolder({
        source: 'ehr',
        facility: FACILITY,
        bases: [],
        labels: LABEL_POLICY,
        folder: path,
        index,
      }),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

export const patient = (id: string, more: object = {}) =>
  JSON.stringify({ resourceType: 'Patient', id, birthDate: '1948-05-03', ...more })

export const observation = (id: string, of: string, value = '1.0') =>
  `{"resourceType":"Observation","id":"${id}","status":"final","subject":{"reference":"Patient/${of}"},"valueQuantity":{"value":${value}}}`

/** Names its patient by nothing that can be followed. */
export const nobodys = (id: string) =>
  `{"resourceType":"Observation","id":"${id}","status":"final","subject":{"display":"?"}}`

export async function fetched(
  connector: SourceConnector,
  patients: readonly PatientKey[],
): Promise<{ records: SourceRecord[]; complete: PatientKey[]; events: FetchEvent[] }> {
  const events: FetchEvent[] = []
  for await (const event of connector.fetchPatients(patients, new AbortController().signal))
    events.push(event)
  return {
    events,
    records: events.flatMap((event) => (event.t === 'record' ? [event.record] : [])),
    complete: events.flatMap((event) =>
      event.t === 'patient-read' && event.complete ? [event.patient] : [],
    ),
  }
}

/** What the ledger knows, to be compared between two histories. */
export async function ledgerOf(store: SourcesStore): Promise<string[]> {
  const rows = await store.db
    .selectFrom('source_ledger')
    .select(['type', 'id', 'hash', 'patients', 'state'])
    .orderBy('type')
    .orderBy('id')
    .execute()
  return rows.map((row) => [row.type, row.id, row.hash, row.patients, row.state].join(' '))
}
