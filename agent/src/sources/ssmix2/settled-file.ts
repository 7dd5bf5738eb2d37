import { close, fstat, open, read } from 'node:fs'
import { promisify } from 'node:util'
import { RECORD_BYTES_MAX } from '@kakehashi/protocol/limits'
import type { Instant } from '@kakehashi/protocol/env'

/** A file written to less than this ago may not be complete (S3). */
export const SETTLE_MS = 5_000
/** A larger message is set aside. */
export const FILE_BYTES_MAX = RECORD_BYTES_MAX

export type FileRead =
  | { t: 'read'; bytes: Uint8Array }
  /** Still being written, locked, or not to be opened now: the next round looks again. */
  | { t: 'unsettled' }
  /** Renamed or removed since its folder was listed (S4). */
  | { t: 'moved' }
  | { t: 'too-long' }
  | { t: 'failed' }

// the plain calls cost half of what handles with promises do, and there are four for every file of a hospital
const opened = promisify(open)
const stated = promisify(fstat)
const readInto = promisify(read)
const closed = promisify(close)

export async function readSettled(path: string, now: Instant): Promise<FileRead> {
  let file: number | null = null
  try {
    file = await opened(path, 'r')
    const { size, mtimeMs } = await stated(file)
    const age = now - mtimeMs
    if (age >= 0 && age < SETTLE_MS) return { t: 'unsettled' }
    if (size > FILE_BYTES_MAX) return { t: 'too-long' }
    // one more than there should be: a file that grew since shows it
    const bytes = Buffer.allocUnsafe(size + 1)
    let at = 0
    do {
      const { bytesRead } = await readInto(file, bytes, at, bytes.length - at, at)
      if (bytesRead === 0) break
      at += bytesRead
    } while (at < size)
    return at === size ? { t: 'read', bytes: bytes.subarray(0, at) } : { t: 'unsettled' }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { t: 'moved' }
    return ['EBUSY', 'EACCES', 'EPERM', 'EAGAIN'].includes(code) ? { t: 'unsettled' } : { t: 'failed' }
  } finally {
    if (file !== null) await closed(file)
  }
}
