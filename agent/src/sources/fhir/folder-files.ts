import { createReadStream, type BigIntStats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'

/** One file of an export folder. */
export interface FolderFile {
  name: string
  path: string
  form: 'plain' | 'gz' | 'document'
  size: number
  /** Changes when the file was touched: size, times, inode. */
  print: string
}

/** Bulk export files, Patient files first so that identifiers are known when others refer to them by one. */
export async function filesOf(folder: string): Promise<FolderFile[]> {
  const files: FolderFile[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const form = formOf(entry.name)
    if (form === null || !entry.isFile()) continue
    const path = join(folder, entry.name)
    files.push({ name: entry.name, path, form, ...(await printOf(path)) })
  }
  const order = (file: FolderFile) => (/^(\d+\.)?Patient\b/.test(file.name) ? 0 : 1)
  return files.toSorted((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1))
}

/** Changes whenever somebody wrote to the file. */
export async function printOf(path: string): Promise<{ size: number; print: string }> {
  const told = await stat(path, { bigint: true })
  return { size: Number(told.size), print: printOfStat(told) }
}

/** Another print, another file: what was remembered of its lines holds no more. */
export function printOfStat({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return [size, mtimeNs, ctimeNs, ino].join(':')
}

function formOf(name: string): FolderFile['form'] | null {
  if (name.startsWith('.') || name.startsWith('_') || name === 'manifest.json') return null
  if (/\.ndjson$/i.test(name)) return 'plain'
  if (/\.ndjson\.gz$/i.test(name)) return 'gz'
  return /\.json$/i.test(name) ? 'document' : null
}

export const CHUNK_BYTES = 64 * 1024

/** The (unpacked) bytes of a file from `start` on. Throws when the file cannot be read or unpacked to its end. */
export async function* bytesOf(
  file: FolderFile,
  start: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (file.form !== 'gz') {
    yield* createReadStream(file.path, { start, highWaterMark: CHUNK_BYTES, signal })
    return
  }
  const packed = createReadStream(file.path, { highWaterMark: CHUNK_BYTES, signal })
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES })
  packed.on('error', (error) => unpacked.destroy(error))
  packed.pipe(unpacked)
  let skip = start
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      if (chunk.length > skip) yield skip > 0 ? chunk.subarray(skip) : chunk
      skip = Math.max(0, skip - chunk.length)
    }
  } finally {
    packed.destroy()
    unpacked.destroy()
  }
}
