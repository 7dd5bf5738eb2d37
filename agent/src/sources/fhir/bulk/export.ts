import type { PatientKey } from '@kakehashi/protocol/ids'
import type {
  ChangeOptions,
  Checkpoint,
  FetchEvent,
  SourceConnector,
  SourceEvent,
  SourceProfile,
} from '../../connector.ts'
import { FhirEndpoint, profileOf, type EndpointOptions } from '../endpoint.ts'
import { awaited, cleanUp, JobLost, kickOff, type Level } from './job.ts'
import type { Manifest } from './manifest.ts'
import { membersOf } from './members.ts'
import { exportOfPatients } from './patients-export.ts'
import { readJob } from './reading.ts'
import { type BulkJob, type BulkState, readState } from './state.ts'

export interface BulkOptions extends EndpointOptions {
  level?: Level
  /** `null`: whatever the server exports. */
  types?: readonly string[] | null
  /** An export costs a server much: not more often than this. */
  everyMs?: number
  /** A full export, which alone finds what vanished unsaid, at least this often. */
  fullEveryMs?: number
}

const HOUR_MS = 3600 * 1000
const EVERY_MS = 20 * HOUR_MS
const AFTER_FAULT_MS = HOUR_MS
const FULL_EVERY_MS = 7 * 24 * HOUR_MS
const PAGE_COUNT = 200

/**
 * A FHIR server read by Bulk Data `$export`; one patient, when theirs may travel, by the server's REST side, or where
 * there is none by an export of that patient.
 */
export class FhirBulk implements SourceConnector {
  readonly kind = 'fhir-bulk'
  readonly id: string
  readonly #options: BulkOptions
  readonly #server: FhirEndpoint
  constructor(options: BulkOptions) {
    this.id = options.source
    this.#options = options
    this.#server = new FhirEndpoint(options)
  }

  async probe(signal: AbortSignal): Promise<SourceProfile> {
    const capability = await this.#server.capability(signal, true)
    return profileOf(capability, this.#options.env.now(), this.#options.types ?? undefined)
  }

  async *changes(from: Checkpoint | null, options: ChangeOptions): AsyncGenerator<SourceEvent> {
    const state = readState(from)
    if (!options.dry) return yield* this.#round(state, options)
    state.job = null
    try {
      yield* this.#round(state, options)
    } finally {
      await this.#leave(state, options.signal)
    }
  }

  async *#round(state: BulkState, options: ChangeOptions): AsyncGenerator<SourceEvent> {
    const { env, level = '', everyMs = EVERY_MS } = this.#options
    if (state.job === null && !options.full && env.now() < state.nextAt) return
    const members = await membersOf(this.#server.client, level, options.signal)
    if (state.job !== null && options.full && !state.job.full) await this.#leave(state, options.signal)
    const first = yield* this.#job(state, members, options)
    const job = state.job
    if (first === null || job === null) return
    const reading = { client: this.#server.client, reading: this.#server.reading, env, state, job, options }
    const outcome = yield* readJob(reading, first)
    // the job stays on the server, and the next round asks for what did not come
    if (outcome === 'again') return
    const complete = outcome === 'complete'
    await this.#leave(state, options.signal)
    state.nextAt = env.now() + Math.min(everyMs, complete ? everyMs : AFTER_FAULT_MS)
    if (complete) {
      state.since = first.transactionTime
      state.members = job.members
      if (job.full) state.lastFullAt = job.startedAt
    }
    const swept = job.full && complete ? { swept: { types: null, except: [], files: null } } : {}
    yield { t: 'checkpoint', checkpoint: JSON.stringify(state), ...swept }
  }

  /** The job under way, or a new one, waited for; a job that the server lost is begun anew once. */
  async *#job(
    state: BulkState,
    members: string | null,
    options: ChangeOptions,
  ): AsyncGenerator<SourceEvent, Manifest | null> {
    const { env } = this.#options
    for (let lost = 0; ; lost++) {
      if (state.job === null) {
        state.job = await this.#begun(state, members, options)
        if (state.job.full) yield { t: 'pass' }
        yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
      }
      try {
        return await awaited(this.#server.client, state.job, env, options.signal)
      } catch (error) {
        if (!(error instanceof JobLost)) throw error
        await this.#leave(state, options.signal)
        if (lost === 0) continue
        state.nextAt = env.now() + AFTER_FAULT_MS
        yield { t: 'fault', code: 'SOURCE_ANSWER_BAD', place: '$export (job lost)', retryable: true }
        yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
        return null
      }
    }
  }

  async #begun(state: BulkState, members: string | null, { full, signal }: ChangeOptions): Promise<BulkJob> {
    const { env, level = '', types = null, fullEveryMs = FULL_EVERY_MS } = this.#options
    const now = env.now()
    const due = state.lastFullAt === null || now - state.lastFullAt >= fullEveryMs
    const whole = full === true || due || state.since === null || members !== state.members
    const since = whole ? null : state.since
    const status = await kickOff(this.#server.client, { level, since, types }, signal)
    return { status, full: whole, startedAt: now, members, done: [] }
  }

  async #leave(state: BulkState, signal: AbortSignal): Promise<void> {
    if (state.job !== null) await cleanUp(this.#server.client, state.job.status, signal)
    state.job = null
  }

  fetchPatient(patient: PatientKey, signal: AbortSignal): AsyncIterable<FetchEvent> {
    return this.fetchPatients([patient], signal)
  }

  async *fetchPatients(patients: readonly PatientKey[], signal: AbortSignal): AsyncGenerator<FetchEvent> {
    const { everything, types } = await this.#server.capability(signal, false)
    const searchable = everything || [...types.values()].some((parameter) => parameter !== null)
    if (searchable) return yield* this.#server.fetchPatients(patients, PAGE_COUNT, signal)
    const { client, reading } = this.#server
    const { env, types: asked = null } = this.#options
    yield* exportOfPatients({ client, reading, env, types: asked }, patients, signal)
  }
}
