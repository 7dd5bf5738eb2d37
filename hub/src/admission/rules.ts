import type { Instant } from '@kakehashi/protocol/env'
import { facilityOf, type FacilityId, type PatientKey, type StopHandle } from '@kakehashi/protocol/ids'
import {
  recordKeyText,
  type BatchContent,
  type Evidence,
  type SourceRecord,
} from '@kakehashi/protocol/records'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { decide as decideOf } from '@kakehashi/protocol/rules/decide'
import type { RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { inStopPeriod } from '@kakehashi/protocol/rules/stop-period'
import type {
  FacilityState,
  FilingFact,
  GateState,
  ItemClass,
  OperatorState,
  StopFact,
  TemplateFact,
  Track,
} from '@kakehashi/protocol/rules/state'

/** What the vault itself knows, whatever the batch says. */
export interface Known {
  now: Instant
  latestSeen: Instant
  rules: RuleFile
  operator: OperatorState
  /** The facility's own declaration, as the vault holds it. */
  facility: FacilityState
  /** The vault's stop list: stops on this chart, or on a handle of one of its papers. */
  stopsOf(patient: PatientKey, handles: readonly StopHandle[]): StopFact[]
  isErased(patient: PatientKey): boolean
  /** Hash under which this version of the record was admitted before. */
  admittedHash(record: SourceRecord): string | undefined
  decide: typeof decideOf
}

export interface PatientRefusal {
  code: RefusalCode
  patient: PatientKey | null
  record: string | null
}

export type Admission =
  | { whole: RefusalCode; place: string }
  | {
      whole: null
      /** Evidence of the patients of whom at least one record may stay. */
      admitted: Evidence[]
      records: SourceRecord[]
      refusals: PatientRefusal[]
      refusedRecords: number
    }

/** Resources of a hospital that are about no patient; anything else without a patient is refused. */
const SHARED_TYPES: ReadonlySet<string> = new Set([
  'Organization',
  'Location',
  'Practitioner',
  'PractitionerRole',
  'HealthcareService',
  'Medication',
  'Substance',
])

/**
 * The second gate: decides anew, on the evidence the batch carries and on what the vault knows, which records may
 * be kept. Pure. A batch whose shape cannot be trusted is refused whole; otherwise each patient stands alone.
 */
export function admit(content: BatchContent, facility: FacilityId, track: Track, known: Known): Admission {
  const evidence = new Map<PatientKey, Evidence>()
  for (const one of content.evidence) {
    const { patient } = one.state.patient
    if (evidence.has(patient)) return { whole: 'EVIDENCE_MISMATCH', place: 'evidence twice' }
    evidence.set(patient, one)
  }
  const unfounded = missingEvidence(content, facility, evidence)
  if (unfounded) return unfounded
  const gate = new PatientGate(evidence, track, known)
  const kept: SourceRecord[] = []
  const refused: { record: SourceRecord; patient: PatientKey | null; code: RefusalCode }[] = []
  for (const record of content.records) {
    const denial = gate.refusalOf(record)
    if (denial) refused.push({ record, ...denial })
    else kept.push(record)
  }
  const named = new Set(kept.flatMap((record) => record.patients))
  return {
    whole: null,
    admitted: content.evidence.filter((one) => named.has(one.state.patient.patient)),
    records: kept.filter((record) => record.patients.length > 0 || named.size > 0),
    refusals: condensed(refused, content.records),
    refusedRecords: refused.length,
  }
}

function missingEvidence(
  content: BatchContent,
  facility: FacilityId,
  evidence: ReadonlyMap<PatientKey, Evidence>,
): Admission | null {
  for (const patient of evidence.keys())
    if (facilityOf(patient) !== facility) return { whole: 'FACILITY_UNKNOWN', place: 'evidence' }
  for (const { patients, key } of [...content.records, ...content.tombstones]) {
    if (patients.length === 0 && !SHARED_TYPES.has(key.type))
      return { whole: 'EVIDENCE_MISSING', place: key.type }
    for (const patient of patients)
      if (facilityOf(patient) !== facility) return { whole: 'FACILITY_UNKNOWN', place: key.type }
  }
  for (const { patients, key } of content.records)
    if (patients.some((patient) => !evidence.has(patient)))
      return { whole: 'EVIDENCE_MISSING', place: key.type }
  return null
}

class PatientGate {
  readonly #evidence: ReadonlyMap<PatientKey, Evidence>
  readonly #track: Track
  readonly #known: Known
  readonly #answers = new Map<string, RefusalCode | null>()
  constructor(evidence: ReadonlyMap<PatientKey, Evidence>, track: Track, known: Known) {
    this.#evidence = evidence
    this.#track = track
    this.#known = known
  }

  refusalOf(record: SourceRecord): { patient: PatientKey | null; code: RefusalCode } | null {
    for (const patient of record.patients) {
      const code = this.#answer(patient, record.item)
      if (code) return { patient, code }
      if (this.#datedInStop(patient, record)) return { patient, code: 'STOP_PERIOD' }
    }
    const before = this.#known.admittedHash(record)
    if (before !== undefined && before !== record.contentHash)
      return { patient: record.patients[0] ?? null, code: 'DUPLICATE_CONFLICT' }
    return null
  }

  #datedInStop(patient: PatientKey, record: SourceRecord): boolean {
    const one = this.#evidence.get(patient)
    if (!one) return false
    const { stops } = ownState(one, this.#known).patient
    return inStopPeriod(record, stops, this.#track, this.#known.operator.operator)
  }

  #answer(patient: PatientKey, item: ItemClass): RefusalCode | null {
    const key = `${item} ${patient}`
    const held = this.#answers.get(key)
    if (held !== undefined) return held
    const answer = this.#decide(patient, item)
    this.#answers.set(key, answer)
    return answer
  }

  #decide(patient: PatientKey, item: ItemClass): RefusalCode | null {
    const known = this.#known
    const one = this.#evidence.get(patient)
    if (!one) return 'EVIDENCE_MISSING'
    if (known.isErased(patient)) return 'ERASED'
    if (contradictsDeclared(one, known.facility, this.#track)) return 'EVIDENCE_MISMATCH'
    const decision = known.decide(ownState(one, known), { track: this.#track, item }, known.rules, known.now)
    return decision.allow ? null : decision.code
  }
}

/** The evidence with everything replaced that the vault knows better: facility, operator, clock; its stops added. */
function ownState(one: Evidence, known: Known): GateState {
  const { patient } = one.state
  return {
    facility: known.facility,
    operator: known.operator,
    latestSeen: known.latestSeen,
    patient: { ...patient, stops: [...patient.stops, ...known.stopsOf(patient.patient, patient.handles)] },
  }
}

/** One line for a patient refused throughout, one per record otherwise. */
function condensed(
  refused: readonly { record: SourceRecord; patient: PatientKey | null; code: RefusalCode }[],
  all: readonly SourceRecord[],
): PatientRefusal[] {
  const total = new Map<PatientKey, number>()
  for (const { patients } of all) for (const p of patients) total.set(p, (total.get(p) ?? 0) + 1)
  const counts = new Map<string, number>()
  for (const { patient, code } of refused) {
    const key = `${code} ${patient}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const lines = new Map<string, PatientRefusal>()
  for (const { record, patient, code } of refused) {
    const whole = patient !== null && counts.get(`${code} ${patient}`) === total.get(patient)
    const name = whole ? null : recordKeyText(record.key)
    lines.set(`${code} ${patient} ${name}`, { code, patient, record: name })
  }
  return [...lines.values()]
}

/**
 * True when a proof names a legal person, a notice text or a filing that the facility never declared, or declared
 * otherwise. A proof older than the declaration may know less, never more and never differently.
 */
function contradictsDeclared(one: Evidence, declared: FacilityState, track: Track): boolean {
  const { facility, patient } = one.state
  if (facility.facility !== declared.facility || facility.entity.entity !== declared.entity.entity)
    return true
  if (facility.templates.some((t) => !declared.templates.some((d) => sameTemplate(t, d)))) return true
  if (facility.filings.some((f) => !declared.filings.some((d) => coveredBy(f, d)))) return true
  return patient.notices.some(
    (n) =>
      n.track === track &&
      n.standing === 'effective' &&
      !declared.templates.some(
        (d) => d.track === n.track && d.version === n.templateVersion && d.hash === n.templateHash,
      ),
  )
}

function sameTemplate(a: TemplateFact, b: TemplateFact): boolean {
  return (
    a.version === b.version &&
    a.track === b.track &&
    a.hash === b.hash &&
    a.publishedAt === b.publishedAt &&
    sameSet(a.items, b.items) &&
    sameSet(a.operators, b.operators)
  )
}

function coveredBy(claimed: FilingFact, declared: FilingFact): boolean {
  return (
    claimed.filing === declared.filing &&
    claimed.track === declared.track &&
    claimed.acceptedOn === declared.acceptedOn &&
    claimed.templateVersion <= declared.templateVersion
  )
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((x) => b.includes(x))
}
