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

/**
 * `complete`: all of it was read, and only then may `_since` move on (DATA T24). `again`: a file did not come, which may
 * yet come while the job is there. `failed`: the export itself is not whole.
 */
export type JobOutcome = 'complete' | 'again' | 'failed'

const WORSE: Record<JobOutcome, number> = { complete: 0, again: 1, failed: 2 }
const worse = (a: JobOutcome, b: JobOutcome): JobOutcome => (WORSE[b] > WORSE[a] ? b : a)

/** Every file of an export that was not read before. */
export async function* readJob(job: JobReading, first: Manifest): AsyncGenerator<SourceEvent, JobOutcome> {
  let outcome = yield* readPage(job, first)
  try {
    for await (const page of furtherPages(job.client, first, job.options.signal))
      outcome = worse(outcome, yield* readPage(job, page))
  } catch (error) {
    yield faultOf(error, '$export manifest')
    return worse(outcome, 'again')
  }
  return outcome
}

async function* readPage(job: JobReading, page: Manifest): AsyncGenerator<SourceEvent, JobOutcome> {
  let outcome: JobOutcome = 'complete'
  for (const file of page.error) outcome = worse(outcome, yield* readErrors(job, file))
  // what was deleted and made anew under one id is in both lists
  for (const file of page.deleted) outcome = worse(outcome, yield* readFile(job, file, deletions))
  const output = page.output.toSorted((a, b) => Number(b.type === 'Patient') - Number(a.type === 'Patient'))
  for (const file of output) outcome = worse(outcome, yield* readFile(job, file, resources))
  return outcome
}

type Telling = (job: JobReading, file: ExportFile, line: Line) => Promise<SourceEvent[]>

async function* readFile(
  job: JobReading,
  file: ExportFile,
  telling: Telling,
): AsyncGenerator<SourceEvent, JobOutcome> {
  if (job.job.done.includes(file.print)) return 'complete'
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
    return isGone(error) ? 'failed' : 'again'
  }
  if (telling === resources && file.count !== null && file.count !== count) {
    yield { t: 'fault', code: 'SOURCE_ANSWER_BAD', place: `${placeOf(file)} (count)`, retryable: true }
    return 'failed'
  }
  if (whole) job.job.done.push(file.print)
  yield checkpoint(job.state)
  return whole ? 'complete' : 'failed'
}

/** The server keeps the file no more. */
function isGone(error: unknown): boolean {
  return error instanceof Refused && /\(4(04|10)\)/.test(error.message)
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
async function* readErrors(job: JobReading, file: ExportFile): AsyncGenerator<SourceEvent, JobOutcome> {
  const place = `$export error ${file.print.slice(0, 8)}`
  try {
    for await (const lines of fileLines(job.client, file, job.env, job.options.signal))
      for (const line of lines) {
        if (line.bytes !== null && isHarmless(jsonOf(line.bytes))) continue
        yield { t: 'fault', code: 'SOURCE_ANSWER_BAD', place, retryable: true }
        return 'failed'
      }
  } catch (error) {
    job.options.signal.throwIfAborted()
    yield faultOf(error, place)
    return isGone(error) ? 'failed' : 'again'
  }
  return 'complete'
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
