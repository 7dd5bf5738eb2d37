import { hash } from 'node:crypto'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { SourceEvent } from '../connector.ts'
import { placeOf } from './file-name.ts'
import { namesOfPatient, printOf } from './listing.ts'
import { type KeyFiles, type KeyRead, keysOf, readKeys, type StorageOptions } from './reading.ts'
import { SETTLE_MS } from './settled-file.ts'
import type { FolderSeen, Told } from './store.ts'
import {
  isPatientNumber,
  refusedFile,
  refusedPlace,
  type Telling,
  tellDocument,
  tellFile,
} from './telling.ts'

/** How many files became what, for people; every listed file that changed is one of these. */
export interface StorageCounts {
  read: number
  superseded: number
  deleted: number
  quarantined: number
  /** Looked at again in the next round. */
  waiting: number
}

export interface PassParts {
  options: StorageOptions
  run: string
  full: boolean
  /** A pass that was cut short goes on: a folder may have been told in part. */
  resumed: boolean
  counts: StorageCounts
  /** Types of records whose file could not be read now: that they were not shown proves nothing. */
  blindTypes: Set<string>
  /** Something could not be listed or read: nothing is missing for certain. */
  blind: boolean
  /** Said once per pass, not once per file. */
  said: Set<RefusalCode>
  /** Charts that the hospital removed. */
  removed: PatientKey[]
}

export interface OneFolder {
  path: string
  parent: string
  folder: string
  institution: string | null
  names: readonly string[]
  /** `null`: never read before. */
  before: FolderSeen | null
}

class Relist extends Error {}

/** What changed in one patient's folder, then the folder as it is now. */
export async function* passFolder(parts: PassParts, one: OneFolder): AsyncGenerator<SourceEvent> {
  let { names } = one
  for (let attempt = 1; ; attempt++)
    try {
      yield* changed(parts, { ...one, names }, attempt)
      return
    } catch (error) {
      if (!(error instanceof Relist)) throw error
      // a file was renamed between listing and reading (S4)
      names = await namesOfPatient(one.path)
    }
}

const ATTEMPTS_MAX = 3

async function* changed(parts: PassParts, one: OneFolder, attempt: number): AsyncGenerator<SourceEvent> {
  const { options, full } = parts
  const now = options.env.now()
  const keys = keysOf(one.folder, one.names)
  const old = new Set(one.before?.names ?? [])
  const touched = touchedKeys(one, keys, old, full)
  const told =
    one.before || parts.resumed ? await options.index.recordsOf(options.source, [...touched.keys()]) : []
  const byKey = Map.groupBy(told, (record) => record.file)
  const pending: Record<string, number> = {}
  const waiting = new Set<string>()
  for await (const { files, read } of readKeys(one.path, [...touched.values()], now)) {
    if (read.t === 'file' && read.read.t === 'moved' && attempt < ATTEMPTS_MAX) throw new Relist()
    const before = byKey.get(files.key) ?? []
    yield* tellKey(parts, one, { files, read, before, waiting, pending, now })
  }
  const names = one.names.filter((name) => !waiting.has(name))
  const { parent, folder } = one
  yield { t: 'folder', seen: { parent, folder, print: printOf(names), names, pending } }
}

/** Keys with a name that came or went, and those that wait to be found again. */
function touchedKeys(
  { folder, names, before }: OneFolder,
  keys: Map<string, KeyFiles>,
  old: Set<string>,
  full: boolean,
): Map<string, KeyFiles> {
  const now = new Set(names)
  const went = [...old].filter((name) => full || !now.has(name))
  const touched = new Map<string, KeyFiles>()
  for (const [key, files] of keys)
    if (full || files.placed.some((placed) => !old.has(placed.path))) touched.set(key, files)
  for (const key of [...keysOf(folder, went).keys(), ...Object.keys(before?.pending ?? {})])
    if (!touched.has(key)) touched.set(key, keys.get(key) ?? { key, placed: [] })
  return touched
}

interface KeyParts {
  files: KeyFiles
  read: KeyRead
  before: readonly Told[]
  waiting: Set<string>
  pending: Record<string, number>
  now: number
}

function* tellKey(parts: PassParts, one: OneFolder, about: KeyParts): Generator<SourceEvent> {
  const { files, read, before, waiting, pending, now } = about
  const known = one.before !== null || parts.resumed
  if (read.t === 'none') {
    count(parts, about, null)
    if (known) yield { t: 'file', file: files.key }
    if (before.length === 0) return
    // between two renames, or lost: a deletion only when it is still so after a while
    pending[files.key] = one.before?.pending[files.key] ?? now
    return
  }
  if (read.t === 'file' && ['unsettled', 'moved', 'failed'].includes(read.read.t)) {
    for (const placed of files.placed) waiting.add(placed.path)
    count(parts, about, 'waiting')
    for (const record of before) parts.blindTypes.add(record.key.type)
    if (read.read.t !== 'failed') return
    parts.blind = true
    yield { t: 'fault', code: 'SOURCE_ANSWER_BAD', place: placeOf(read.placed.path), retryable: true }
    return
  }
  if (known) yield { t: 'file', file: files.key }
  if (read.t === 'deleted') {
    count(parts, about, null)
    yield* gone(before, 'deleted', new Set())
    if (before.some((record) => record.key.type === 'Patient')) yield* chartRemoved(parts, before)
    return
  }
  const telling = tellingOf(parts, one, read)
  count(parts, about, telling.quarantined ? 'quarantined' : 'read')
  yield* telling.events
  if (telling.quarantined) for (const record of before) parts.blindTypes.add(record.key.type)
  else yield* gone(before, 'superseded', telling.ids)
  if (telling.deviates) yield* warn(parts, 'ENCODING_DEVIATES')
  if (read.t === 'file' && read.doubles > 0) yield* warn(parts, 'DOUBLE_VALID')
}

function tellingOf(
  parts: PassParts,
  one: OneFolder,
  read: Extract<KeyRead, { t: 'file' | 'refused' }>,
): Telling {
  const { options, run } = parts
  if (read.t === 'refused' || !isPatientNumber(options.facility, read.placed.name?.patient ?? ''))
    return refusedPlace(read.placed)
  if (read.read.t === 'too-long')
    return refusedFile(read.placed, 'LINE_TOO_LONG', hash('sha256', read.placed.path, 'hex'))
  const about = { institution: one.institution, run }
  if (read.read.t === 'document') return tellDocument(options, read.read.files, read.placed, about)
  const bytes = read.read.t === 'read' ? read.read.bytes : new Uint8Array(0)
  return tellFile(options, bytes, read.placed, about)
}

function* gone(
  before: readonly Told[],
  reason: 'deleted' | 'superseded',
  still: ReadonlySet<string>,
): Generator<SourceEvent> {
  for (const { key, patients } of before)
    if (!still.has(`${key.type}/${key.id}`)) yield { t: 'tombstone', tombstone: { key, patients, reason } }
}

/** The standard set has no message of a merge: other charts of what seems the same person are reported only (S19). */
function* chartRemoved(parts: PassParts, before: readonly Told[]): Generator<SourceEvent> {
  yield* warn(parts, 'CHART_REMOVED')
  parts.removed.push(...(before.find((record) => record.key.type === 'Patient')?.patients ?? []))
}

function* warn(parts: PassParts, code: RefusalCode): Generator<SourceEvent> {
  if (parts.said.has(code)) return
  parts.said.add(code)
  yield { t: 'fault', code, place: parts.options.source, retryable: false }
}

/** Each file of a key that was looked at is one of these. */
function count(
  { counts }: PassParts,
  { files, read }: KeyParts,
  as: 'read' | 'quarantined' | 'waiting' | null,
): void {
  for (const placed of files.placed) {
    const chosen = (read.t === 'file' || read.t === 'refused') && placed === read.placed
    if (as === 'waiting') counts.waiting++
    else if (chosen && as !== null) counts[as]++
    else if (placed.name?.flag === '0') counts.deleted++
    else counts.superseded++
  }
}

export const OVERDUE_MS = SETTLE_MS
