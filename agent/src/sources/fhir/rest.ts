import type { PatientKey } from '@kakehashi/protocol/ids'
import type { RecordKey } from '@kakehashi/protocol/records'
import { Refused } from '@kakehashi/protocol/refusals'
import type {
  ChangeOptions,
  Checkpoint,
  FetchEvent,
  SourceConnector,
  SourceEvent,
  SourceProfile,
} from '../connector.ts'
import type { Capability } from './capability.ts'
import { FhirEndpoint, profileOf, type EndpointOptions } from './endpoint.ts'
import { type HistoryReading, NoHistory, readHistory } from './history.ts'
import { tellPage } from './rest-fetch.ts'
import { overlooksTime, readType, refusesTime, type TypeReading } from './rest-pass.ts'

export interface RestOptions extends EndpointOptions {
  pageCount?: number
  /** A full pass, which alone finds what vanished, at least this often. */
  fullEveryMs?: number
}

/** Where reading the server stands. */
export interface RestState {
  /** Of each type: everything changed before this was read. */
  since: Record<string, string>
  lastFullAt: number | null
  /** Types that the server cannot filter by time: read by full passes alone. */
  unfiltered?: string[]
  /** Types whose history was announced and could not be had, until the next full pass. */
  withoutHistory?: string[]
  pass: RestPass | null
}

export interface RestPass {
  full: boolean
  startedAt: number
  /** The server's time when the pass began, less the overlap: where the next one goes on. */
  hi: string
  done: string[]
  failed: string[]
  /** Types that our credentials do not let us read. */
  withheld?: string[]
  at: { type: string; next: string } | null
}

/** DATA T2: longer than any server's transaction, its clock drift and its index lag. */
export const OVERLAP_MS = 5 * 60 * 1000
const FULL_EVERY_MS = 24 * 3600 * 1000
const PAGE_COUNT = 200

/** A FHIR R4 server, asked politely. */
export class FhirRest implements SourceConnector {
  readonly kind = 'fhir-rest'
  readonly id: string
  readonly #options: RestOptions
  readonly #server: FhirEndpoint
  constructor(options: RestOptions) {
    this.id = options.source
    this.#options = options
    this.#server = new FhirEndpoint(options)
  }

  async probe(signal: AbortSignal): Promise<SourceProfile> {
    const before = this.#options.env.now()
    return profileOf(await this.#server.capability(signal, true), before)
  }

  async *changes(from: Checkpoint | null, options: ChangeOptions): AsyncGenerator<SourceEvent> {
    const { signal, run } = options
    const capability = await this.#server.capability(signal, true)
    const state = readState(from)
    if (state.pass === null || (options.full && !state.pass.full)) {
      state.pass = this.#newPass(state, capability, options.full === true)
      if (state.pass.full) {
        delete state.withoutHistory
        yield { t: 'pass' }
      }
    }
    const pass = state.pass
    const types = [...capability.types.keys()].toSorted(
      (a, b) => Number(b === 'Patient') - Number(a === 'Patient'),
    )
    const allows = await this.#server.client.allows(signal)
    for (const type of types) {
      if (pass.done.includes(type) || pass.withheld?.includes(type)) continue
      if (!allows(type)) {
        pass.withheld = [...(pass.withheld ?? []), type]
        // said once a day, with the full pass, and not with every round
        if (pass.full)
          yield { t: 'fault', code: 'SOURCE_UNAUTHORIZED', place: `${type} (scope)`, retryable: true }
        continue
      }
      const since = pass.full ? null : (state.since[type] ?? null)
      const history = since !== null && capability.history.has(type) && !state.withoutHistory?.includes(type)
      if (history && (yield* this.#history({ type, since, count: this.#count, run }, state, pass, signal)))
        continue
      yield* this.#type({ type, since, count: this.#count }, state, pass, run, signal)
    }
    yield this.#ended(state, pass)
  }

  get #count(): number {
    return this.#options.pageCount ?? PAGE_COUNT
  }

  /** `false`: the server cannot tell after all, and is searched. Interrupted, it begins again: older versions come last. */
  async *#history(
    reading: HistoryReading,
    state: RestState,
    pass: RestPass,
    signal: AbortSignal,
  ): AsyncGenerator<SourceEvent, boolean> {
    const { type } = reading
    try {
      for await (const events of readHistory(this.#server.client, this.#server.reading, reading, signal)) {
        yield* events
        yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
      }
    } catch (error) {
      if (!(error instanceof NoHistory)) throw error
      if (error.lasting) state.withoutHistory = [...(state.withoutHistory ?? []), type]
      return false
    }
    state.since[type] = pass.hi
    pass.done.push(type)
    yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
    return true
  }

  async *#type(
    { type, since, count }: Pick<TypeReading, 'type' | 'since' | 'count'>,
    state: RestState,
    pass: RestPass,
    run: string,
    signal: AbortSignal,
  ): AsyncGenerator<SourceEvent> {
    const resume = pass.at?.type === type ? pass.at.next : null
    let overlooked = !pass.full && state.unfiltered?.includes(type) === true
    try {
      const pages = readType(this.#server.client, { type, since, resume, count }, signal)
      if (!overlooked)
        for await (const page of pages) {
          overlooked = since !== null && overlooksTime(page)
          if (overlooked) break
          yield* await tellPage(this.#server.reading, this.#server.client, page, type, run)
          pass.at = page.next === null ? null : { type, next: page.next }
          if (page.next !== null) yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
        }
      if (!overlooked && !pass.failed.includes(type)) state.since[type] = pass.hi
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      overlooked = since !== null && refusesTime(error)
      const { code, place = type } = error.refusal
      // what every type would meet is met once
      if (code !== 'SOURCE_ANSWER_BAD') throw error
      if (!overlooked) {
        pass.failed.push(type)
        yield { t: 'fault', code, place, retryable: true }
      }
    }
    if (overlooked) state.unfiltered = [...new Set([...(state.unfiltered ?? []), type])]
    pass.done.push(type)
    pass.at = null
    yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
  }

  #newPass(state: RestState, capability: Capability, asked: boolean): RestPass {
    const { env, fullEveryMs = FULL_EVERY_MS } = this.#options
    const now = env.now()
    const due = state.lastFullAt === null || now - state.lastFullAt >= fullEveryMs
    return {
      full: asked || due,
      startedAt: now,
      hi: new Date((capability.serverNow ?? now) - OVERLAP_MS).toISOString(),
      done: [],
      failed: [],
      at: null,
    }
  }

  #ended(state: RestState, pass: RestPass): SourceEvent {
    state.pass = null
    if (!pass.full) return { t: 'checkpoint', checkpoint: JSON.stringify(state) }
    if (pass.failed.length === 0) state.lastFullAt = pass.startedAt
    const swept = { types: pass.done, except: [...pass.failed, ...(pass.withheld ?? [])], files: null }
    return { t: 'checkpoint', checkpoint: JSON.stringify(state), swept }
  }

  async confirmGone(
    key: RecordKey,
    signal: AbortSignal,
  ): Promise<'deleted' | 'vanished' | 'present' | 'unknown'> {
    try {
      const { status } = await this.#server.client.get(`${key.type}/${key.id}`, key.type, signal)
      if (status === 410) return 'deleted'
      return status === 404 ? 'vanished' : status === 200 ? 'present' : 'unknown'
    } catch (error) {
      if (error instanceof Refused) return 'unknown'
      throw error
    }
  }

  fetchPatient(patient: PatientKey, signal: AbortSignal): AsyncIterable<FetchEvent> {
    return this.fetchPatients([patient], signal)
  }

  fetchPatients(patients: readonly PatientKey[], signal: AbortSignal): AsyncIterable<FetchEvent> {
    return this.#server.fetchPatients(patients, this.#count, signal)
  }
}

function readState(checkpoint: Checkpoint | null): RestState {
  if (checkpoint === null) return { since: {}, lastFullAt: null, pass: null }
  return JSON.parse(checkpoint) as RestState
}
