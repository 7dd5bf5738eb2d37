import { createReadStream, createWriteStream, existsSync, type WriteStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { sharedFolder } from '../machine/parts.ts'
import { randomOf } from './random.ts'

/** `KAKEHASHI_SHARED`, else `../shared` beside the repository; `null` in a fresh clone. */
export function sharedData(under = 'data/ehr/clinosim-jp-348p'): string | null {
  const shared = sharedFolder()
  if (shared === null) return null
  const folder = join(shared, under)
  return existsSync(folder) ? folder : null
}

export interface Split {
  folder: string
  institution: string
  /** Local patient number → the id in the source: who it really is. */
  persons: Map<string, string>
  resources: number
}

/**
 * Splits the 348 patients of one simulated hospital into several; a share of them has a chart at two, under another
 * local number. Everything about a patient is re-keyed in the text itself, so that no other byte changes.
 */
export async function splitClinosim(
  source: string,
  target: string,
  options: { hospitals?: number; shared?: number; seed?: string | number; patients?: number } = {},
): Promise<Split[]> {
  const { hospitals = 3, shared = 0.2, seed = 1 } = options
  const ids = (await patientIds(join(source, 'Patient.ndjson.gz'))).slice(0, options.patients)
  const splits = Array.from({ length: hospitals }, (_, k): Split & { renamed: Map<string, string> } => ({
    folder: join(target, `hospital-${k + 1}`),
    institution: `131${String(k + 1).padStart(7, '0')}`,
    persons: new Map(),
    renamed: new Map(),
    resources: 0,
  }))
  for (const [n, id] of ids.entries()) {
    const random = randomOf(seed, 'split', id)
    const first = random.int(0, hospitals - 1)
    const homes =
      random.chance(shared) && hospitals > 1
        ? [first, (first + random.int(1, hospitals - 1)) % hospitals]
        : [first]
    for (const home of homes) {
      const number = String((home + 1) * 1_000_003 + n * 7919).padStart(8, '0')
      splits[home]?.renamed.set(id, number)
      splits[home]?.persons.set(number, id)
    }
  }
  for (const split of splits) await mkdir(split.folder, { recursive: true })
  for (const name of (await readdir(source)).filter((n) => n.endsWith('.ndjson.gz')).toSorted())
    await splitFile(join(source, name), name.slice(0, -3), splits)
  return splits
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file).pipe(createGunzip())
  for await (const line of createInterface({ input, crlfDelay: Infinity })) if (line !== '') yield line
}

async function patientIds(file: string): Promise<string[]> {
  const ids: string[] = []
  for await (const line of linesOf(file)) ids.push((JSON.parse(line) as { id: string }).id)
  return ids
}

const PATIENT = /POP-\d{6}/g

async function splitFile(
  file: string,
  name: string,
  splits: (Split & { renamed: Map<string, string> })[],
): Promise<void> {
  const outputs = splits.map((split) => createWriteStream(join(split.folder, name)))
  for await (const line of linesOf(file)) {
    const about = new Set(line.match(PATIENT))
    for (const [k, split] of splits.entries()) {
      const [one] = about
      if (one !== undefined && !split.renamed.has(one)) continue
      const local = line
        .replaceAll(PATIENT, (id) => split.renamed.get(id) ?? id)
        .replaceAll(
          'urn:oid:1.2.392.100495.20.3.51.1"',
          `urn:oid:1.2.392.100495.20.3.51.1${split.institution}"`,
        )
        .replaceAll('"1300000000"', `"${split.institution}"`)
      await write(outputs[k] as WriteStream, `${local}\n`)
      split.resources++
    }
  }
  for (const output of outputs) {
    output.end()
    await finished(output)
  }
}

async function write(file: WriteStream, text: string): Promise<void> {
  if (!file.write(text)) await new Promise<void>((drained) => file.once('drain', () => drained()))
}
