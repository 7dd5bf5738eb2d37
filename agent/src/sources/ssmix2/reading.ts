import { join } from 'node:path'
import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { standingOf, type StoredName } from './file-name.ts'
import { type DocumentRead, isExtensionKind, readDocument } from './document.ts'
import { type Placed, placedOf } from './listing.ts'
import { type Root, rootsIn } from './roots.ts'
import { type FileRead, readSettled } from './settled-file.ts'
import type { FolderIndex } from './store.ts'
import type { StorageReading } from './telling.ts'

export interface StorageOptions extends StorageReading {
  folder: string
  /** Ten digits: which of several institutions' storages is read (S16). */
  institution: string | null
  /** Folder of the transaction storage, where the hospital offers one. */
  transactions: string | null
  /** Text export of the index table `SSMIXIDX`, where the hospital offers one. */
  indexTable: string | null
  env: Env
  index: FolderIndex
}

/** Throws {@link Refused} when nothing is there, or several institutions' storages and none is chosen. */
export async function rootsOf({ folder, institution }: StorageOptions): Promise<Root[]> {
  let roots: Root[]
  try {
    roots = await rootsIn(folder)
  } catch {
    throw new Refused('SOURCE_UNREACHABLE', 'SS-MIX2 storage')
  }
  if (institution !== null) {
    const own = roots.filter((root) => root.institution === institution || root.institution === null)
    roots = own.map((root) => ({ ...root, institution }))
  }
  if (roots.length === 0) throw new Refused('SOURCE_UNREACHABLE', 'SS-MIX2 storage')
  const institutions = new Set(roots.map((root) => root.institution))
  // two hospitals number their patients alike: one of them must be chosen
  if (institutions.size > 1) throw new Refused('SOURCE_AMBIGUOUS', 'SS-MIX2 storage')
  return roots
}

/** Everything of one storage key in a folder. */
export interface KeyFiles {
  key: string
  placed: Placed[]
}

export function keysOf(folder: string, names: Iterable<string>): Map<string, KeyFiles> {
  const keys = new Map<string, KeyFiles>()
  for (const name of names) {
    const placed = placedOf(folder, name)
    const known = keys.get(placed.key)
    if (known) known.placed.push(placed)
    else keys.set(placed.key, { key: placed.key, placed: [placed] })
  }
  return keys
}

export type KeyRead =
  | { t: 'refused'; placed: Placed }
  | { t: 'file'; placed: Placed; read: FileRead | DocumentRead; doubles: number }
  | { t: 'deleted' }
  | { t: 'none' }

/** What of one key stands, and its bytes where a file is valid. */
export async function readKey(folderPath: string, { placed }: KeyFiles, now: number): Promise<KeyRead> {
  const [first] = placed
  if (first?.fault) return { t: 'refused', placed: first }
  const standing = standingOf(placed.map((one) => one.name as StoredName))
  if (standing.t !== 'valid') return standing.t === 'deleted' ? { t: 'deleted' } : { t: 'none' }
  const chosen = placed.find((one) => one.name === standing.file) as Placed
  const path = join(folderPath, chosen.path)
  const read = isExtensionKind(kindOf(chosen)) ? await readDocument(path, now) : await readSettled(path, now)
  return { t: 'file', placed: chosen, read, doubles: standing.doubles }
}

/** The name of the kind's folder; in the extension storage it says more than the file's name. */
export function kindOf({ path }: Placed): string {
  return path.split('/')[1] ?? ''
}

const AHEAD = 24

/** Reads keys a few at a time, in order. */
export async function* readKeys(
  folderPath: string,
  keys: readonly KeyFiles[],
  now: number,
): AsyncGenerator<{ files: KeyFiles; read: KeyRead }> {
  for (let from = 0; from < keys.length; from += AHEAD) {
    const part = keys.slice(from, from + AHEAD)
    const reads = await Promise.all(part.map((files) => readKey(folderPath, files, now)))
    for (const [n, read] of reads.entries()) yield { files: part[n] as KeyFiles, read }
  }
}
