/** SQLite could not grow its file, or the file system said so. What was asked did not happen; nothing else is lost. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown }
  return errcode === 13 || code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL'
}
