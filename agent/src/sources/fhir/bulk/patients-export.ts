import { DatabaseSync } from 'node:sqlite'
import type { Env } from '@kakehashi/protocol/env'
import { localNumberOf, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { FetchEvent, SourceEvent } from '../../connector.ts'
import type { FhirClient } from '../client.ts'
import { type FhirReading, tell } from '../telling.ts'
import { fileLines, placeOf } from './download.ts'
import { awaited, cleanUp, JobLost, kickOff } from './job.ts'
import { type ExportFile, furtherPages, type Manifest } from './manifest.ts'

interface Exporting {
  client: FhirClient
  reading: FhirReading
  env: Env
  types: readonly string[] | null
}

/**
 * Patients afresh from a server that exports and lets nothing be searched: an export of them alone (Bulk Data Access
 * 2.0, parameter `patient`). Its files are sorted by type, so that what is about whom lies in a private file meanwhile,
 * which SQLite removes by itself; memory holds one patient at a time.
 */
export async function* exportOfPatients(
  exporting: Exporting,
  patients: readonly PatientKey[],
  signal: AbortSignal,
): AsyncGenerator<FetchEvent> {
  const lines = new LinesByPatient(patients)
  try {
    const { faults, quarantined } = await collect(exporting, patients, lines, signal)
    yield* faults
    const complete = faults.length === 0 && !quarantined
    for (const patient of patients) {
      yield* await toldOf(exporting, patient, lines)
      yield { t: 'patient-read', patient, complete }
    }
  } finally {
    lines.close()
  }
}

async function collect(
  exporting: Exporting,
  patients: readonly PatientKey[],
  lines: LinesByPatient,
  signal: AbortSignal,
): Promise<{ faults: SourceEvent[]; quarantined: boolean }> {
  const { client, env, types } = exporting
  const faults: SourceEvent[] = []
  let [status, quarantined]: [string | null, boolean] = [null, false]
  try {
    const numbers = patients.map(localNumberOf)
    status = await kickOff(client, { level: 'Patient', since: null, types, patients: numbers }, signal)
    const first = await awaited(client, { status, startedAt: env.now() }, env, signal)
    for await (const page of pages(client, first, signal)) {
      for (const file of page.error) faults.push(fault(placeOf(file)))
      for (const file of page.output)
        quarantined = (await keep(exporting, file, lines, signal)) || quarantined
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof Refused) && !(error instanceof JobLost)) throw error
    faults.push(fault(error instanceof Refused ? (error.refusal.place ?? '$export') : '$export (job lost)'))
  } finally {
    // whoever was told to stop still leaves nothing of ours on the server
    if (status !== null) await cleanUp(client, status, new AbortController().signal)
  }
  return { faults, quarantined }
}

async function* pages(client: FhirClient, first: Manifest, signal: AbortSignal): AsyncGenerator<Manifest> {
  yield first
  yield* furtherPages(client, first, signal)
}

const fault = (place: string): SourceEvent => ({
  t: 'fault',
  code: 'SOURCE_ANSWER_BAD',
  place,
  retryable: true,
})

/** Answers whether something could not be read. */
async function keep(
  { client, reading, env }: Exporting,
  file: ExportFile,
  lines: LinesByPatient,
  signal: AbortSignal,
): Promise<boolean> {
  let broken = false
  for await (const some of fileLines(client, file, env, signal))
    for (const { bytes, line } of some) {
      const kept = { place: placeOf(file), line }
      const events = bytes === null ? [] : await tell(reading, bytes, standing(client, kept))
      broken ||= bytes === null || events.some((event) => event.t === 'quarantined')
      if (bytes !== null) lines.keep(new Set(events.flatMap(patientsOf)), { ...kept, bytes })
    }
  return broken
}

function patientsOf(event: SourceEvent): PatientKey[] {
  return event.t === 'record' ? event.record.patients : event.t === 'held' ? event.patients : []
}

const standing = ({ base }: FhirClient, { place, line }: Pick<KeptLine, 'place' | 'line'>) => ({
  provenance: { url: base, line, run: 'fetch' },
  place: `${place}:${line}`,
})

async function toldOf(
  { client, reading }: Exporting,
  patient: PatientKey,
  lines: LinesByPatient,
): Promise<FetchEvent[]> {
  const told: FetchEvent[] = []
  for (const kept of lines.of(patient))
    for (const event of await tell(reading, kept.bytes, standing(client, kept)))
      if (patientsOf(event).includes(patient)) told.push(event)
  return told
}

interface KeptLine {
  place: string
  line: number
  bytes: Uint8Array
}

class LinesByPatient {
  readonly #file = new DatabaseSync('')
  readonly #wanted: ReadonlySet<PatientKey>
  readonly #insert
  readonly #select
  constructor(patients: readonly PatientKey[]) {
    this.#wanted = new Set(patients)
    this.#file.exec(
      'CREATE TABLE line (patient TEXT NOT NULL, place TEXT NOT NULL, line INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT; CREATE INDEX line_patient ON line (patient)',
    )
    this.#insert = this.#file.prepare('INSERT INTO line VALUES (?, ?, ?, ?)')
    this.#select = this.#file.prepare('SELECT place, line, bytes FROM line WHERE patient = ? ORDER BY rowid')
  }

  /** Whoever was not asked for is left out: some servers export more than they were asked. */
  keep(patients: ReadonlySet<PatientKey>, { place, line, bytes }: KeptLine): void {
    for (const patient of patients)
      if (this.#wanted.has(patient)) this.#insert.run(patient, place, line, bytes)
  }

  of(patient: PatientKey): KeptLine[] {
    return this.#select.all(patient) as unknown as KeptLine[]
  }

  close(): void {
    this.#file.close()
  }
}
