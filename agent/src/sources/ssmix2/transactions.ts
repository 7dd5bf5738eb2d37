import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn } from './roots.ts'

/** How far the transaction storage was read. */
export interface TransactionPlace {
  /** `<year>/<file>`; empty: nothing of it. */
  file: string
  offset: number
}

export interface TransactionsRead {
  patients: Set<string>
  place: TransactionPlace
}

const CHUNK_BYTES = 256 * 1024
const HEADER = /^#SSMIX,[^,]*,[^,]*,([^,]{1,15}),(?:\d{8}|-),[^,]+,[^,]*,(?:INS|DEL),/
const HEADER_BYTES_MAX = 512

/**
 * Who changed since `from`, by the headers of the records appended since (DATA §2.4.3). What follows the last line end
 * may still grow and is read again. `null`: the hospital offers no such log.
 */
export async function readTransactions(
  folder: string | null,
  from: TransactionPlace | null,
): Promise<TransactionsRead | null> {
  if (folder === null) return null
  const files = await filesIn(folder)
  if (files.length === 0) return null
  const last = files.at(-1) as string
  // where nothing was read before, everybody is looked at; the log counts from its end
  if (from === null)
    return { patients: new Set(), place: { file: last, offset: await sizeOf(join(folder, last)) } }
  const patients = new Set<string>()
  let place = from
  for (const file of files) {
    if (file < from.file) continue
    const start = file === from.file ? from.offset : 0
    place = { file, offset: await tail(join(folder, file), start, patients) }
  }
  return { patients, place }
}

async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = []
  for (const year of await namesIn(folder))
    if (/^\d{4}$/.test(year))
      for (const name of await namesIn(join(folder, year)))
        if (/^TR_\d{17}_\d+\.DAT$/i.test(name)) files.push(`${year}/${name}`)
  return files
}

async function sizeOf(path: string): Promise<number> {
  await using handle = await open(path, 'r')
  return (await handle.stat()).size
}

/** Adds the patients of whole header lines; answers up to where it read. */
async function tail(path: string, start: number, patients: Set<string>): Promise<number> {
  await using handle = await open(path, 'r')
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let offset = start
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, offset)
    const bytes = buffer.subarray(0, bytesRead)
    const end = Math.max(bytes.lastIndexOf(0x0d), bytes.lastIndexOf(0x0a))
    if (end < 0) {
      // a line longer than the buffer is no header
      if (bytesRead < CHUNK_BYTES) return offset
      offset += CHUNK_BYTES - HEADER_BYTES_MAX
      continue
    }
    for (const line of bytes
      .subarray(0, end)
      .toString('latin1')
      .split(/[\r\n]+/)) {
      const patient = HEADER.exec(line)?.[1]
      if (patient !== undefined) patients.add(patient)
    }
    offset += end + 1
    if (bytesRead < CHUNK_BYTES) return offset
  }
}
