import { join } from 'node:path'

import { sharedData, splitClinosim } from '../hospital/clinosim.ts'
import { hospitalCharts, writeHospital } from '../hospital/generator.ts'

export interface Hospital {
  facility: string
  name: string
  folder: string
  /** Chart number → who it really is: only the demonstration knows, to judge the linkage. */
  persons: Map<string, string>
  resources: number
}

const NAMES = ['みどり総合病院', 'あおば市民病院', 'さくら内科クリニック']

/** Three hospitals that share some patients: of simulated data none of us wrote when it is there, else of our own. */
export async function layHospitals(
  dir: string,
  patients: number,
): Promise<{ hospitals: Hospital[]; of: string }> {
  const clinosim = sharedData()
  if (clinosim !== null) {
    const splits = await splitClinosim(clinosim, join(dir, 'ehr'), { hospitals: 3, shared: 0.2, patients })
    const hospitals = splits.map((split, k) => named(k, split.folder, split.persons, split.resources))
    return { hospitals, of: 'clinosim-jp-348p (third-party synthetic FHIR export), split in three' }
  }
  const hospitals: Hospital[] = []
  for (const k of [0, 1, 2]) {
    const folder = join(dir, 'ehr', `hospital-${k + 1}`)
    const plan = {
      seed: 'demo',
      hospital: k + 1,
      patients: Math.ceil(patients / 3),
      shared: 20,
      about: '2026-03-31',
    }
    const { resources } = await writeHospital(folder, plan)
    const persons = new Map([...hospitalCharts(plan)].map((chart) => [chart.number, chart.person]))
    hospitals.push(named(k, folder, persons, resources))
  }
  return { hospitals, of: "the project's own generator (../shared is not here)" }
}

function named(k: number, folder: string, persons: Map<string, string>, resources: number): Hospital {
  return { facility: `hospital-${k + 1}`, name: NAMES[k] ?? '', folder, persons, resources }
}
