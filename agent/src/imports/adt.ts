import type { RecipientRole } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { facilityStateOf } from '../register/read.ts'
import { decodeMessage } from './encoding.ts'
import {
  deliveredAt,
  entryName,
  patientOfNumber,
  take,
  takeBack,
  templateThen,
  type HandOver,
  type ImportParts,
  type Run,
} from './hand-over.ts'
import { firstAt, holds, messagesOf, readMessage, type Hl7Message } from './hl7.ts'
import { meaning, WORDS, type Mapping } from './mapping.ts'
import { momentOfHl7 } from './moment.ts'
import { startRun } from './notices.ts'
import { LineRefused, type LineReason } from './reasons.ts'
import { entriesOfVisit, keepCancelledVisit, visitCancelledAt } from './store.ts'

export type AdtOutcome =
  | { t: 'recorded' | 'confirmed' | 'known' | 'cancelled' | 'other' }
  | { t: 'refused'; reason: LineReason }

/** Takes ADT messages one by one; one run per file, or per sitting of a listener. */
export class AdtImport {
  readonly #parts: ImportParts
  readonly #mapping: Mapping
  readonly #by: string
  readonly #digest: string
  #run: Run | null = null

  constructor(parts: ImportParts, asked: { mapping: Mapping; by: string; digest: string }) {
    this.#parts = parts
    this.#mapping = asked.mapping
    this.#by = asked.by
    this.#digest = asked.digest
  }

  /** What became of it. Only a trouble that concerns everything, such as a full disk, is thrown. */
  async take(text: string, line: number, options: { dryRun?: boolean } = {}): Promise<AdtOutcome> {
    try {
      return await this.#take(text, line, options.dryRun === true)
    } catch (error) {
      if (error instanceof LineRefused) return { t: 'refused', reason: error.reason }
      throw error
    }
  }

  async #take(text: string, line: number, dryRun: boolean): Promise<AdtOutcome> {
    const message = readMessage(text)
    if (!message) throw new LineRefused('MESSAGE_MALFORMED')
    const { adt } = this.#mapping
    const event = firstAt(message, 'MSH-9.2') || firstAt(message, 'EVN-1')
    if (firstAt(message, 'MSH-9.1') !== 'ADT') throw new LineRefused('NOT_ADT')
    if (adt.cancels.includes(event)) return this.#cancel(message, dryRun)
    if (!adt.events.includes(event) || !holds(message, adt.notice)) return { t: 'other' }
    return this.#notice(message, line, dryRun)
  }

  async #notice(message: Hl7Message, line: number, dryRun: boolean): Promise<AdtOutcome> {
    const { context } = this.#parts
    const told = await this.#told(message)
    if (dryRun) {
      if (told.visit !== null && (await visitCancelledAt(context.store.db, told.visit)) !== null)
        throw new LineRefused('VISIT_CANCELLED')
      return { t: 'recorded' }
    }
    const { verdict } = await take(this.#parts, told, { run: await this.#started(), line })
    return { t: verdict === 'new' ? 'recorded' : verdict === 'confirm' ? 'confirmed' : 'known' }
  }

  async #told(message: Hl7Message): Promise<HandOver> {
    const { context } = this.#parts
    const { adt, source } = this.#mapping
    const number = firstAt(message, adt.patient).normalize('NFKC')
    if (number === '') throw new LineRefused('PATIENT_EMPTY')
    if (!/^[A-Za-z0-9._:-]{1,64}$/.test(number)) throw new LineRefused('PATIENT_MALFORMED')
    const { patient, deceasedOn } = await patientOfNumber(context, number)
    if (deceasedOn !== null) throw new LineRefused('DIED_BEFORE')
    const told = momentOfHl7(firstAt(message, adt.at) || firstAt(message, 'MSH-7'))
    if (told === null) throw new LineRefused('DATE_UNREADABLE')
    const method = adt.handed ? 'handed' : 'kiosk'
    const at = deliveredAt(context, { at: told, wholeDay: false, method })
    const facility = await facilityStateOf(context.store.db, context.facility)
    const visit = visitOf(message, adt.visit)
    const staff = adt.staff === null ? '' : firstAt(message, adt.staff)
    return {
      entry:
        visit === null
          ? entryName(['adt', source, firstAt(message, 'MSH-3'), firstAt(message, 'MSH-10'), patient])
          : entryName(['visit', visit, patient]),
      patient,
      at,
      recipients: this.#recipients(message),
      relation: null,
      method,
      by: /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(staff) ? staff : source,
      confirmedBy: null,
      visit,
      template: templateThen(facility?.templates ?? [], context.track, at, null),
      paper: null,
    }
  }

  #recipients(message: Hl7Message): readonly RecipientRole[] {
    const { adt, csv } = this.#mapping
    const told = adt.recipient === null ? '' : firstAt(message, adt.recipient)
    if (told === '') return ['person']
    const who = meaning(told, WORDS.recipient, csv.recipient)
    if (who === null) throw new LineRefused('RECIPIENT_UNKNOWN')
    return who === 'both' ? ['person', 'guardian'] : [who]
  }

  /** The visit is cancelled: what was printed for it does not count, unless staff saw it handed over (LAW trap 8). */
  async #cancel(message: Hl7Message, dryRun: boolean): Promise<AdtOutcome> {
    const { context } = this.#parts
    const visit = visitOf(message, this.#mapping.adt.visit)
    if (visit === null) throw new LineRefused('ID_MALFORMED')
    const { db } = context.store
    if ((await visitCancelledAt(db, visit)) !== null) return { t: 'known' }
    if (dryRun) return { t: 'cancelled' }
    await this.#started()
    for (const entry of await entriesOfVisit(db, visit))
      await takeBack(this.#parts, entry, this.#mapping.source, {
        reason: 'visit-cancelled',
        state: 'voided',
        sparing: true,
      })
    await context.store.bookkeep((tx) => keepCancelledVisit(tx, visit, context.env.now()))
    return { t: 'cancelled' }
  }

  async #started(): Promise<Run> {
    if (this.#run) return this.#run
    const run = this.#parts.context.env.id()
    const facts = { run, kind: 'adt' as const, source: this.#mapping.source, digest: this.#digest }
    await startRun(this.#parts, { ...facts, by: this.#by, approvedBy: null })
    this.#run = { run, approvedBy: null, again: false }
    return this.#run
  }

  get run(): string | null {
    return this.#run?.run ?? null
  }
}

function visitOf(message: Hl7Message, place: string): string | null {
  const visit = firstAt(message, place).normalize('NFKC')
  return /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/.test(visit) ? visit : null
}

export interface AdtReport {
  run: string | null
  messages: number
  recorded: number
  confirmed: number
  cancelled: number
  known: number
  /** Not about notices. */
  other: number
  refused: { line: number; reason: LineReason }[]
}

/** Every message of a file. A bulk of bytes in no known encoding is one refused message. */
export async function importAdt(
  parts: ImportParts,
  asked: { bytes: Uint8Array; mapping: Mapping; by: string; dryRun?: boolean },
): Promise<AdtReport> {
  const report: AdtReport = {
    run: null,
    messages: 0,
    recorded: 0,
    confirmed: 0,
    cancelled: 0,
    known: 0,
    other: 0,
    refused: [],
  }
  const text = decodeMessage(asked.bytes)
  if (text === null) {
    report.messages = 1
    report.refused.push({ line: 1, reason: 'MESSAGE_MALFORMED' })
    return report
  }
  const one = new AdtImport(parts, { ...asked, digest: sha256Hex(asked.bytes) })
  for (const message of messagesOf(text)) {
    report.messages += 1
    const outcome = await one.take(message.text, message.line, { dryRun: asked.dryRun === true })
    if (outcome.t === 'refused') report.refused.push({ line: message.line, reason: outcome.reason })
    else report[outcome.t] += 1
  }
  report.run = one.run
  return report
}
