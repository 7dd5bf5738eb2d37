import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { ErasureEntry, ErasureList } from './erasure-list.ts'

/** One JSON object a line, synced before anything is erased. A torn last line is the one that was never promised. */
export function erasureFile(path: string): ErasureList {
  return {
    append(entry) {
      const file = openSync(path, 'a', 0o600)
      try {
        writeSync(file, `\n${JSON.stringify(entry)}\n`)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
    },
    entries() {
      if (!existsSync(path)) return []
      return readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line) => read(line) ?? [])
    },
  }
}

function read(line: string): ErasureEntry | null {
  try {
    const entry = JSON.parse(line) as ErasureEntry
    return Array.isArray(entry.hashes) ? entry : null
  } catch {
    return null
  }
}
