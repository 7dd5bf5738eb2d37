import { expect, test } from 'vitest'
import { FACILITY } from '../folder.fixture.ts'
import { MUTANTS, mutantsOf } from '../mutation.fixture.ts'
import { canonicalText } from './canonical-text.ts'
import { deletionsIn } from './deletions.ts'
import { linesOf } from './lines.ts'
import { readUnit } from './unit.ts'

const PATIENT = `{"resourceType":"Patient","id":"p1","meta":{"versionId":"3","lastUpdated":"2026-01-01T00:00:00+09:00"},"identifier":[{"system":"urn:oid:1.2.3","value":"0001"}],"name":[{"text":"山田 花子"}],"link":[{"other":{"reference":"Patient/p2"},"type":"replaced-by"}]}`
const OBSERVATION = `{"resourceType":"Observation","id":"o1","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},"status":"final","subject":{"reference":"https://ehr.example/fhir/Patient/p1/_history/2"},"contained":[{"resourceType":"Patient","id":"c","identifier":[{"value":"9"}]}],"valueQuantity":{"value":1.500,"unit":"mmol/L"}}`
const bundle = (...entries: string[]) =>
  `{"resourceType":"Bundle","type":"history","meta":{"lastUpdated":"2026-01-01T00:00:00Z"},"entry":[${entries.join(',')}]}`
const SEEDS = [
  PATIENT,
  OBSERVATION,
  bundle(
    `{"fullUrl":"urn:uuid:0","resource":${PATIENT}}`,
    `{"fullUrl":"https://ehr.example/fhir/Observation/o1","resource":${OBSERVATION},"search":{"mode":"match"}}`,
    '{"request":{"method":"DELETE","url":"Observation/o2"},"response":{"status":"204","lastModified":"2026-01-01T00:00:00Z"}}',
  ),
].map((text) => Buffer.from(text))
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  ':',
  ',',
  '\\u0000',
  '\\ud800',
  '1e999',
  '0.10',
  'null',
  '\r\n',
  '\ufeff',
  '"id":"o1",',
  '{"resourceType":"Bundle","entry":[',
  '[[[[[[[[[[[[[[[[',
]
const scope = { source: 'ehr', facility: FACILITY, bases: ['https://ehr.example/fhir/'] }
const mutants = (seed: number) => mutantsOf({ seeds: SEEDS, pieces: PIECES }, MUTANTS, seed)

test(
  `${MUTANTS} mutants of resources and Bundles: each is understood or refused by name, never thrown`,
  { timeout: 3_600_000 },
  () => {
    const told = { parsed: 0, refused: 0 }
    for (const bytes of mutants(21))
      for (const one of readUnit(bytes, scope)) {
        told[one.t]++
        if (one.t === 'refused') continue
        const { key, payload, patients } = one.parsed.record
        if (payload.length > bytes.length || key.id.length > 64 || patients.length > bytes.length)
          throw new Error('out of bounds')
      }
    expect(told.parsed).toBeGreaterThan(MUTANTS / 10)
    expect(told.refused).toBeGreaterThan(MUTANTS / 10)
  },
)

test(
  `${MUTANTS} mutants: what JSON reads is the same JSON in its canonical text`,
  { timeout: 3_600_000 },
  () => {
    let compared = 0
    for (const bytes of mutants(22)) {
      const value = json(bytes)
      if (typeof value !== 'object' || value === null || !Buffer.from(bytes).equals(reencoded(bytes)))
        continue
      deletionsIn(value, 'ehr', scope.bases)
      const text = canonical(bytes)
      if (text === null) continue
      compared++
      expect(JSON.parse(text)).toEqual(withoutVersion(value))
    }
    expect(compared).toBeGreaterThan(MUTANTS / 20)
  },
)

test(
  `${MUTANTS} mutants in chunks of any size: every byte of a file is in one line`,
  { timeout: 3_600_000 },
  async () => {
    let n = 0
    for (const bytes of mutants(23)) {
      const size = 1 + (n++ % 97)
      let at = 0
      for await (const lines of linesOf(inChunks(bytes, size)))
        for (const line of lines) {
          if (line.start < at || (line.bytes?.length ?? 0) > line.length) throw new Error('out of bounds')
          at = line.start + line.length
        }
      if (at > bytes.length) throw new Error('beyond the end')
    }
    expect(n).toBe(MUTANTS)
  },
)

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null
  }
}

const reencoded = (bytes: Uint8Array): Buffer => Buffer.from(Buffer.from(bytes).toString('utf8'))

/** `null`: refused. */
function canonical(bytes: Uint8Array): string | null {
  try {
    return Buffer.from(canonicalText(bytes)).toString('utf8')
  } catch (error) {
    if ((error as Error).name === 'Refused') return null
    throw error
  }
}

function withoutVersion(value: object): unknown {
  const { meta, ...others } = value as { meta?: unknown }
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) return value
  const { versionId: _, lastUpdated: __, ...rest } = meta as Record<string, unknown>
  // nothing but a version is no meta
  return Object.keys(rest).length === 0 ? others : { ...others, meta: rest }
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}
