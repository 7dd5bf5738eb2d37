import type { Segment } from '../../hl7v2/message.ts'
import { fhirTime } from '../../hl7v2/time.ts'
import {
  concept,
  filled,
  idOf,
  type Json,
  type Mapped,
  type Names,
  quantity,
  resource,
  type Source,
  subject,
  time,
} from './source.ts'

const STATUSES: Readonly<Record<string, string>> = {
  F: 'final',
  P: 'preliminary',
  C: 'corrected',
  S: 'preliminary',
  R: 'preliminary',
  I: 'registered',
  O: 'registered',
  X: 'cancelled',
  D: 'entered-in-error',
  W: 'entered-in-error',
  U: 'final',
}

export interface ObservationParts {
  names: Names
  category: string
  /** What names the specimen or the report it belongs to. */
  within?: string
  specimen?: Json | undefined
  effective?: string | undefined
}

export function observation(source: Source, obx: Segment, parts: ObservationParts): Mapped[] {
  const item = obx.first(3)
  const code = concept(item, source.institution)
  if (!code) return []
  const local = item.text(1) || item.text(4) || item.text(2)
  const id = parts.names.next(['OBX', parts.within ?? '', local, obx.text(4)].join('.'))
  const range = obx.text(7)
  return [
    {
      resource: resource('Observation', idOf(source, id), {
        status: STATUSES[obx.text(11)] ?? 'unknown',
        category: [
          {
            coding: [
              { system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: parts.category },
            ],
          },
        ],
        code,
        subject: subject(source),
        effectiveDateTime: time(obx, 14) ?? parts.effective,
        ...valueOf(source, obx),
        interpretation: obx.text(8) === '' ? [] : [concept(obx.first(8), source.institution)],
        referenceRange: range === '' ? [] : [{ text: range }],
        specimen: parts.specimen,
        method: concept(obx.first(17), source.institution),
      }),
      segments: [obx],
    },
  ]
}

/** `ST` carries what was a structured number too; such text stays text. */
function valueOf(source: Source, obx: Segment): Json {
  const values = obx.repetitions(5)
  const [first] = values
  if (!first || first.at(1) === null) return {}
  const type = obx.text(2)
  if (type === 'NM') {
    const measured = values.length === 1 ? quantity(first.text(1), obx.first(6)) : null
    if (measured) return { valueQuantity: measured }
  }
  if (type === 'CWE' || type === 'CE' || type === 'CNE')
    return { valueCodeableConcept: conceptOf(source, obx) }
  if (type === 'TS' || type === 'DT' || type === 'DTM') {
    const at = fhirTime(first.text(1))
    if (at !== null) return { valueDateTime: at }
  }
  const text = values.map((one) => wordsOf(one.raw, one.text(1), type)).join('\n')
  return filled({ valueString: text })
}

function conceptOf(source: Source, obx: Segment): Json | undefined {
  const all = obx.repetitions(5).map((one) => concept(one, source.institution))
  const [first, ...more] = all.filter((one) => one !== undefined)
  if (!first || more.length === 0) return first
  const coding = [first, ...more].flatMap((one) => (one['coding'] as Json[] | undefined) ?? [])
  return { coding, text: [first, ...more].map((one) => one['text']).join('、') }
}

/** Names of staff, drugs used and numbers with signs keep all of their components. */
function wordsOf(raw: string, plain: string, type: string): string {
  return ['ST', 'TX', 'FT', 'NM'].includes(type) ? plain : raw
}
