import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { sourceRecord } from '../content/records.fixture.ts'

export const CLINOSIM = join(
  process.env['KAKEHASHI_SHARED'] ?? join(import.meta.dirname, '../../../../shared'),
  'data/ehr/clinosim-jp-348p',
)

export function hasClinosim(): boolean {
  return existsSync(CLINOSIM)
}

type Json = Record<string, unknown>

/** Records of the synthetic export as one hospital would send them, in pages. */
export async function* clinosimRecords(
  facility: string,
  types: readonly string[],
  page = 5000,
  only: (patient: string) => boolean = () => true,
): AsyncGenerator<SourceRecord[]> {
  let records: SourceRecord[] = []
  for (const type of types) {
    const lines = createInterface({
      input: createReadStream(join(CLINOSIM, `${type}.ndjson.gz`)).pipe(createGunzip()),
    })
    for await (const line of lines) {
      const resource = JSON.parse(line) as Json
      const patient = patientOf(resource)
      if (patient === null || !only(patient)) continue
      records.push(sourceRecord(`${facility}/${patient}`, resource))
      if (records.length < page) continue
      yield records
      records = []
    }
  }
  if (records.length > 0) yield records
}

function patientOf(resource: Json): string | null {
  if (resource['resourceType'] === 'Patient') return String(resource['id'])
  const about = (resource['subject'] ?? resource['patient'] ?? resource['beneficiary']) as Json | undefined
  const reference = String(about?.['reference'] ?? '')
  return reference.startsWith('Patient/') ? reference.slice('Patient/'.length) : null
}
