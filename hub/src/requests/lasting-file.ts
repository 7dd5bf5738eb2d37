import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { ErasureEntry, ErasureList } from './erasure-list.ts'
import type { StopEntry, StopList } from './stop-list.ts'

/** One JSON object a line, synced before the act it tells of. A torn last line is the one that was never promised. */
class LastingFile<T> {
  readonly #path: string
  readonly #is: (value: Partial<T>) => boolean
  constructor(path: string, is: (value: Partial<T>) => boolean) {
    this.#path = path
    this.#is = is
  }

  append(entry: T): void {
    const file = openSync(this.#path, 'a', 0o600)
    try {
      writeSync(file, `\n${JSON.stringify(entry)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  entries(): T[] {
    if (!existsSync(this.#path)) return []
    return readFileSync(this.#path, 'utf8')
      .split('\n')
      .flatMap((line) => this.#read(line) ?? [])
  }

  #read(line: string): T | null {
    try {
      const value = JSON.parse(line) as Partial<T>
      return this.#is(value) ? (value as T) : null
    } catch {
      return null
    }
  }
}

export function erasureFile(path: string): ErasureList {
  return new LastingFile<ErasureEntry>(path, (entry) => Array.isArray(entry.hashes))
}

export function stopFile(path: string): StopList {
  return new LastingFile<StopEntry>(path, (entry) => typeof entry.stop === 'string')
}
