import type {
  ChangeOptions,
  Checkpoint,
  FetchEvent,
  SourceConnector,
  SourceEvent,
  SourceProfile,
} from '@kakehashi/agent/sources/connector'
import { canonicalBytes } from '@kakehashi/protocol/canonical'
import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { Refused } from '@kakehashi/protocol/refusals'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { versionAt, type Chart, type ScriptedRecord } from './cast.ts'
import { dateOf, dayNumber, HOUR } from './calendar.ts'

const SOURCE = 'ehr'

/** The hospital's own system: shows at any time what the script says it holds then. */
export class ScriptedSource implements SourceConnector {
  readonly id = SOURCE
  readonly kind = 'fhir-rest'
  readonly #charts: readonly Chart[]
  readonly #now: () => Instant
  /** Down until then. */
  downUntil = 0
  /** Told when somebody wanted to read and could not. */
  metDown: (() => void) | null = null

  constructor(charts: readonly Chart[], now: () => Instant) {
    this.#charts = charts
    this.#now = now
  }

  async probe(): Promise<SourceProfile> {
    this.#up()
    return {
      software: 'scripted',
      fhirVersion: '4.0.1',
      types: ['Patient', 'Observation', 'Condition'],
      deletes: 'sweep',
      skewMs: 0,
      everything: true,
    }
  }

  async *changes(from: Checkpoint | null, options: ChangeOptions): AsyncIterable<SourceEvent> {
    this.#up()
    const now = this.#now()
    const since = from === null || options.full ? Number.NEGATIVE_INFINITY : Number(from) - HOUR
    if (options.full) yield { t: 'pass' }
    for (const chart of this.#charts) {
      for (const scripted of chart.records) {
        const changed = Math.max(scripted.appearsAt, ...scripted.changesAt.filter((at) => at <= now))
        const record = recordAt(chart, scripted, now, options.run)
        if (record && changed > since) yield { t: 'record', record }
      }
    }
    yield {
      t: 'checkpoint',
      checkpoint: String(now),
      ...(options.full ? { swept: { types: null, except: [], files: null } } : {}),
    }
  }

  async *fetchPatient(patient: PatientKey, signal: AbortSignal): AsyncIterable<FetchEvent> {
    yield* this.fetchPatients([patient], signal)
  }

  async *fetchPatients(patients: readonly PatientKey[], _signal: AbortSignal): AsyncIterable<FetchEvent> {
    for (const patient of patients) {
      const chart = this.#charts.find((c) => c.patient === patient)
      if (this.#now() < this.downUntil) this.metDown?.()
      this.#up()
      for (const scripted of chart?.records ?? []) {
        const record = recordAt(chart!, scripted, this.#now(), 'fetch')
        if (record) yield { t: 'record', record }
      }
      yield { t: 'patient-read', patient, complete: true }
    }
  }

  #up(): void {
    if (this.#now() < this.downUntil) throw new Refused('SOURCE_UNREACHABLE', SOURCE)
  }
}

/** The record as the hospital shows it at that time, or `null`. Same content, same hash. */
export function recordAt(
  chart: Chart,
  scripted: ScriptedRecord,
  at: Instant,
  run: string,
): SourceRecord | null {
  const version = versionAt(scripted, at)
  if (version === null) return null
  const known = made.get(scripted) ?? new Map<number, SourceRecord>()
  made.set(scripted, known)
  const record = known.get(version) ?? { ...newRecord(chart, scripted, version, at), provenance: { run } }
  known.set(version, record)
  return record
}

const made = new WeakMap<ScriptedRecord, Map<number, SourceRecord>>()

function newRecord(
  chart: Chart,
  scripted: ScriptedRecord,
  version: number,
  at: Instant,
): Omit<SourceRecord, 'provenance'> {
  const resource =
    scripted.type === 'Patient' ? patientResource(chart, version, at) : clinical(chart, scripted, version)
  return {
    key: { source: SOURCE, type: scripted.type, id: scripted.id },
    contentHash: sha256Hex(canonicalBytes(resource)),
    sourceVersion: String(version + 1),
    patients: [chart.patient],
    item:
      scripted.type === 'Patient' ? 'identity' : scripted.type === 'Condition' ? 'diagnosis' : 'laboratory',
    labels: { security: [], tags: [] },
    mediaType: 'application/fhir+json',
    payload: canonicalBytes(resource),
  }
}

function patientResource(chart: Chart, version: number, at: Instant): unknown {
  const name = (family: string, given: string, code: string) => ({
    use: 'official',
    text: `${family} ${given}`,
    family,
    given: [given],
    extension: [
      { url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation', valueCode: code },
    ],
  })
  return {
    resourceType: 'Patient',
    id: chart.records[0]!.id,
    identifier: [{ system: `urn:oid:1.2.392.${chart.facility}`, value: chart.number }],
    name: [name(chart.family, chart.given, 'IDE'), name(chart.kana, chart.givenKana, 'SYL')],
    gender: chart.sex,
    ...(chart.birthDate === null ? {} : { birthDate: chart.birthDate }),
    ...(chart.diedAt !== null && chart.diedAt <= at
      ? { deceasedDateTime: dateOf(dayNumber(chart.diedAt)) }
      : {}),
    telecom: [{ system: 'phone', value: `03-0000-${String(1000 + version)}` }],
  }
}

function clinical(chart: Chart, scripted: ScriptedRecord, version: number): unknown {
  return {
    resourceType: scripted.type,
    id: scripted.id,
    status: 'final',
    subject: { reference: `Patient/${chart.records[0]!.id}` },
    code: { text: 'HbA1c' },
    effectiveDateTime: dateOf(dayNumber(scripted.appearsAt)),
    valueQuantity: { value: 5 + version, unit: '%' },
    note: [{ text: MARKER }],
  }
}

/** Planted in every clinical payload; S6 looks for it where it must never be. */
export const MARKER = 'PLAINTEXT-MARKER-7f3a'
