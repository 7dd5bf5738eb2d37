import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import type { ChangeOptions, SourceEvent } from '../../connector.ts'
import type { FhirClient } from '../client.ts'
import { deletionsIn } from '../deletions.ts'
import type { Line } from '../lines.ts'
import { type FhirReading, tell } from '../telling.ts'
import { fileLines, placeOf } from './download.ts'
import { type ExportFile, furtherPages, type Manifest } from './manifest.ts'
import type { BulkJob, BulkState } from './state.ts'

export interface JobReading {
  client: FhirClient
  reading: FhirReading
  env: Env
  state: BulkState
  job: BulkJob
  options: ChangeOptions
}

const WINDOW_LINES = 2000

/** Every file of an export. Answers whether all of it was read: only then may `_since` move on (DATA T24). */
export async function* readJob(job: JobReading, first: Manifest): AsyncGenerator<SourceEvent, boolean> {
  let complete = yield* readPage(job, first)
  try {
    for await (const page of furtherPages(job.client, first, job.options.signal))
      complete = (yield* readPage(job, page)) && complete
  } catch (error) {
    yield faultOf(error, '$export manifest')
    return false
  }
  return complete
}

async function* readPage(job: JobReading, page: Manifest): AsyncGenerator<SourceEvent, boolean> {
  let complete = true
  for (const file of page.error) complete = (yield* readErrors(job, file)) && complete
  // what was deleted and made anew under one id is in both lists
  for (const file of page.deleted) complete = (yield* readFile(job, file, deletions)) && complete
  const patientsFirst = page.output.toSorted(
    (a, b) => Number(b.type === 'Patient') - Number(a.type === 'Patient'),
  )
  for (const file of patientsFirst) complete = (yield* readFile(job, file, resources)) && complete
  return complete
}

type Telling = (job: JobReading, file: ExportFile, line: Line) => Promise<SourceEvent[]>

async function* readFile(
  job: JobReading,
  file: ExportFile,
  telling: Telling,
): AsyncGenerator<SourceEvent, boolean> {
  if (job.job.done.includes(file.print)) return true
  const { client, env, options } = job
  let [count, whole] = [0, true]
  try {
    for await (const lines of fileLines(client, file, env, options.signal))
      for (const line of lines) {
        for (const event of await telling(job, file, line)) {
          whole &&= event.t !== 'quarantined'
          yield event
        }
        if (++count % WINDOW_LINES === 0) yield checkpoint(job.state)
      }
  } catch (error) {
    options.signal.throwIfAborted()
    yield faultOf(error, placeOf(file))
    return false
  }
  if (telling === resources && file.count !== null && file.count !== count) {
    yield { t: 'fault', code: 'SOURCE_ANSWER_BAD', place: `${placeOf(file)} (count)`, retryable: true }
    return false
  }
  if (whole) job.job.done.push(file.print)
  yield checkpoint(job.state)
  return whole
}

const resources: Telling = async ({ client, reading, options }, file, line) => {
  const place = `${placeOf(file)}:${line.line}`
  if (line.bytes === null) return [{ t: 'quarantined', code: 'LINE_TOO_LONG', place, hash: line.hash() }]
  const provenance = { url: client.base, line: line.line, run: options.run }
  return tell(reading, line.bytes, { provenance, place })
}

const deletions: Telling = async ({ reading }, file, line) => {
  const place = `${placeOf(file)}:${line.line}`
  const value = line.bytes === null ? null : jsonOf(line.bytes)
  if (value === null) return [{ t: 'quarantined', code: 'LINE_NOT_JSON', place, hash: line.hash() }]
  return deletionsIn(value, reading.source, reading.bases).map((tombstone) => ({ t: 'tombstone', tombstone }))
}

/** The server's own list of what it could not export: only warnings leave the export complete. */
async function* readErrors(job: JobReading, file: ExportFile): AsyncGenerator<SourceEvent, boolean> {
  const place = `$export error ${file.print.slice(0, 8)}`
  try {
    for await (const lines of fileLines(job.client, file, job.env, job.options.signal))
      for (const line of lines) {
        if (line.bytes !== null && isHarmless(jsonOf(line.bytes))) continue
        yield { t: 'fault', code: 'SOURCE_ANSWER_BAD', place, retryable: true }
        return false
      }
  } catch (error) {
    job.options.signal.throwIfAborted()
    yield faultOf(error, place)
    return false
  }
  return true
}

function isHarmless(outcome: unknown): boolean {
  const { issue } = (outcome ?? {}) as { issue?: { severity?: unknown }[] }
  if (!Array.isArray(issue)) return false
  return issue.every((one) => one?.severity === 'warning' || one?.severity === 'information')
}

function faultOf(error: unknown, place: string): SourceEvent {
  if (!(error instanceof Refused)) throw error
  return { t: 'fault', code: error.refusal.code, place: error.refusal.place ?? place, retryable: true }
}

function checkpoint(state: BulkState): SourceEvent {
  return { t: 'checkpoint', checkpoint: JSON.stringify(state) }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return null
  }
}
