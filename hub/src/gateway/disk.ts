import { Refused } from '@kakehashi/protocol/refusals'

const SQLITE_IOERR = 10
const SQLITE_FULL = 13

/** True when the write failed because there is no room (SQLite, file system or PostgreSQL), not for what it said. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === '53100') return true
  if (typeof errcode === 'number') return errcode === SQLITE_FULL || (errcode & 0xff) === SQLITE_IOERR
  return /database or disk is full|no transaction is active/.test(error.message)
}

/** Runs a write; a full disk becomes the refusal `DISK_FULL`, and the transaction has left nothing behind. */
export async function orDiskFull<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (isDiskFull(error)) throw new Refused('DISK_FULL')
    throw error
  }
}
