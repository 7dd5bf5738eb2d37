import { canonicalBytes } from '@kakehashi/protocol/canonical'
import type { Instant } from '@kakehashi/protocol/env'
import type { NoticeGiven } from '@kakehashi/protocol/events'
import type { NoticeId, PatientKey } from '@kakehashi/protocol/ids'
import { Refused, type RefusalCode } from '@kakehashi/protocol/refusals'
import { addDays, startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { NoticeMethod, RecipientRole, TemplateFact } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { AgentContext } from '../context.ts'
import { numberKey } from '../patients/words.ts'
import { eventsOf, patientStateOf } from '../register/read.ts'
import type { Register } from '../register/register.ts'
import { movePaper, readPaper, type PrintedPaper } from '../papers/store.ts'
import { readPaperNumber } from '../papers/rules.ts'
import { LineRefused } from './reasons.ts'
import { keepEntry, readEntry, settleEntry, visitCancelledAt, type Entry, type EntryState } from './store.ts'

/** The verbs of the register that imports use, and no others. */
export type NoticeVerbs = Pick<Register, 'recordNotice' | 'confirmNotice' | 'voidNotice'>

export interface ImportParts {
  context: AgentContext
  register: NoticeVerbs
}

/** One hand-over as a file or message tells of it, once the patient is known. */
export interface HandOver {
  entry: string
  patient: PatientKey
  at: Instant
  recipients: readonly RecipientRole[]
  relation: string | null
  method: NoticeMethod
  by: string
  /** Who saw the paper of a machine in the patient's hand. */
  confirmedBy: string | null
  visit: string | null
  template: TemplateFact
  /** The sheet, printed in advance, that was handed over. */
  paper: PrintedPaper | null
}

export interface Run {
  run: string
  approvedBy: string | null
  again: boolean
}

/** A clock of another machine may run ahead by this much. */
const AHEAD_MS_MAX = 2 * 60_000

/** The same hand-over has the same name in every file that tells of it. */
export function entryName(parts: readonly (string | number)[]): string {
  return sha256Hex(canonicalBytes(parts)).slice(0, 40)
}

/** The one patient with this number, leading zeros aside. Throws {@link LineRefused}. */
export async function patientOfNumber(
  context: AgentContext,
  number: string,
): Promise<{ patient: PatientKey; deceasedOn: string | null }> {
  const rows = await context.store.db
    .selectFrom('patient_index')
    .select(['patient', 'number', 'deceased_on'])
    .where('number_key', '=', numberKey(number))
    .limit(8)
    .execute()
  const exact = rows.filter((row) => row.number === number)
  const [row, other] = exact.length > 0 ? exact : rows
  if (!row) throw new LineRefused('PATIENT_UNKNOWN')
  if (other) throw new LineRefused('PATIENT_AMBIGUOUS')
  return { patient: row.patient as PatientKey, deceasedOn: row.deceased_on }
}

/** When it counts from; a day without a time is taken as its end, posting as assumed arrival. */
export function deliveredAt(
  context: AgentContext,
  told: { at: Instant; wholeDay: boolean; method: NoticeMethod },
): Instant {
  const now = context.env.now()
  const day = tokyoDate(told.at)
  if (told.at > now + AHEAD_MS_MAX) throw new LineRefused('DATE_FUTURE')
  if (told.method === 'post') return startOfDay(addDays(day, context.rulesAt(now).postArrivalDays))
  const at = told.wholeDay ? startOfDay(addDays(day, 1)) - 1000 : told.at
  return Math.min(at, now)
}

/** The text that was being handed out then. Throws {@link LineRefused}. */
export function templateThen(
  templates: readonly TemplateFact[],
  track: string,
  at: Instant,
  version: number | null,
): TemplateFact {
  const own = templates.filter((t) => t.track === track && (version === null || t.version === version))
  if (own.length === 0) throw new LineRefused(version === null ? 'BEFORE_PUBLICATION' : 'VERSION_UNKNOWN')
  const then = own.filter((t) => t.publishedAt <= at).toSorted((a, b) => b.version - a.version)[0]
  if (!then) throw new LineRefused('BEFORE_PUBLICATION')
  return then
}

export type Verdict = 'new' | 'known' | 'confirm'

/** What taking it would do; changes nothing. Throws {@link LineRefused}. */
export async function judge({ context }: ImportParts, told: HandOver, again: boolean): Promise<Verdict> {
  const { db } = context.store
  if (told.visit !== null && (await visitCancelledAt(db, told.visit)) !== null)
    throw new LineRefused('VISIT_CANCELLED')
  const known = await readEntry(db, told.entry)
  if (!known || known.state === 'intended') return 'new'
  if (known.state === 'undone') {
    if (again) return 'new'
    throw new LineRefused('UNDONE_BEFORE')
  }
  if (known.state === 'voided') return 'known'
  const seen = told.confirmedBy !== null || told.method === 'handed'
  return seen && (await pending(context, known)).length > 0 ? 'confirm' : 'known'
}

async function standings(context: AgentContext, entry: Entry): Promise<Map<NoticeId, string>> {
  const { notices } = await patientStateOf(context.store.db, entry.patient)
  return new Map(notices.map((one) => [one.notice, one.standing]))
}

async function pending(context: AgentContext, entry: Entry): Promise<NoticeId[]> {
  const standing = await standings(context, entry)
  return entry.notices.filter((notice) => standing.get(notice) === 'pending')
}

export interface Taken {
  verdict: Verdict
  /** False: the day is past and nobody approved it, so that it counts from now. */
  datedAsAsked: boolean
}

/**
 * Records it, once: the entry is written before the register is asked, and carries the evidence by which an interrupted
 * run finds what it had done. Throws {@link LineRefused}.
 */
export async function take(
  parts: ImportParts,
  told: HandOver,
  at: { run: Run; line: number },
): Promise<Taken> {
  const { context, register } = parts
  const verdict = await judge(parts, told, at.run.again)
  if (verdict === 'known') return { verdict, datedAsAsked: true }
  if (verdict === 'confirm') {
    const known = await readEntry(context.store.db, told.entry)
    if (known) await confirmAll(parts, known, told, at.run.run)
    return { verdict, datedAsAsked: true }
  }
  const found = await alreadyRecorded(context, told)
  if (found.length > 0) {
    await settle(parts, told.entry, 'recorded', { notices: found })
    return { verdict, datedAsAsked: true }
  }
  const evidence = evidenceOf(told, at.run)
  await context.store.bookkeep((tx) =>
    keepEntry(
      tx,
      {
        entry: told.entry,
        run: at.run.run,
        line: at.line,
        patient: told.patient,
        visit: told.visit,
        notices: [],
        state: 'intended',
      },
      context.env.now(),
    ),
  )
  const done = await asking(() =>
    register.recordNotice({
      patient: told.patient,
      by: told.by,
      recipients: told.recipients,
      method: told.method,
      deliveredAt: told.at,
      templateVersion: told.template.version,
      evidence,
      ...(told.paper === null ? {} : { handle: told.paper.handle, language: told.paper.language }),
      ...(told.relation === null ? {} : { relation: told.relation }),
      ...(at.run.approvedBy === null ? {} : { approvedBy: at.run.approvedBy }),
    }),
  )
  await settle(parts, told.entry, 'recorded', { notices: done.notices })
  await useUp(context, told, done.notices)
  if (told.confirmedBy !== null)
    await confirmAll(parts, { notices: done.notices, patient: told.patient, entry: told.entry }, told, null)
  return { verdict, datedAsAsked: done.datedAsAsked }
}

/** The sheet this line says was handed over: it must lie ready for this very person. Throws {@link LineRefused}. */
export async function sheetOf(
  context: AgentContext,
  typed: string | null,
  patient: PatientKey,
): Promise<PrintedPaper | null> {
  if (typed === null) return null
  const number = readPaperNumber(typed)
  const sheet = number === null ? null : await readPaper(context.store.db, number)
  if (!sheet || sheet.state === 'voided') throw new LineRefused('PAPER_UNKNOWN')
  if (sheet.patient !== patient) throw new LineRefused('PAPER_OF_ANOTHER')
  return sheet
}

async function useUp(context: AgentContext, told: HandOver, notices: readonly NoticeId[]): Promise<void> {
  const { paper } = told
  if (paper === null) return
  const to = { state: 'handed', notices, by: told.by, now: context.env.now() } as const
  await context.store.bookkeep((tx) => movePaper(tx, paper.paper, to))
}

/** Names the hand-over and, after an undo, the run that took it anew. */
function evidenceOf(told: HandOver, run: Run): string {
  return run.again ? `import:${told.entry}:${run.run}` : `import:${told.entry}`
}

/** What a run that was cut short between register and entry left behind. */
async function alreadyRecorded(
  context: AgentContext,
  told: Pick<Entry, 'entry' | 'patient'>,
): Promise<NoticeId[]> {
  const known = await readEntry(context.store.db, told.entry)
  if (known?.state !== 'intended') return []
  const events = await eventsOf(context.store.db, [told.patient])
  return events
    .filter((event): event is NoticeGiven => event.type === 'notice-given')
    .filter((event) => event.evidence?.startsWith(`import:${told.entry}`) === true)
    .filter((event) => event.recordedAt >= 0 && !isVoid(events, event.notice))
    .map((event) => event.notice)
}

function isVoid(events: readonly { type: string; notice?: unknown }[], notice: NoticeId): boolean {
  return events.some(
    (e) => (e.type === 'notice-voided' || e.type === 'notice-returned') && e.notice === notice,
  )
}

async function confirmAll(
  parts: ImportParts,
  entry: { notices: readonly NoticeId[]; patient: PatientKey; entry: string },
  told: HandOver,
  run: string | null,
): Promise<void> {
  const standing = await standings(parts.context, entry as Entry)
  for (const notice of entry.notices)
    if (standing.get(notice) === 'pending')
      await asking(() => parts.register.confirmNotice({ notice, by: told.confirmedBy ?? told.by }))
  if (run !== null) await settle(parts, entry.entry, 'recorded', { confirmedRun: run })
}

async function settle(
  { context }: ImportParts,
  entry: string,
  state: EntryState,
  facts: { notices?: readonly NoticeId[]; confirmedRun?: string } = {},
): Promise<void> {
  await context.store.bookkeep((tx) => settleEntry(tx, entry, state, facts))
}

/** Voids what an entry recorded. `sparing`: notices that a member of staff confirmed stay. */
export async function takeBack(
  parts: ImportParts,
  entry: Entry,
  by: string,
  why: { reason: 'visit-cancelled' | 'other'; state: EntryState; sparing: boolean },
): Promise<{ voided: number; spared: number }> {
  const { context, register } = parts
  const standing = await standings(context, entry)
  const events = await eventsOf(context.store.db, [entry.patient])
  const confirmed = new Set(events.flatMap((e) => (e.type === 'notice-confirmed' ? [e.notice] : [])))
  let [voided, spared] = [0, 0]
  const notices = entry.state === 'intended' ? await alreadyRecorded(context, entry) : entry.notices
  for (const notice of notices) {
    const now = standing.get(notice)
    if (now === undefined || now === 'void') continue
    if (why.sparing && confirmed.has(notice)) {
      spared += 1
      continue
    }
    await asking(() => register.voidNotice({ notice, by, reason: why.reason }))
    voided += 1
  }
  if (spared === 0) await settle(parts, entry.entry, why.state)
  return { voided, spared }
}

const OF_EVERYTHING = new Set<RefusalCode>(['DISK_FULL', 'CLOCK_UNSURE'])

/** A refusal of the register concerns one line; a full disk or a doubtful clock concerns everything. */
async function asking<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Refused && !OF_EVERYTHING.has(error.refusal.code))
      throw new LineRefused('REGISTER_REFUSED')
    throw error
  }
}
