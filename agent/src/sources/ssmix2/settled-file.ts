import { open } from 'node:fs/promises'
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

export async function readSettled(path: string, now: Instant): Promise<FileRead> {
  let handle
  try {
    handle = await open(path, 'r')
    const before = await handle.stat()
    const age = now - before.mtimeMs
    if (age >= 0 && age < SETTLE_MS) return { t: 'unsettled' }
    if (before.size > FILE_BYTES_MAX) return { t: 'too-long' }
    // one more than there should be: a file that grew while it was read shows it
    const bytes = Buffer.allocUnsafeSlow(before.size + 1)
    let at = 0
    for (let more = 1; more > 0 && at < bytes.length; at += more)
      more = (await handle.read(bytes, at, bytes.length - at, at)).bytesRead
    if (at !== before.size) return { t: 'unsettled' }
    return { t: 'read', bytes: bytes.subarray(0, at) }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { t: 'moved' }
    return ['EBUSY', 'EACCES', 'EPERM', 'EAGAIN'].includes(code) ? { t: 'unsettled' } : { t: 'failed' }
  } finally {
    await handle?.close()
  }
}
