import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { sharedData } from '@kakehashi/test/hospital/clinosim'
import { writeHospital } from '@kakehashi/test/hospital/generator'

export interface BenchSource {
  /** One word, for folders and tables. */
  name: string
  /** Where it comes from, for the reader of the figures. */
  said: string
  /** Folder with the finished files, which {@link arriveRecords} puts into the agent's folder. */
  folder: string
}

/** Third-party data with heavy charts where they are there, and as many patients of our own generator with ordinary ones. */
export async function benchSources(dir: string, patients: number): Promise<BenchSource[]> {
  const folder = join(dir, 'generated')
  await writeHospital(folder, { seed: 'bench', hospital: 1, patients })
  const own = { name: 'generator', said: "the project's own generator, NDJSON", folder }
  const shared = sharedData()
  if (shared === null) return [own]
  return [
    { name: 'clinosim', said: 'clinosim-jp-348p: third-party FHIR bulk export, NDJSON.gz', folder: shared },
    own,
  ]
}

const isExport = (name: string): boolean => /\.ndjson(\.gz)?$/.test(name)
const isPatient = (name: string): boolean => name.startsWith('Patient.')

/** The index of patients alone, so that notices can be given before anything else is there. */
export function arrivePatients(source: BenchSource, folder: string): void {
  arrive(source, folder, isPatient)
}

/** Everything else, within a moment. */
export function arriveRecords(source: BenchSource, folder: string): void {
  arrive(source, folder, (name) => !isPatient(name))
}

function arrive({ folder: from }: BenchSource, to: string, which: (name: string) => boolean): void {
  mkdirSync(to, { recursive: true })
  const names = readdirSync(from).filter((name) => isExport(name) && which(name))
  for (const name of names) copyFileSync(join(from, name), join(to, `.${name}`))
  for (const name of names) renameSync(join(to, `.${name}`), join(to, name))
}

/** The lines of all files, as text, and what they weigh. */
export function linesOf({ folder }: BenchSource): { lines: string[]; plainBytes: number; gzipBytes: number } {
  const lines: string[] = []
  let plainBytes = 0
  let gzipBytes = 0
  for (const name of readdirSync(folder).filter(isExport)) {
    const bytes = readFileSync(join(folder, name))
    const plain = name.endsWith('.gz') ? gunzipSync(bytes) : bytes
    plainBytes += plain.length
    gzipBytes += gzipSync(plain, { level: 1 }).length
    for (const line of plain.toString('utf8').split('\n')) if (line !== '') lines.push(line)
  }
  return { lines, plainBytes, gzipBytes }
}
