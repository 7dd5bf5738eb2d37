import { hash } from 'node:crypto'
import { join } from 'node:path'
import { foldersOf, type StoredName, storedName } from './file-name.ts'
import { KEY_MARK } from './store.ts'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import { namesIn } from './roots.ts'

/** Paths below a patient's folder, sorted: `<date>/<kind>/<name>`. */
export async function namesOfPatient(path: string): Promise<string[]> {
  const found: string[] = []
  const dates = await namesIn(path)
  const kinds = await Promise.all(dates.map((date) => namesIn(join(path, date))))
  for (const [n, date] of dates.entries()) {
    const leaves = kinds[n] ?? []
    if (leaves.length === 0) continue
    const names = await Promise.all(leaves.map((kind) => namesIn(join(path, date, kind))))
    for (const [k, kind] of leaves.entries())
      for (const name of names[k] ?? []) found.push(`${date}/${kind}/${name}`)
  }
  return found.toSorted()
}

export function printOf(names: readonly string[]): string {
  return hash('sha1', names.join('\n'), 'base64')
}

/** One file in its folder; `name` is `null` when it does not say what a stored message's must (S2). */
export interface Placed {
  path: string
  /** The storage key it belongs to, as the ledger knows it. */
  key: string
  name: StoredName | null
  fault: 'name' | 'place' | null
}

export function placedFault({ fault }: Placed): RefusalCode {
  return fault === 'name' ? 'FILE_NAME_UNKNOWN' : 'FILE_MISPLACED'
}

export function placedOf(folder: string, path: string): Placed {
  const [date = '', kind = '', ...rest] = path.split('/')
  const name = storedName(rest.join('/'))
  const patient = folder.slice(folder.lastIndexOf('/') + 1)
  if (name === null) return { path, key: `${folder}/${path}`, name, fault: 'name' }
  const [first, second] = foldersOf(name.patient)
  const right =
    name.patient === patient &&
    name.date === date &&
    name.kind === kind.split('^', 1)[0] &&
    folder.endsWith(`/${first}/${second}/${patient}`)
  if (!right) return { path, key: `${folder}/${path}`, name, fault: 'place' }
  return { path, key: `${folder}/${date}/${kind}/${name.order}`, name, fault: null }
}

/** A patient's folder as the ledger names it. */
export function folderName(root: number, first: string, second: string, patient: string): string {
  return `${parentName(root, first, second)}/${patient}`
}

export function parentName(root: number, first: string, second: string): string {
  return `${KEY_MARK}${root}/${first}/${second}`
}
