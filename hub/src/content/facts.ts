/** What the columns of a partition say beside the raw payload. All may be missing: default is `null`. */
export interface Facts {
  system: string | null
  code: string | null
  effective: string | null
  number: number | null
  valueCode: string | null
  unit: string | null
  status: string | null
}

export const NO_FACTS: Facts = {
  system: null,
  code: null,
  effective: null,
  number: null,
  valueCode: null,
  unit: null,
  status: null,
}

const CODES = ['code', 'medicationCodeableConcept', 'vaccineCode', 'class', 'type']
const TIMES = [
  'effectiveDateTime',
  'effectivePeriod',
  'onsetDateTime',
  'performedDateTime',
  'performedPeriod',
  'authoredOn',
  'occurrenceDateTime',
  'period',
  'recordedDate',
  'started',
  'issued',
  'date',
]

type Json = Record<string, unknown>

/** Reads the columns off one FHIR resource; the payload itself is kept as it came. */
export function factsOf(resource: Json): Facts {
  const coding = firstOf(CODES, (name) => codingOf(resource[name]))
  const quantity = object(resource['valueQuantity']) ?? {}
  const value = codingOf(resource['valueCodeableConcept'])
  const number = quantity['value']
  return {
    system: string(coding?.['system']),
    code: string(coding?.['code']),
    effective: firstOf(TIMES, (name) => timeOf(resource[name])),
    number: typeof number === 'number' && Number.isFinite(number) ? number : null,
    valueCode: string(value?.['code']),
    unit: string(quantity['code']) ?? string(quantity['unit']),
    status: string(resource['status']) ?? string(codingOf(resource['clinicalStatus'])?.['code']),
  }
}

function codingOf(value: unknown): Json | null {
  const concept = object(Array.isArray(value) ? value[0] : value)
  if (!concept) return null
  if (Array.isArray(concept['coding'])) return object(concept['coding'][0])
  return 'code' in concept ? concept : null
}

function timeOf(value: unknown): string | null {
  return string(value) ?? string(object(value)?.['start'])
}

function firstOf<T>(names: readonly string[], read: (name: string) => T | null): T | null {
  for (const name of names) {
    const found = read(name)
    if (found !== null) return found
  }
  return null
}

function object(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
}

function string(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
