import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refused } from '@kakehashi/protocol/refusals'
import type { Opened } from './verify.ts'
import type { PackageFile } from './zip.ts'

/** Writes a package into a new folder that only its owner reads. */
export async function writeFolder(folder: string, files: AsyncIterable<PackageFile>): Promise<number> {
  if (existsSync(folder)) throw new Refused('NOT_ALLOWED', folder)
  let count = 0
  for await (const { path, content } of files) {
    const at = join(folder, path)
    mkdirSync(dirname(at), { recursive: true, mode: 0o700 })
    const file = openSync(at, 'wx', 0o600)
    try {
      for await (const part of content) writeSync(file, part)
    } finally {
      closeSync(file)
    }
    count += 1
  }
  return count
}

export function openFolder(folder: string): Opened {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
  return { paths: () => paths, read: (path) => readFileSync(join(folder, path)) }
}
