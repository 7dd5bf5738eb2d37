import type { Instant } from '@kakehashi/protocol/env'
import { patientKey, type FacilityId, type PatientKey } from '@kakehashi/protocol/ids'
import { birthday, dateOf, DAY, dayNumber, HOUR } from './calendar.ts'
import type { Prng } from './prng.ts'

/** One record of a chart, and when the hospital's system shows it in which version. */
export interface ScriptedRecord {
  type: 'Patient' | 'Observation' | 'Condition'
  id: string
  appearsAt: Instant
  /** Times at which its content changes. */
  changesAt: Instant[]
  vanishesAt: Instant | null
}

export type Kind =
  | 'adult'
  | 'child'
  | 'turning-16'
  | 'dead-before'
  | 'dying'
  | 'age-unknown'
  | 'never-notified'

/** One chart at one hospital. */
export interface Chart {
  patient: PatientKey
  facility: FacilityId
  number: string
  kind: Kind
  birthDate: string | null
  diedAt: Instant | null
  family: string
  kana: string
  given: string
  givenKana: string
  sex: 'male' | 'female'
  records: ScriptedRecord[]
}

const FAMILIES = [
  ['佐藤', 'サトウ'],
  ['鈴木', 'スズキ'],
  ['高橋', 'タカハシ'],
  ['渡邉', 'ワタナベ'],
  ['齋藤', 'サイトウ'],
] as const
const GIVENS = [
  ['花子', 'ハナコ'],
  ['太郎', 'タロウ'],
  ['葵', 'アオイ'],
  ['蓮', 'レン'],
  ['結衣', 'ユイ'],
] as const
const KINDS: readonly Kind[] = [
  'adult',
  'adult',
  'adult',
  'adult',
  'adult',
  'child',
  'child',
  'turning-16',
  'dead-before',
  'dying',
  'age-unknown',
  'never-notified',
]

export interface Span {
  start: Instant
  /** Faults and people end here; the heal phase begins. */
  calm: Instant
}

export function chart(facility: FacilityId, index: number, span: Span, random: Prng): Chart {
  const number = String(index + 1).padStart(6, '0')
  const kind = index < 2 ? 'adult' : index === 2 && random.chance(0.25) ? 'turning-16' : random.pick(KINDS)
  const [family, kana] = random.pick(FAMILIES)
  const [given, givenKana] = random.pick(GIVENS)
  const died = diedAt(kind, span, random)
  return {
    patient: patientKey(facility, number),
    facility,
    number,
    kind,
    birthDate: birthDateOf(kind, span, random),
    diedAt: died,
    family,
    kana,
    given,
    givenKana,
    sex: random.pick(['male', 'female'] as const),
    records: scriptedRecords(`${facility}-${number}`, span, died, random),
  }
}

function birthDateOf(kind: Kind, span: Span, random: Prng): string | null {
  const today = dayNumber(span.start)
  if (kind === 'age-unknown') return random.pick([null, '1900-01-01'])
  if (kind === 'child') return dateOf(today - random.between(1000, 5500))
  if (kind === 'turning-16') {
    const turns = dateOf(today + (random.chance(0.2) ? random.between(5, 30) : random.between(33, 44)))
    return `${Number(turns.slice(0, 4)) - 16}${turns.slice(4)}`
  }
  return dateOf(today - random.between(7000, 30_000))
}

function diedAt(kind: Kind, span: Span, random: Prng): Instant | null {
  if (kind === 'dead-before') return span.start - random.between(1, 300) * DAY
  if (kind === 'dying')
    return span.start + random.between(1, Math.round((span.calm - span.start) / DAY)) * DAY
  return null
}

function scriptedRecords(prefix: string, span: Span, died: Instant | null, random: Prng): ScriptedRecord[] {
  const length = span.calm - span.start
  /** Mostly when records already move. */
  const sometime = (): Instant =>
    span.start + Math.floor((random.chance(0.3) ? random.unit() : 0.75 + 0.25 * random.unit()) * length)
  const old = span.start - 30 * DAY
  const patient: ScriptedRecord = {
    type: 'Patient',
    id: `${prefix}-p`,
    appearsAt: old,
    changesAt: [
      ...(random.chance(0.1) ? [sometime()] : []),
      ...(died !== null && died > old ? [died] : []),
    ].toSorted((a, b) => a - b),
    vanishesAt: null,
  }
  const others = Array.from({ length: random.between(1, 4) }, (_, i): ScriptedRecord => {
    const appearsAt = random.chance(0.5) ? old : sometime()
    return {
      type: random.pick(['Observation', 'Condition'] as const),
      id: `${prefix}-${i}`,
      appearsAt,
      changesAt: random.chance(0.5) ? [Math.max(sometime(), appearsAt + HOUR)] : [],
      vanishesAt: random.chance(0.1) ? Math.max(sometime(), appearsAt + 2 * HOUR) : null,
    }
  })
  return [patient, ...others]
}

/** How often a record has changed by then; `null`: it is not there. */
export function versionAt(record: ScriptedRecord, at: Instant): number | null {
  if (at < record.appearsAt || (record.vanishesAt !== null && at >= record.vanishesAt)) return null
  return record.changesAt.filter((change) => change <= at).length
}

/** The notice text of one of the hospitals says 「1か月」. */
export function saysOneMonth(facility: FacilityId): boolean {
  return facility === 'hospital-b'
}

/** `null`: nobody knows the age; 1900-01-01 stands for unknown in hospital systems. */
export function turns16(chart: Chart): number | null {
  return chart.birthDate === null || chart.birthDate === '1900-01-01' ? null : birthday(chart.birthDate, 16)
}
