import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type {
  ChangeOptions,
  Checkpoint,
  FetchEvent,
  SourceConnector,
  SourceEvent,
  SourceProfile,
} from '../connector.ts'
import { PATIENT_ELEMENTS, SHARED_TYPES } from './compartment.ts'
import { bytesOf, filesOf, type FolderFile, printOf } from './folder-files.ts'
import { fetchFromFolder } from './folder-fetch.ts'
import { linesOf, withoutMark, type Line } from './lines.ts'
import { type FhirReading, tell } from './telling.ts'

/** Where reading the folder stands. */
export interface FolderState {
  files: Record<string, FileState>
  /** The pass under way: files read in it, and how far the file at hand was read. */
  pass: { read: string[]; at: (FileState & { file: string; start: number; line: number }) | null } | null
}

interface FileState {
  /** As it was when it was last read to its end; `null` when that failed. */
  print: string | null
  types: string[]
  /** A line of it could not be read: it proves nothing about what is missing. */
  broken: boolean
}

const WINDOW_LINES = 2000
const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024

export interface FolderOptions extends FhirReading {
  folder: string
}

/** A folder that a bulk export is put into: NDJSON, plain or gzip, and single JSON files (a resource or a Bundle). */
export class BulkFolder implements SourceConnector {
  readonly kind = 'fhir-folder'
  readonly id: string
  readonly #options: FolderOptions
  constructor(options: FolderOptions) {
    this.id = options.source
    this.#options = options
  }

  async probe(): Promise<SourceProfile> {
    const files = await this.#files()
    if (files.length === 0) throw new Refused('SOURCE_UNREACHABLE', 'folder without export files')
    return {
      software: 'bulk export folder',
      fhirVersion: null,
      types: [...new Set(files.flatMap((file) => typesIn(file.name)))],
      deletes: 'sweep',
      skewMs: null,
      everything: true,
    }
  }

  async *changes(from: Checkpoint | null, options: ChangeOptions): AsyncGenerator<SourceEvent> {
    const state = readState(from)
    const files = await this.#files()
    if (!resumable(state, files)) {
      state.pass = { read: [], at: null }
      for (const [name, file] of Object.entries(state.files))
        if (options.full || options.again?.includes(name)) file.print = null
      yield { t: 'pass' }
    }
    for (const file of files) {
      if (state.files[file.name]?.print === file.print) continue
      yield* this.#file(file, state, options)
      yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
    }
    yield* ended(state, files)
  }

  async *#file(
    file: FolderFile,
    state: FolderState,
    { run, signal }: ChangeOptions,
  ): AsyncGenerator<SourceEvent> {
    const pass = state.pass as NonNullable<FolderState['pass']>
    const resume = pass.at?.file === file.name ? pass.at : null
    const from = resume ?? { start: 0, line: 1 }
    const types = new Set(resume?.types ?? [])
    let broken = resume?.broken ?? false
    if (!resume) yield { t: 'file', file: file.name }
    try {
      let count = 0
      for await (const lines of this.#units(file, from, signal)) {
        for (const line of lines) {
          for (const event of await this.#line(file, line, run)) {
            broken ||= event.t === 'quarantined'
            if (event.t === 'record') types.add(event.record.key.type)
            else if (event.t === 'held') types.add(event.key.type)
            yield event
          }
          if (++count % WINDOW_LINES > 0) continue
          const at = { start: line.start + line.length, line: line.line + 1 }
          pass.at = { file: file.name, print: file.print, types: [...types], broken, ...at }
          yield { t: 'checkpoint', checkpoint: JSON.stringify(state) }
        }
      }
      // an export that is still being written is read again, and proves nothing until then
      const still = (await printOf(file.path)).print === file.print
      state.files[file.name] = {
        print: still ? file.print : null,
        types: [...types],
        broken: broken || !still,
      }
    } catch (error) {
      if (signal.aborted || !isReadError(error)) throw error
      const known = state.files[file.name]?.types ?? []
      state.files[file.name] = { print: null, types: [...new Set([...known, ...types])], broken: true }
      yield { t: 'fault', code: 'SOURCE_ANSWER_BAD', place: file.name, retryable: true }
    }
    pass.read.push(file.name)
    pass.at = null
  }

  #units(
    file: FolderFile,
    from: { start: number; line: number },
    signal: AbortSignal,
  ): AsyncIterable<Line[]> {
    return file.form === 'document' ? documentOf(file) : linesOf(bytesOf(file, from.start, signal), from)
  }

  async #line(file: FolderFile, line: Line, run: string): Promise<SourceEvent[]> {
    const place = `${file.name}:${line.line}`
    if (line.bytes === null)
      return [{ t: 'quarantined', code: 'LINE_TOO_LONG', place, hash: line.hash(), file: file.name }]
    const span = { file: file.name, start: line.start, length: line.length, line: line.line }
    return tell(this.#options, line.bytes, {
      provenance: { file: file.name, line: line.line, run },
      place,
      span,
    })
  }

  fetchPatient(patient: PatientKey, signal: AbortSignal): AsyncIterable<FetchEvent> {
    return this.fetchPatients([patient], signal)
  }

  async *fetchPatients(patients: readonly PatientKey[], signal: AbortSignal): AsyncGenerator<FetchEvent> {
    const state = readState(await this.#options.index.checkpoint(this.id))
    const readable = (await this.#files()).filter((file) => state.files[file.name]?.print === file.print)
    yield* fetchFromFolder(this.#options, readable, patients, signal)
  }

  async #files(): Promise<FolderFile[]> {
    try {
      return await filesOf(this.#options.folder)
    } catch {
      throw new Refused('SOURCE_UNREACHABLE', 'export folder')
    }
  }
}

async function* documentOf(file: FolderFile): AsyncGenerator<Line[]> {
  const whole = { start: 0, length: file.size, line: 1, ended: true }
  if (file.size > DOCUMENT_BYTES_MAX) {
    yield [{ bytes: null, ...whole, hash: () => '' }]
    return
  }
  const bytes = await readFile(file.path)
  yield [{ bytes: withoutMark(bytes), ...whole, hash: () => hash('sha256', bytes, 'hex') }]
}

/** An interrupted pass goes on only while nothing that it read has changed since. */
function resumable(state: FolderState, files: FolderFile[]): boolean {
  if (state.pass === null) return false
  const prints = new Map(files.map((file) => [file.name, file.print]))
  const { read, at } = state.pass
  const same = read.every((name) => {
    const print = state.files[name]?.print ?? null
    return print === null || prints.get(name) === print
  })
  if (same && (at === null || prints.get(at.file) === at.print)) return true
  for (const name of read) delete state.files[name]
  return false
}

/**
 * What is missing is judged in files read now and in files that are gone, but not for the types of any file that is
 * broken: export jobs shuffle records between the numbered files of one type.
 */
function* ended(state: FolderState, files: FolderFile[]): Generator<SourceEvent> {
  const present = new Set(files.map((file) => file.name))
  const gone = Object.keys(state.files).filter((name) => !present.has(name))
  const read = state.pass?.read ?? []
  const judged = [...read, ...gone].filter((name) => state.files[name]?.print !== null)
  // every file was read: what no file was ever seen to hold is not there either
  if (files.length > 0 && files.every((file) => read.includes(file.name))) judged.push('')
  for (const file of gone) {
    delete state.files[file]
    yield { t: 'file', file }
  }
  state.pass = null
  const broken = Object.entries(state.files).filter(([, file]) => file.broken)
  const except = [
    ...new Set(broken.flatMap(([name, file]) => (file.types.length > 0 ? file.types : typesIn(name)))),
  ]
  const blind = broken.some(([name, file]) => file.types.length === 0 && typesIn(name).length === 0)
  const checkpoint = JSON.stringify(state)
  yield blind
    ? { t: 'checkpoint', checkpoint }
    : { t: 'checkpoint', checkpoint, swept: { types: null, except, files: judged } }
}

/** By the file's name, as bulk exports give it: `Observation.ndjson`, `1.Observation.ndjson.gz`. */
function typesIn(name: string): string[] {
  const type = name.replace(/^\d+[._-]/, '').replace(/[^A-Za-z].*$/, '')
  return Object.hasOwn(PATIENT_ELEMENTS, type) || SHARED_TYPES.has(type) ? [type] : []
}

function isReadError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function readState(checkpoint: Checkpoint | null): FolderState {
  return checkpoint === null ? { files: {}, pass: null } : (JSON.parse(checkpoint) as FolderState)
}
