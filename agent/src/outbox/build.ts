import type { PatientKey } from '@kakehashi/protocol/ids'
import { fitsEnvelope } from '@kakehashi/protocol/record-shapes'
import { recordKeyText, type SourceRecord, type Tombstone } from '@kakehashi/protocol/records'
import { Refused, type RefusalCode } from '@kakehashi/protocol/refusals'
import type { AgentContext } from '../context.ts'
import {
  datedInStop,
  decidePatient,
  openGate,
  type GateQuestion,
  type PatientDecision,
} from '../gate/flow.ts'
import type { FetchEvent, SourceConnector } from '../sources/connector.ts'
import { regressedAmong } from '../sources/regressed.ts'
import { clearToRead, dueTombstones, patientsToRead, type ToRead } from '../sources/store.ts'
import { isDiskFull } from '../store/disk-full.ts'
import { knownHashes } from './known.ts'
import { Pack } from './pack.ts'
import { enqueueBatch } from './seal.ts'
import { OPEN_LEGS } from './store.ts'

/** Unfinished batches at most; reading waits beyond, so that the disk is never filled by a dead line. */
export const OPEN_BATCHES_MAX = 200
const WINDOW_RECORDS = 200
const WINDOW_BYTES = 1024 * 1024
const PATIENTS_PER_BUILD = 500
const PAGE = 1000

export interface BuildReport {
  /** Patients read afresh, and those whose gate was closed. */
  patients: number
  closed: number
  batches: number
  records: number
  tombstones: number
  unchanged: number
  /** Records kept back because another patient in them, or their item class, is not open. */
  withheld: number
  faults: { code: RefusalCode; place: string }[]
  /** Why building stopped before its time. */
  paused: 'DISK_FULL' | 'OUTBOX_FULL' | null
  /** Where the next build goes on; `null`: everybody with something to read was asked about. */
  next: Wanted | null
}

export type Wanted = ToRead

interface OpenPatient {
  wanted: Wanted
  decision: PatientDecision
}

/** Patients with something to read whose gate is open now, oldest change first. */
async function openPatients(
  context: AgentContext,
  question: GateQuestion,
  from: Wanted | null,
  max: number,
): Promise<{ open: Map<PatientKey, OpenPatient>; closed: number; next: Wanted | null }> {
  const open = new Map<PatientKey, OpenPatient>()
  let closed = 0
  let after = from
  for (;;) {
    const page: Wanted[] = await patientsToRead(context.store.db, PAGE, after ?? undefined)
    for (const wanted of page) {
      if (open.size >= max) return { open, closed, next: after }
      const decision = await decidePatient(context.store.db, context, wanted.patient, question)
      if (decision.allowed) open.set(wanted.patient, { wanted, decision })
      else closed += 1
      after = wanted
    }
    if (page.length < PAGE) return { open, closed, next: null }
  }
}

class Build {
  readonly report: BuildReport = {
    patients: 0,
    closed: 0,
    batches: 0,
    records: 0,
    tombstones: 0,
    unchanged: 0,
    withheld: 0,
    faults: [],
    paused: null,
    next: null,
  }
  readonly #context: AgentContext
  readonly #question: GateQuestion
  readonly #queued: () => void
  readonly #decisions = new Map<PatientKey, PatientDecision>()
  /** How many sources told everything they have of a patient. */
  readonly #told = new Map<PatientKey, number>()
  #pack = new Pack()
  #window: SourceRecord[] = []
  #windowBytes = 0
  #seen = new Set<string>()
  #keptBack = false

  constructor(
    context: AgentContext,
    question: GateQuestion,
    open: Iterable<PatientDecision>,
    queued: () => void,
  ) {
    this.#context = context
    this.#question = question
    this.#queued = queued
    for (const decision of open) this.#decisions.set(decision.patient, decision)
  }

  async #decisionOf(patient: PatientKey): Promise<PatientDecision> {
    const known = this.#decisions.get(patient)
    if (known) return known
    const decision = await decidePatient(this.#context.store.db, this.#context, patient, this.#question)
    this.#decisions.set(patient, decision)
    return decision
  }

  async take(event: FetchEvent, source: string): Promise<void> {
    switch (event.t) {
      case 'record':
        return this.#wait(event.record)
      case 'held':
        this.#seen.add(recordKeyText(event.key))
        return
      case 'tombstone':
        return this.#tombstone(event.tombstone)
      case 'fault':
        this.report.faults.push({ code: event.code, place: event.place })
        return
      case 'patient-read':
        return this.#patientRead(event.patient, event.complete, source)
      default:
    }
  }

  /** Records wait in a window, so that what is known of them is asked once for many. */
  async #wait(record: SourceRecord): Promise<void> {
    this.#seen.add(recordKeyText(record.key))
    if (!fitsEnvelope(record)) {
      const { file, line } = record.provenance
      this.report.faults.push({
        code: 'NOT_A_RESOURCE',
        place: `${file ?? record.key.source}:${line ?? record.key.type}`,
      })
      return
    }
    this.#window.push(record)
    this.#windowBytes += record.payload.length
    if (this.#window.length >= WINDOW_RECORDS || this.#windowBytes >= WINDOW_BYTES) await this.#drain()
  }

  async #drain(): Promise<void> {
    const window = this.#window
    this.#window = []
    this.#windowBytes = 0
    const known = await knownHashes(
      this.#context.store.db,
      window.map((record) => recordKeyText(record.key)),
    )
    const older = await regressedAmong(this.#context.store.db, window)
    for (const record of window) {
      const noted = older.get(recordKeyText(record.key))
      if (noted === undefined) await this.#record(record, known)
      else {
        this.report.withheld += 1
        if (!noted) this.#keptBack = true
      }
    }
  }

  async #record(record: SourceRecord, known: ReadonlyMap<string, string>): Promise<void> {
    const key = recordKeyText(record.key)
    const decisions: PatientDecision[] = []
    for (const patient of record.patients) {
      const decision = await this.#decisionOf(patient)
      const answer = decision.items.get(record.item)
      if (!answer?.allow) {
        this.report.withheld += 1
        // a class no notice names opens only by another notice, which marks the patient anew
        if (answer?.code !== 'ITEM_NOT_NOTIFIED') this.#keptBack = true
        return
      }
      // what is dated inside a withdrawn stop never opens
      if (datedInStop(decision.state?.patient.stops ?? [], record, this.#question)) {
        this.report.withheld += 1
        return
      }
      decisions.push(decision)
    }
    if (decisions.length === 0) {
      this.report.withheld += 1
      return
    }
    if (this.#pack.has(key) || known.get(key) === record.contentHash) {
      this.report.unchanged += 1
      return
    }
    if (!this.#pack.fits(record.payload.length, decisions.length)) await this.flush()
    this.#pack.add(record, decisions, this.#question.now)
  }

  async #tombstone(tombstone: Tombstone): Promise<void> {
    const key = recordKeyText(tombstone.key)
    const last = (await knownHashes(this.#context.store.db, [key])).get(key)
    if (last === undefined || last === '') return
    const decisions: PatientDecision[] = []
    for (const patient of tombstone.patients) {
      const decision = await this.#decisionOf(patient)
      if (!decision.allowed) {
        this.#keptBack = true
        return
      }
      decisions.push(decision)
    }
    if (decisions.length === 0) return
    if (!this.#pack.fits(0, decisions.length)) await this.flush()
    this.#pack.addTombstone(tombstone, decisions, this.#question.now)
  }

  /** The patient was read whole: what the source no longer has, though the hub does, is taken back. */
  async #patientRead(patient: PatientKey, complete: boolean, source: string): Promise<void> {
    await this.#drain()
    const seen = this.#seen
    this.#seen = new Set()
    const keptBack = this.#keptBack
    this.#keptBack = false
    if (!complete) return
    for (const tombstone of await dueTombstones(this.#context.store.db, patient))
      if (tombstone.key.source === source && !seen.has(recordKeyText(tombstone.key)))
        await this.#tombstone(tombstone)
    if (!keptBack) this.#told.set(patient, (this.#told.get(patient) ?? 0) + 1)
    // cut between patients where possible: batches that share nobody need not wait for each other
    if (this.#pack.nearlyFull) await this.flush()
  }

  finished(patient: PatientKey, sources: number): boolean {
    return this.#told.get(patient) === sources
  }

  async finish(): Promise<void> {
    await this.#drain()
    await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#pack.empty) return
    const packed = this.#pack.take()
    this.#pack = new Pack()
    await enqueueBatch(this.#context, packed)
    this.report.batches += 1
    this.report.records += packed.records.length
    this.report.tombstones += packed.tombstones.length
    this.#queued()
  }
}

async function countOpen(context: AgentContext): Promise<number> {
  const row = await context.store.db
    .selectFrom('outbox_batch')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('leg', 'in', [...OPEN_LEGS])
    .executeTakeFirst()
  return row?.n ?? 0
}

/** Reads all sources in turn; one that cannot be reached is noted and the others go on. */
async function readAll(
  build: Build,
  connectors: readonly SourceConnector[],
  patients: readonly PatientKey[],
  signal: AbortSignal,
): Promise<void> {
  for (const connector of connectors) {
    try {
      for await (const event of connector.fetchPatients(patients, signal))
        await build.take(event, connector.id)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      build.report.faults.push({ code: error.refusal.code, place: connector.id })
    }
  }
  await build.finish()
}

/**
 * Reads every patient afresh whose gate is open and who has something to read, and queues what changed, sealed; calls
 * `queued` for each batch, which may leave while the next is still being read. Ends
 * early when the disk or the outbox is full; whoever was not finished is read again next time.
 */
export async function buildBatches(
  context: AgentContext,
  connectors: readonly SourceConnector[],
  options: { patients?: number; from?: Wanted | null; signal?: AbortSignal; queued?: () => void } = {},
): Promise<BuildReport> {
  const signal = options.signal ?? new AbortController().signal
  const question = await openGate(context.store.db, context)
  const found = await openPatients(
    context,
    question,
    options.from ?? null,
    options.patients ?? PATIENTS_PER_BUILD,
  )
  const build = new Build(
    context,
    question,
    [...found.open.values()].map((o) => o.decision),
    options.queued ?? (() => {}),
  )
  const { report } = build
  report.closed = found.closed
  report.next = found.next
  if (found.open.size === 0) return report
  if ((await countOpen(context)) >= OPEN_BATCHES_MAX) return { ...report, paused: 'OUTBOX_FULL', next: null }
  try {
    await readAll(build, connectors, [...found.open.keys()], signal)
    await context.store.bookkeep(async (tx) => {
      for (const { wanted } of found.open.values())
        if (build.finished(wanted.patient, connectors.length)) await clearToRead(tx, wanted)
    })
    report.patients = found.open.size
  } catch (error) {
    if (!isDiskFull(error)) throw error
    context.log('outbox.paused', { code: 'DISK_FULL' })
    report.paused = 'DISK_FULL'
    report.next = null
  }
  return report
}
