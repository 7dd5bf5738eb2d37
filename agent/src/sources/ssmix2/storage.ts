import { join } from 'node:path'
import { localNumberOf, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type {
  ChangeOptions,
  Checkpoint,
  FetchEvent,
  SourceConnector,
  SourceEvent,
  SourceProfile,
} from '../connector.ts'
import { type FeedPlaces, NO_FEEDS, readFeeds } from './feeds.ts'
import { fetchFromStorage } from './fetching.ts'
import { foldersOf } from './file-name.ts'
import { OVERDUE_MS, type OneFolder, passFolder, type PassParts, type StorageCounts } from './folder-pass.ts'
import { folderName, namesOfPatient, parentName, printOf } from './listing.ts'
import { rootsOf, type StorageOptions } from './reading.ts'
import { namesIn, type Root } from './roots.ts'

export type { StorageOptions } from './reading.ts'

interface StorageState {
  /** The pass under way: what lies up to this folder has been read. */
  pass: { full: boolean; after: string; blind: boolean; blindTypes: string[] } | null
  feeds: FeedPlaces
}

const WINDOW_EVENTS = 2000
/** Patients listed at a time. */
const AHEAD = 16

/** A standardized storage of SS-MIX2, in one or several roots. */
export class Ssmix2Storage implements SourceConnector {
  readonly kind = 'ssmix2'
  readonly id: string
  /** Of the pass under way or the last one. */
  counts: StorageCounts = nothing()
  readonly #options: StorageOptions

  constructor(options: StorageOptions) {
    this.id = options.source
    this.#options = options
  }

  async probe(): Promise<SourceProfile> {
    const roots = await rootsOf(this.#options)
    return {
      software: `SS-MIX2 (${roots.length})`,
      fhirVersion: null,
      types: [],
      deletes: 'sweep',
      skewMs: null,
      everything: true,
    }
  }

  async *changes(from: Checkpoint | null, options: ChangeOptions): AsyncGenerator<SourceEvent> {
    const state = readState(from)
    const roots = await rootsOf(this.#options)
    const told = await readFeeds(this.#options, state.feeds)
    if (state.pass === null || (options.full === true && !state.pass.full)) {
      state.pass = { full: options.full === true, after: '', blind: false, blindTypes: [] }
      this.counts = nothing()
      yield { t: 'pass' }
    }
    const resumed = readState(from).pass !== null
    const { pass } = state
    const parts: PassParts = {
      options: this.#options,
      run: options.run,
      full: pass.full,
      resumed,
      counts: this.counts,
      blindTypes: new Set(pass.blindTypes),
      blind: pass.blind,
      said: new Set(),
      removed: [],
    }
    // such a list names who changed; without one, everybody is looked at
    const only = pass.full || pass.after !== '' ? null : told.patients
    const begun = state.feeds
    state.feeds = told.places
    let events = 0
    for await (const event of this.#walk(parts, roots, pass.after, only)) {
      options.signal.throwIfAborted()
      if (event.t !== 'parent') {
        yield event
        if (++events % WINDOW_EVENTS > 0) continue
      } else {
        pass.after = event.parent
        pass.blind = parts.blind
        pass.blindTypes = [...parts.blindTypes]
        if (events < WINDOW_EVENTS) continue
      }
      events = 0
      yield {
        t: 'checkpoint',
        checkpoint: stateText(state, begun),
      }
    }
    yield {
      t: 'checkpoint',
      checkpoint: stateText(state, begun),
    }
    yield* this.#end(parts, state)
  }

  async *#walk(
    parts: PassParts,
    roots: readonly Root[],
    after: string,
    only: ReadonlySet<string> | null,
  ): AsyncGenerator<SourceEvent | { t: 'parent'; parent: string }> {
    const { index } = this.#options
    const known = only === null ? await index.parents(this.id) : []
    for (const [n, root] of roots.entries()) {
      const mine = known.filter((parent) => parent.startsWith(`//${n}/`))
      const parents = only === null ? await parentsIn(root, n) : parentsOf(only, n)
      if (parents.length === 0 && mine.length > 0) {
        // an empty storage is rather one that is not mounted
        parts.blind = true
        yield { t: 'fault', code: 'SOURCE_UNREACHABLE', place: `${this.id} ${n + 1}`, retryable: true }
        continue
      }
      for (const parent of [...new Set([...parents, ...mine])].toSorted()) {
        if (parent <= after) continue
        yield* this.#parent(parts, root, parent, only)
        yield { t: 'parent', parent }
      }
    }
  }

  async *#parent(
    parts: PassParts,
    root: Root,
    parent: string,
    only: ReadonlySet<string> | null,
  ): AsyncGenerator<SourceEvent> {
    const { index } = this.#options
    const [, , , first = '', second = ''] = parent.split('/')
    const upper = join(root.path, first, second)
    const prints = await index.prints(this.id, parent)
    const patients = await this.#try(parts, () => namesIn(upper))
    if (patients === null) return yield unreadable(this.id)
    const all = new Set([...patients, ...[...prints.keys()].map((folder) => folder.slice(parent.length + 1))])
    const asked = [...all].filter((patient) => only === null || only.has(patient)).toSorted()
    for (let from = 0; from < asked.length; from += AHEAD) {
      const part = asked.slice(from, from + AHEAD)
      const lists = await Promise.all(
        part.map((patient) => this.#try(parts, () => namesOfPatient(join(upper, patient)))),
      )
      for (const [n, patient] of part.entries()) {
        const names = lists[n] ?? null
        if (names === null) {
          yield unreadable(this.id)
          continue
        }
        const folder = `${parent}/${patient}`
        const seen = prints.get(folder)
        if (!parts.full && seen && !seen.pending && seen.print === printOf(names)) continue
        if (!seen && names.length === 0) continue
        const before = seen ? await index.folder(this.id, parent, folder) : null
        const one: OneFolder = {
          path: join(upper, patient),
          parent,
          folder,
          institution: root.institution,
          names,
          before,
        }
        yield* passFolder(parts, one)
      }
    }
  }

  async #try<T>(parts: PassParts, list: () => Promise<T>): Promise<T | null> {
    try {
      return await list()
    } catch {
      parts.blind = true
      return null
    }
  }

  /** Keys whose valid file has been missing for a while have vanished; after a full pass, so has what it did not show. */
  async *#end(parts: PassParts, state: StorageState): AsyncGenerator<SourceEvent> {
    const { env, index } = this.#options
    const { full } = parts
    const overdue: string[] = []
    if (!parts.blind)
      for (const seen of await index.pending(this.id)) {
        const due = Object.entries(seen.pending).filter(([, since]) => full || env.now() - since > OVERDUE_MS)
        if (due.length === 0) continue
        overdue.push(...due.map(([key]) => key))
        const left = Object.entries(seen.pending).filter(([key]) => !due.some(([one]) => one === key))
        yield { t: 'folder', seen: { ...seen, pending: Object.fromEntries(left) } }
      }
    for (const patient of parts.removed)
      for (const other of await index.namesakes(patient))
        yield { t: 'patient-link', from: patient, to: other, kind: 'seealso' }
    state.pass = null
    const checkpoint = JSON.stringify(state)
    const except = [...parts.blindTypes]
    if (parts.blind || (!full && overdue.length === 0)) yield { t: 'checkpoint', checkpoint }
    else yield { t: 'checkpoint', checkpoint, swept: { types: null, except, files: full ? null : overdue } }
  }

  fetchPatient(patient: PatientKey, signal: AbortSignal): AsyncIterable<FetchEvent> {
    return this.fetchPatients([patient], signal)
  }

  async *fetchPatients(patients: readonly PatientKey[], signal: AbortSignal): AsyncGenerator<FetchEvent> {
    const roots = await rootsOf(this.#options)
    for (const patient of patients) {
      signal.throwIfAborted()
      const [first, second] = foldersOf(localNumberOf(patient))
      const folders = roots.map((root, n) => ({
        path: join(root.path, first, second, localNumberOf(patient)),
        folder: folderName(n, first, second, localNumberOf(patient)),
        institution: root.institution,
      }))
      yield* fetchFromStorage(this.#options, patient, folders)
    }
  }
}

function unreadable(place: string): SourceEvent {
  return { t: 'fault', code: 'SOURCE_ANSWER_BAD', place, retryable: true }
}

async function parentsIn(root: Root, n: number): Promise<string[]> {
  const parents: string[] = []
  try {
    for (const first of await namesIn(root.path))
      for (const second of await namesIn(join(root.path, first))) parents.push(parentName(n, first, second))
  } catch {
    throw new Refused('SOURCE_UNREACHABLE', 'SS-MIX2 storage')
  }
  return parents
}

function parentsOf(patients: ReadonlySet<string>, n: number): string[] {
  return [...new Set([...patients].map((patient) => parentName(n, ...foldersOf(patient))))]
}

function readState(checkpoint: Checkpoint | null): StorageState {
  return checkpoint === null ? { pass: null, feeds: NO_FEEDS } : (JSON.parse(checkpoint) as StorageState)
}

/** Until the round has ended, the lists stand where the round began. */
function stateText(state: StorageState, feeds: FeedPlaces): string {
  return JSON.stringify({ ...state, feeds })
}

function nothing(): StorageCounts {
  return { read: 0, superseded: 0, deleted: 0, quarantined: 0, waiting: 0 }
}
