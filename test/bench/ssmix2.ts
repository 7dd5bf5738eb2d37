import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { generatedStorage } from '@kakehashi/test/hospital/ssmix2'

/** A standardized storage read for the first time, and once more when nothing has changed. */
export interface StorageFigures {
  files: number
  records: number
  coldSeconds: number
  warmSeconds: number
  /** Records read in the second round: none. */
  warmSeen: number
  peakMiB: number
}

/** `null` where the storage that none of us wrote is not on this machine. */
export async function storageFigures(dir: string): Promise<StorageFigures | null> {
  const folder = await generatedStorage(join(dir, 'ssmix2'), 'storage')
  if (folder === null) return null
  const reader = join(import.meta.dirname, 'ssmix2-reader.ts')
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [reader, folder, join(dir, 'ssmix2.sqlite')],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as StorageFigures
}
