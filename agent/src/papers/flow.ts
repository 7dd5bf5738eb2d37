import { localNumberOf, type NoticeId, type PatientKey } from '@kakehashi/protocol/ids'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { Refused } from '@kakehashi/protocol/refusals'
import type { RecipientRole } from '@kakehashi/protocol/rules/state'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import { aboutPatient, type AgentContext } from '../context.ts'
import { isProtected, patientStateOf } from '../register/read.ts'
import type { Register } from '../register/register.ts'
import { paperNumber } from './rules.ts'
import { keepPaper, liesReady, movePaper, papersOfRun, readPaper, type PrintedPaper } from './store.ts'
import type { Published } from './texts.ts'

/** Sheets printed at one go: what a browser prints and a person can hold against its list. */
export const SHEETS_MAX = 500

/** Everything a sheet needs to be set; `token` exists here and on the paper, nowhere else. */
export interface Sheet {
  paper: string
  patient: PatientKey
  token: string
  language: NoticeLanguage
  text: string
  version: number
}

/** Why no sheet is printed for somebody. */
export type NoSheet =
  | 'unknown'
  | 'deceased'
  | 'stopped'
  | 'notified'
  | 'protected'
  | 'twice'
  | 'address'
  | 'printed'

export interface PrintReport {
  run: string
  sheets: Sheet[]
  /** By the number that was asked for, so that a person can hold it against the list. */
  left: { number: string; why: NoSheet }[]
}

export interface PrintAsked {
  patients: readonly { number: string; patient: PatientKey | null }[]
  published: Published
  language: NoticeLanguage
  kind: 'notice' | 'letter'
  by: string
  /** Also for people who were notified of this version already. */
  repeat?: boolean
}

/** Prints in advance: each token is bound to its person now, so that a stop on it is honoured from now on. */
export async function printPapers(context: AgentContext, asked: PrintAsked): Promise<PrintReport> {
  if (asked.patients.length > SHEETS_MAX)
    throw new Refused('REQUEST_MALFORMED', '一度に印刷できるのは500人までです')
  const text = asked.published.texts.get(asked.language)
  if (text === undefined) throw new Refused('NOT_FOUND', '通知書の文面')
  const report: PrintReport = { run: context.env.id(), sheets: [], left: [] }
  const seen = new Set<PatientKey>()
  for (const { number, patient } of asked.patients) {
    const why = await noSheet(context, patient, seen, asked)
    if (patient === null || why !== null) {
      report.left.push({ number, why: why ?? 'unknown' })
      continue
    }
    seen.add(patient)
    const paper = paperNumber(context.env.random(8))
    const { version } = asked.published.template
    const token = newStopToken(context.env)
    report.sheets.push({ paper, patient, token, language: asked.language, text, version })
  }
  if (report.sheets.length === 0) return report
  const { template } = asked.published
  await context.store.transact(
    {
      act: 'papers.printed',
      actor: asked.by,
      detail: { run: report.run, kind: asked.kind, sheets: report.sheets.length, version: template.version },
    },
    async (tx) => {
      for (const sheet of report.sheets)
        await keepPaper(tx, {
          paper: sheet.paper,
          handle: handleOf(sheet.token),
          patient: sheet.patient,
          kind: asked.kind,
          track: template.track,
          version: template.version,
          hash: sha256Hex(sheet.text),
          language: sheet.language,
          run: report.run,
          printedAt: context.env.now(),
          by: asked.by,
        })
    },
  )
  return report
}

async function noSheet(
  context: AgentContext,
  patient: PatientKey | null,
  seen: ReadonlySet<PatientKey>,
  asked: PrintAsked,
): Promise<NoSheet | null> {
  if (patient === null) return 'unknown'
  if (seen.has(patient)) return 'twice'
  const { db } = context.store
  const state = await patientStateOf(db, patient)
  if (state.deceasedOn !== null) return 'deceased'
  // a notice would not clear the stop, and the person asked to be left alone (LAW trap 29)
  if (state.stops.some((s) => s.standing === 'confirmed' || s.standing === 'provisional')) return 'stopped'
  if (asked.kind === 'letter' && (await isProtected(db, patient))) return 'protected'
  const { track, version } = asked.published.template
  const notified = state.notices.some(
    (n) => n.track === track && n.templateVersion >= version && n.standing === 'effective',
  )
  if (asked.repeat === true) return null
  if (notified) return 'notified'
  return (await liesReady(db, patient, asked.kind, version)) ? 'printed' : null
}

async function ready(context: AgentContext, paper: string): Promise<PrintedPaper> {
  const found = await readPaper(context.store.db, paper)
  if (!found) throw new Refused('NOT_FOUND', '用紙')
  if (found.state !== 'printed') throw new Refused('NOT_ALLOWED', '用紙はもう使われています')
  return found
}

/** The sheet is in the person's hand, or the letter in the post: the notice carries the sheet's own handle. */
export async function handOverPaper(
  { context, register }: { context: AgentContext; register: Pick<Register, 'recordNotice'> },
  asked: { paper: string; by: string; recipients?: readonly RecipientRole[]; method?: 'handed' | 'post' },
): Promise<{ notices: NoticeId[]; patient: PatientKey }> {
  const found = await ready(context, asked.paper)
  const { notices } = await register.recordNotice({
    patient: found.patient,
    by: asked.by,
    recipients: asked.recipients ?? ['person'],
    method: asked.method ?? 'handed',
    templateVersion: found.version,
    language: found.language,
    handle: found.handle,
    evidence: found.paper,
  })
  await context.store.bookkeep((tx) =>
    movePaper(tx, found.paper, {
      state: asked.method === 'post' ? 'posted' : 'handed',
      notices,
      by: asked.by,
      now: context.env.now(),
    }),
  )
  return { notices, patient: found.patient }
}

/** A misprint, or a sheet that nobody fetched: its number is nobody's from now on. */
export async function voidPaper(context: AgentContext, asked: { paper: string; by: string }): Promise<void> {
  const found = await ready(context, asked.paper)
  await context.store.transact(
    (done) =>
      done
        ? {
            act: 'paper.voided',
            actor: asked.by,
            about: aboutPatient(context, found.patient),
            detail: { paper: found.paper },
          }
        : null,
    (tx) => movePaper(tx, found.paper, { state: 'voided', by: asked.by, now: context.env.now() }),
  )
}

/** Every sheet of a run that still lies ready. */
export async function voidRun(context: AgentContext, asked: { run: string; by: string }): Promise<number> {
  const ready = (await papersOfRun(context.store.db, asked.run)).filter((one) => one.state === 'printed')
  if (ready.length === 0) return 0
  await context.store.transact(
    { act: 'papers.voided', actor: asked.by, detail: { run: asked.run, sheets: ready.length } },
    async (tx) => {
      for (const one of ready)
        await movePaper(tx, one.paper, { state: 'voided', by: asked.by, now: context.env.now() })
    },
  )
  return ready.length
}

/** The whole run went to the post. */
export async function postRun(
  parts: { context: AgentContext; register: Pick<Register, 'recordNotice'> },
  asked: { run: string; by: string },
): Promise<number> {
  let posted = 0
  for (const one of await papersOfRun(parts.context.store.db, asked.run)) {
    if (one.state !== 'printed' || one.kind !== 'letter') continue
    await handOverPaper(parts, { paper: one.paper, by: asked.by, method: 'post' })
    posted += 1
  }
  return posted
}

export function numberOf(sheet: Sheet): string {
  return localNumberOf(sheet.patient)
}
