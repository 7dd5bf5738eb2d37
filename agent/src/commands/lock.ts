import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { Refused } from '@kakehashi/protocol/refusals'

/** One process per installation: the lock holds the process id, a dead one's lock is taken over. */
export function takeLock(path: string): () => void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = openSync(path, 'wx', 0o600)
      writeSync(file, String(process.pid))
      closeSync(file)
      return () => rmSync(path, { force: true })
    } catch {
      if (isAlive(Number(readFileSync(path, 'utf8')))) break
      rmSync(path, { force: true })
    }
  }
  throw new Refused('NOT_ALLOWED', '同じ場所でもう動いています')
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
