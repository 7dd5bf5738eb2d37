import { spawnSync } from 'node:child_process'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { MEMORY_FLAGS } from '@kakehashi/protocol/memory-bound'

export interface Reading {
  seen: number
  held: number
  ledgerSeconds: number
  records: number
  bytes: number
  fetchSeconds: number
  peakMiB: number
}

export interface ReadingFigures {
  /** The export of the first source, into the ledger with every record's patients, then afresh patient by patient. */
  whole: Reading
  /** One patient with so many records. */
  single: { few: number; many: number; fewRead: Reading; manyRead: Reading }
}

const FEW = 10_000
const MANY = 100_000

export async function readingFigures(dir: string, folder: string): Promise<ReadingFigures> {
  const [few, many] = [await onePatient(dir, FEW), await onePatient(dir, MANY)]
  return {
    whole: read(folder, join(dir, 'reading.sqlite')),
    single: {
      few: FEW,
      many: MANY,
      fewRead: read(few, join(dir, 'few.sqlite')),
      manyRead: read(many, join(dir, 'many.sqlite')),
    },
  }
}

function read(folder: string, store: string): Reading {
  const reader = join(import.meta.dirname, 'reading-process.ts')
  const { stdout, stderr, status } = spawnSync(process.execPath, [...MEMORY_FLAGS, reader, folder, store], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Reading
}

/** An export about one patient alone, with ordinary laboratory results. */
async function onePatient(dir: string, records: number): Promise<string> {
  const folder = join(dir, `one-patient-${records}`)
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'Patient.ndjson'),
    '{"resourceType":"Patient","id":"1","birthDate":"1948-05-03"}\n',
  )
  const file = createWriteStream(join(folder, 'Observation.ndjson'))
  for (let n = 0; n < records; n++) if (!file.write(`${result(n)}\n`)) await once(file, 'drain')
  file.end()
  await once(file, 'close')
  return folder
}

const result = (n: number): string =>
  `{"resourceType":"Observation","id":"o${n}","meta":{"lastUpdated":"2026-01-01T00:00:00+09:00"},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"system":"urn:oid:1.2.392.200119.4.504","code":"3F015000002327101","display":"K"}]},"subject":{"reference":"Patient/1"},"effectiveDateTime":"2026-01-0${1 + (n % 9)}T09:00:00+09:00","valueQuantity":{"value":${(3 + (n % 300) / 100).toFixed(2)},"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}`
