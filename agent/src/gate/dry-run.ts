import type { PatientKey } from '@kakehashi/protocol/ids'
import type { SourceRecord } from '@kakehashi/protocol/records'
import { inJapanese, Refused, type RefusalCode } from '@kakehashi/protocol/refusals'
import type { ItemClass, LocalDate, StopFact } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import type { SourceConnector, SourceEvent } from '../sources/connector.ts'
import { regressedAmong, showsOneVersion } from '../sources/regressed.ts'
import { datedInStop, decidePatient, openGate, type GateQuestion } from './flow.ts'

export interface ReasonCount {
  code: RefusalCode
  sentence: string
  patients: number
  records: number
}

export interface DryRun {
  at: number
  ruleVersion: string
  /** Counted while reading, before anything was decided. */
  source: { patients: number; records: number }
  /** Would leave now. */
  open: { patients: number; records: number }
  reasons: ReasonCount[]
  /** Whether open and all reasons add up to what the source holds, for patients and for records. */
  reconciles: boolean
  faults: { code: RefusalCode; place: string }[]
}

export interface PatientLine {
  patient: PatientKey
  /** `null`: open. */
  code: RefusalCode | null
  earliest: LocalDate | null
  records: number
}

interface Verdict {
  code: RefusalCode | null
  earliest: LocalDate | null
  items: Map<ItemClass, RefusalCode>
  /** Withdrawn: what is dated inside them stays out. */
  stops: StopFact[]
  records: number
}

class Tally {
  readonly verdicts = new Map<PatientKey, Verdict>()
  readonly records = new Map<RefusalCode | 'open', number>()
  readonly faults: { code: RefusalCode; place: string }[] = []
  total = 0
  readonly #context: AgentContext
  readonly #question: GateQuestion
  constructor(context: AgentContext, question: GateQuestion) {
    this.#context = context
    this.#question = question
  }

  #count(code: RefusalCode | 'open'): void {
    this.records.set(code, (this.records.get(code) ?? 0) + 1)
  }

  async verdictOf(patient: PatientKey): Promise<Verdict> {
    const known = this.verdicts.get(patient)
    if (known) return known
    const decision = await decidePatient(this.#context.store.db, this.#context, patient, this.#question)
    const items = new Map<ItemClass, RefusalCode>()
    for (const [item, answer] of decision.items) if (!answer.allow) items.set(item, answer.code)
    const stops = decision.state?.patient.stops.filter((stop) => stop.standing === 'withdrawn') ?? []
    const verdict = { code: decision.code, earliest: decision.earliest, items, stops, records: 0 }
    this.verdicts.set(patient, verdict)
    return verdict
  }

  #recordCode(verdict: Verdict, record: SourceRecord): RefusalCode | null {
    const code = verdict.items.get(record.item)
    return code ?? (datedInStop(verdict.stops, record, this.#question) ? 'STOP_PERIOD' : null)
  }

  /** `dated`: a record older than what was seen before stays back. */
  async take(event: SourceEvent, dated: boolean): Promise<void> {
    if (event.t === 'fault') this.faults.push({ code: event.code, place: event.place })
    if (event.t === 'quarantined') {
      this.total += 1
      this.#count(event.code)
    }
    if (event.t !== 'record' && event.t !== 'held') return
    this.total += 1
    const patients = event.t === 'record' ? event.record.patients : event.patients
    let code: RefusalCode | null = event.t === 'held' ? event.code : null
    if (patients.length === 0) code ??= 'SHARED_RESOURCE'
    for (const patient of patients) {
      const verdict = await this.verdictOf(patient)
      verdict.records += 1
      code ??= verdict.code ?? (event.t === 'record' ? this.#recordCode(verdict, event.record) : null)
    }
    if (code === null && dated && event.t === 'record') code = await this.#olderThanSeen(event.record)
    this.#count(code ?? 'open')
  }

  async #olderThanSeen(record: SourceRecord): Promise<RefusalCode | null> {
    const older = await regressedAmong(this.#context.store.db, [record])
    return older.size > 0 ? 'SOURCE_REGRESSED' : null
  }
}

function summarize(tally: Tally, question: GateQuestion, ruleVersion: string): DryRun {
  const patients = new Map<RefusalCode | 'open', number>()
  for (const { code } of tally.verdicts.values())
    patients.set(code ?? 'open', (patients.get(code ?? 'open') ?? 0) + 1)
  const codes = new Set([...patients.keys(), ...tally.records.keys()])
  codes.delete('open')
  const reasons = ([...codes] as RefusalCode[])
    .map((code) => ({
      code,
      sentence: inJapanese(code),
      patients: patients.get(code) ?? 0,
      records: tally.records.get(code) ?? 0,
    }))
    .toSorted((a, b) => b.patients - a.patients || b.records - a.records || (a.code < b.code ? -1 : 1))
  const source = { patients: tally.verdicts.size, records: tally.total }
  const open = { patients: patients.get('open') ?? 0, records: tally.records.get('open') ?? 0 }
  const sum = (what: 'patients' | 'records') => reasons.reduce((n, r) => n + r[what], open[what])
  return {
    at: question.now,
    ruleVersion,
    source,
    open,
    reasons,
    reconciles: sum('patients') === source.patients && sum('records') === source.records,
    faults: tally.faults,
  }
}

/**
 * Who would be sent now, and why the others not: every record of every source is counted once, as open or under one
 * reason. Reads everything, changes nothing. `each` is handed the patients one by one, only when asked for.
 */
export async function dryRun(
  context: AgentContext,
  connectors: readonly SourceConnector[],
  options: { signal?: AbortSignal; each?: (line: PatientLine) => void } = {},
): Promise<DryRun> {
  const signal = options.signal ?? new AbortController().signal
  const question = await openGate(context.store.db, context)
  const tally = new Tally(context, question)
  for (const connector of connectors) {
    try {
      const run = context.env.id()
      const dated = showsOneVersion(connector)
      for await (const event of connector.changes(null, { run, signal, full: true, dry: true }))
        await tally.take(event, dated)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      tally.faults.push({ code: error.refusal.code, place: connector.id })
    }
  }
  if (options.each)
    for (const [patient, { code, earliest, records }] of tally.verdicts)
      options.each({ patient, code, earliest, records })
  return summarize(tally, question, context.rulesAt(question.now).version)
}
