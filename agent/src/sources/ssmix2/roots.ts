import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { storedName } from './file-name.ts'

/** One standardized storage: the folders of patients lie two levels below. */
export interface Root {
  path: string
  /** Ten digits of the medical institution, where the folder's name begins with them. */
  institution: string | null
}

const LOOKED_AT_MAX = 40

/**
 * The storages in a folder: itself, or those one level below, one per period, kind or institution (S16). Recognised by
 * their layout alone. An empty list: none.
 */
export async function rootsIn(folder: string): Promise<Root[]> {
  if (await isRoot(folder)) return [rootAt(folder)]
  const found: Root[] = []
  for (const name of await namesIn(folder)) {
    const path = join(folder, name)
    if (await isRoot(path)) found.push(rootAt(path))
  }
  return found
}

function rootAt(path: string): Root {
  return { path, institution: /^\d{10}/.exec(basename(path))?.[0] ?? null }
}

/** Some patient's folder in it holds a file whose name is a stored message's. */
async function isRoot(path: string): Promise<boolean> {
  for (const first of await someIn(path)) {
    if (first.length > 3) return false
    for (const second of await someIn(join(path, first)))
      for (const patient of await someIn(join(path, first, second))) {
        if (!patient.startsWith(first)) continue
        for (const date of await someIn(join(path, first, second, patient)))
          for (const kind of await someIn(join(path, first, second, patient, date)))
            for (const name of await someIn(join(path, first, second, patient, date, kind)))
              if (storedName(name) !== null) return true
      }
  }
  return false
}

async function someIn(path: string): Promise<string[]> {
  return (await namesIn(path)).slice(0, LOOKED_AT_MAX)
}

/** Empty where there is none, or where it is no folder. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.startsWith('.')).toSorted()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}
