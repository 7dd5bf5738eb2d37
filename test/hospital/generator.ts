import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { chartLines, type Line } from './charts.ts'
import { personOf, type Person } from './people.ts'
import { randomOf } from './random.ts'

/**
 * Hospitals of one invented country: the same seed gives the same bytes. People `0 … shared-1` have a chart at every
 * hospital (with another local number and now and then another spelling); all others at one hospital only.
 */
export interface HospitalPlan {
  seed: string | number
  /** 1, 2, 3 … */
  hospital: number
  patients: number
  shared?: number
  /** Ages and visits are counted back from this day. */
  about?: string
}

export interface GeneratedChart {
  /** Local patient number, and id of the `Patient`. */
  number: string
  /** Who it really is: the truth that linkage is measured against. */
  person: string
  truth: Person
  institution: string
  lines: Line[]
}

export const ABOUT = '2026-04-01'

export function* hospitalCharts(plan: HospitalPlan): Generator<GeneratedChart> {
  const { seed, hospital, patients, shared = 0, about = ABOUT } = plan
  const institution = `131${String(hospital).padStart(7, '0')}`
  for (let n = 0; n < patients; n++) {
    const name = n < shared ? `shared-${n}` : `${hospital}-${n}`
    const truth = personOf(seed, name, about)
    const random = randomOf(seed, 'chart', hospital, n)
    // 7919 is prime to 10^8: numbers of one hospital never meet, and differ between hospitals
    const number = String((hospital * 10_007 + n * 7919) % 100_000_000).padStart(8, '0')
    const lines = chartLines({ id: number, institution, person: truth, about, random })
    yield { number, person: name, truth, institution, lines }
  }
}

/** Writes one NDJSON file per resource type into `folder` (made when missing). */
export async function writeHospital(
  folder: string,
  plan: HospitalPlan,
): Promise<{ patients: number; resources: number }> {
  await mkdir(folder, { recursive: true })
  const files = new Map<string, WriteStream>()
  let patients = 0
  let resources = 0
  for (const chart of hospitalCharts(plan)) {
    patients++
    for (const { type, line } of chart.lines) {
      const file = files.get(type) ?? createWriteStream(join(folder, `${type}.ndjson`))
      files.set(type, file)
      if (!file.write(`${line}\n`)) await new Promise<void>((drained) => file.once('drain', () => drained()))
      resources++
    }
  }
  for (const file of files.values()) {
    file.end()
    await finished(file)
  }
  return { patients, resources }
}
