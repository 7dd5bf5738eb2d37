import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sharedData } from './clinosim.ts'

const run = promisify(execFile)

/** The official samples of the National Hospital Organization; `null` where they are not on this machine. */
export function officialSamples(): string | null {
  const folder = sharedData('data/ehr/ssmix2-nho-testtool-samples/sampleData')
  return folder !== null && existsSync(folder) ? folder : null
}

export type GeneratedForm = 'storage' | 'storage-cr-normalised'

/** Unpacks 348 patients as one vendor wrote them, or with the ends of segments put right; answers the root. */
export async function generatedStorage(into: string, form: GeneratedForm): Promise<string | null> {
  const packed = sharedData(`data/ehr/ssmix2-generated-348p/${form}.tar.gz`)
  if (packed === null) return null
  const folder = join(into, form)
  await mkdir(folder, { recursive: true })
  await run('tar', ['-xzf', packed, '-C', folder])
  const [root = ''] = await readdir(folder)
  return join(folder, root)
}

/** Leaves the first patients of a storage and removes the others. */
export async function keepPatients(root: string, count: number): Promise<void> {
  const folders = await readdir(root, { recursive: true, withFileTypes: true })
  const patients = folders
    .filter((one) => /^\d{10}$/.test(one.name))
    .map((one) => join(one.parentPath, one.name))
  for (const folder of patients.toSorted().slice(count)) await rm(folder, { recursive: true })
}

/** Every file below a folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}
