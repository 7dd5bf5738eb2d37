import { DatabaseSync } from 'node:sqlite'
import { takePatient } from '@kakehashi/agent/patients/flow'
import { patientByIdentifier, patientsMigrations, type PatientsTables } from '@kakehashi/agent/patients/store'
import type { SourceConnector, SourceIndex } from '@kakehashi/agent/sources/connector'
import { BulkFolder } from '@kakehashi/agent/sources/fhir/bulk-folder'
import { type BulkOptions, FhirBulk } from '@kakehashi/agent/sources/fhir/bulk/export'
import { FhirRest, type RestOptions } from '@kakehashi/agent/sources/fhir/rest'
import type { HttpGet } from '@kakehashi/agent/sources/fhir/wire'
import { gather, type Gathered } from '@kakehashi/agent/sources/flow'
import { LABEL_POLICY } from '@kakehashi/agent/sources/labels'
import { sourceIndex } from '@kakehashi/agent/sources/source-index'
import { sourcesMigrations, type SourcesTables } from '@kakehashi/agent/sources/store'
import type { Env } from '@kakehashi/protocol/env'
import { facilityId, type PatientKey } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { openStore, type Store } from '@kakehashi/store/store'
import { answer, type FhirService } from './fhir-service.ts'

type Tables = SourcesTables & PatientsTables

/** Waiting moves this clock at once; everything waited for is written down. */
export interface WaitingEnv extends Env {
  at: number
  waits: number[]
}

export function waitingEnv(start = Date.parse('2026-04-01T00:00:00Z')): WaitingEnv {
  let count = 0
  const env: WaitingEnv = {
    at: start,
    waits: [],
    now: () => env.at,
    random: (n) => new Uint8Array(n),
    id: () => `id-${++count}`,
    after: (ms, task) => {
      env.at += ms
      env.waits.push(ms)
      queueMicrotask(task)
      return () => {}
    },
  }
  return env
}

export interface Reader {
  env: WaitingEnv
  store: Store<Tables>
  index: SourceIndex
  folder(path: string): BulkFolder
  rest(options: Partial<RestOptions> & { get: HttpGet; token?: string }): FhirRest
  bulk(options: Partial<BulkOptions> & { get: HttpGet; token?: string }): FhirBulk
  gather(connector: SourceConnector, full?: boolean): Promise<Gathered>
}

const BASE = 'http://hospital.example/fhir'

/** The agent's own readers over its own tables, with nothing of the agent around them. */
export async function openReader(): Promise<Reader> {
  const env = waitingEnv()
  const opened = await openStore<Tables>(
    new DatabaseSync(':memory:'),
    [...sourcesMigrations, ...patientsMigrations],
    env,
  )
  const store = opened as unknown as Store<Tables>
  const index = sourceIndex(store as unknown as Store<SourcesTables>, (system, value) =>
    patientByIdentifier(store.db as never, system, value),
  )
  const common = { source: 'ehr', facility: facilityId('h1'), labels: LABEL_POLICY, index }
  return {
    env,
    store,
    index,
    folder: (folder) => new BulkFolder({ ...common, bases: [], folder }),
    rest: ({ get, token, ...more }) => {
      const credentials = token === undefined ? { kind: 'none' as const } : { kind: 'bearer' as const, token }
      return new FhirRest({ ...common, env, client: { base: BASE, credentials, get }, ...more })
    },
    bulk: ({ get, token, ...more }) => {
      const credentials = token === undefined ? { kind: 'none' as const } : { kind: 'bearer' as const, token }
      return new FhirBulk({ ...common, env, everyMs: 0, client: { base: BASE, credentials, get }, ...more })
    },
    gather: (connector, full = false) =>
      gather({
        store,
        connector,
        env,
        log: silentLog,
        signal: new AbortController().signal,
        full,
        showPatient: (tx, shown) => takePatient(tx as never, shown, env.now(), async () => {}),
      }),
  }
}

/** A service without a socket, as the reader's way to the network. */
export function getOf(service: FhirService): HttpGet {
  return async ({ url, method = 'GET', headers, body = '' }) => {
    const told = await answer(service, { method, url, headers, body })
    return { status: told.status, headers: told.headers, body: Buffer.from(told.body) }
  }
}

export async function fetched(
  connector: SourceConnector,
  patients: readonly PatientKey[],
): Promise<{ records: SourceRecord[]; complete: PatientKey[]; faults: string[] }> {
  const told = { records: [] as SourceRecord[], complete: [] as PatientKey[], faults: [] as string[] }
  for await (const event of connector.fetchPatients(patients, new AbortController().signal)) {
    if (event.t === 'record') told.records.push(event.record)
    else if (event.t === 'patient-read' && event.complete) told.complete.push(event.patient)
    else if (event.t === 'fault') told.faults.push(`${event.code} ${event.place}`)
  }
  return told
}

export const key = (number: string) => `h1/${number}` as PatientKey
