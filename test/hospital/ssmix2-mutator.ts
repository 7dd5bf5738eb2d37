import { mkdir, readdir, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type StoredName, storedName } from '@kakehashi/agent/sources/ssmix2/file-name'
import { foldersOf, standingOf } from '@kakehashi/agent/sources/ssmix2/file-name'
import type { Random } from './random.ts'

const OLD = new Date('2026-01-01T00:00:00Z')
const at = (name: StoredName, flag = name.flag, time = name.at): string =>
  [name.patient, name.date, name.kind, name.order, time, name.department, flag].join('_')

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
  await utimes(path, OLD, OLD)
}

/** What a storage and its neighbours do to it: by the rules, and against them. */
export type Mutation =
  | 'update'
  | 'delete'
  | 'remove'
  | 'late'
  | 'duplicate'
  | 'misplace'
  | 'truncate'
  | 'empty'
  | 'restore'
export const MUTATIONS: readonly Mutation[] = [
  'update',
  'delete',
  'remove',
  'late',
  'duplicate',
  'misplace',
  'truncate',
  'empty',
  'restore',
]

export class Mutator {
  readonly #root: string
  readonly #random: Random
  #clock = 20300101000000000n

  constructor(root: string, random: Random) {
    this.#root = root
    this.#random = random
  }

  async mutate(kind: Mutation, paths: readonly string[]): Promise<void> {
    const path = paths[this.#random.int(0, paths.length - 1)] as string
    const name = storedName(path.slice(path.lastIndexOf('/') + 1))
    if (name === null || (name.flag !== '1' && kind !== 'restore')) return
    const folder = dirname(path)
    const now = String((this.#clock += 1000n))
    switch (kind) {
      case 'update':
        await write(join(folder, at(name, '1', now)), await this.#changed(path))
        return rename(path, join(folder, at(name, '2')))
      case 'delete':
        await write(join(folder, at(name, '0', now)), await readFile(path))
        return rename(path, join(folder, at(name, '0')))
      case 'remove':
        return rm(path)
      case 'late':
        return this.#late(path, name, now)
      case 'duplicate':
        return write(join(folder, at(name, '1', now)), await this.#changed(path))
      case 'misplace':
        await mkdir(join(dirname(folder), 'ADT-99'), { recursive: true })
        return rename(path, join(dirname(folder), 'ADT-99', path.slice(folder.length + 1)))
      case 'truncate':
        // under a new name: what is written over in place only a full pass can see
        await write(join(folder, at(name, '1', now)), (await readFile(path)).subarray(0, 2))
        return rename(path, join(folder, at(name, '2')))
      case 'empty':
        await write(join(folder, at(name, '1', now)), new Uint8Array(0))
        return rename(path, join(folder, at(name, '2')))
      case 'restore':
        return name.flag === '1'
          ? truncate(path, (await readFile(path)).length)
          : rename(path, join(folder, at(name, '1')))
    }
  }

  /** The same content under an order of years ago. */
  async #late(path: string, name: StoredName, now: string): Promise<void> {
    if (name.date === '-') return
    const late = { ...name, date: `2019010${this.#random.int(1, 9)}`, order: now.slice(2, 17) }
    const [first, second] = foldersOf(name.patient)
    await write(
      join(this.#root, first, second, name.patient, late.date, late.kind, at(late, '1', now)),
      await readFile(path),
    )
  }

  /** One line fewer, where there are several of its kind: an item of a list goes. */
  async #changed(path: string): Promise<Uint8Array> {
    const bytes = await readFile(path)
    const text = bytes.toString('latin1')
    const lines = text.split(/\r|\n/)
    const last = lines.findLastIndex((line) => /^(PRB|OBX|IN1|AL1)\|/.test(line))
    if (last > 0 && this.#random.chance(0.5)) lines.splice(last, 1)
    return Buffer.from(lines.join('\r'), 'latin1')
  }
}

export async function pathsBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

/** Keys whose file is valid and lies where it must: by names alone. */
export function validPaths(paths: readonly string[]): string[] {
  const byKey = new Map<string, { path: string; name: StoredName }[]>()
  for (const path of paths) {
    const [file = '', kind = '', date = '', patient = ''] = path.split('/').toReversed()
    const name = storedName(file)
    if (name === null || name.kind !== kind || name.date !== date || name.patient !== patient) continue
    const key = [patient, date, kind, name.order].join('/')
    byKey.set(key, [...(byKey.get(key) ?? []), { path, name }])
  }
  return [...byKey.values()].flatMap((files) => {
    const standing = standingOf(files.map((one) => one.name))
    return standing.t === 'valid'
      ? files.filter((one) => one.name === standing.file).map((one) => one.path)
      : []
  })
}
