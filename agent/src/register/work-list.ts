import type { PatientEvent } from '@kakehashi/protocol/events'
import { parsePatientKey, type PatientKey } from '@kakehashi/protocol/ids'
import { addDays, birthdayAt, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { foldPatient } from '@kakehashi/protocol/rules/fold'
import type { GateState, LocalDate, PatientState, Track } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { owedOf, type Owed } from './owed.ts'
import { chartsOf, eventsOf, gateCommonsOf, type RegisterReader } from './read.ts'

const ROWS_PER_READ = 4000

interface Folded {
  patient: PatientKey
  state: PatientState
  events: readonly PatientEvent[]
}

/** Charts that were ever linked with another one: their events are read together. */
async function linkedCharts(db: RegisterReader): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('register_event')
    .select(['patient', 'other'])
    .where('other', 'is not', null)
    .execute()
  return new Set(rows.flatMap((row) => [row.patient ?? '', row.other ?? '']))
}

/**
 * Everybody in the register by chart number, from `after` on, in reads of bounded size: a hospital's hundred thousand
 * never lie in memory together.
 */
export async function* everybody(db: RegisterReader, after = ''): AsyncGenerator<Folded> {
  const linked = await linkedCharts(db)
  for (let from = after; ;) {
    const rows = await db
      .selectFrom('register_event')
      .select(['patient', 'body'])
      .where('patient', '>', from)
      .orderBy('patient')
      .orderBy('seq')
      .limit(ROWS_PER_READ)
      .execute()
    const groups = new Map<string, string[]>()
    for (const { patient, body } of rows)
      if (patient !== null) groups.set(patient, [...(groups.get(patient) ?? []), body])
    const charts = [...groups.keys()]
    const whole = rows.length < ROWS_PER_READ
    // the last chart of a full read may go on in the next
    if (!whole && charts.length > 1) charts.pop()
    for (const chart of charts) {
      const patient = parsePatientKey(chart)
      const complete = whole || groups.size > 1
      const events =
        linked.has(chart) || !complete
          ? await eventsOf(db, await chartsOf(db, patient))
          : (groups.get(chart) ?? []).map((body) => JSON.parse(body) as PatientEvent)
      yield { patient, state: foldPatient(patient, events), events }
    }
    from = charts.at(-1) ?? from
    if (whole) return
  }
}

export interface OwedLine {
  patient: PatientKey
  owed: Owed[]
  /** Capacity was judged absent and is to be asked again. */
  askCapacity: boolean
  /** 支援措置: no letter to the chart's address. */
  noLetter: boolean
}

/** Who is owed a notice on this track, and why, as a stream. `after`: go on behind this chart. */
export async function* owedNotices(
  context: AgentContext,
  asked: { track?: Track; after?: PatientKey | null } = {},
): AsyncGenerator<OwedLine & { examined: PatientKey }> {
  const { db } = context.store
  const commons = await gateCommonsOf(db, context.facility, context.hub.operator)
  if (!commons.facility) return
  const now = context.env.now()
  const rules = context.rulesAt(now)
  const today = tokyoDate(now)
  for await (const { patient, state, events } of everybody(db, asked.after ?? '')) {
    const gate: GateState = { ...commons, facility: commons.facility, patient: state }
    const owed = owedOf(gate, asked.track ?? context.track, rules, now)
    const askCapacity = state.capacity === 'unable' && dueAgain(events, today)
    yield { patient, owed, askCapacity, noLetter: protectedBy(events), examined: patient }
  }
}

export interface OwedPage {
  lines: OwedLine[]
  /** `null`: that was everybody. */
  next: PatientKey | null
  examined: number
}

/** One page of the work list: at most so many lines, found among at most so many charts, so that it answers soon. */
export async function owedPage(
  context: AgentContext,
  asked: {
    track?: Track
    after?: PatientKey | null
    why?: Owed['why'] | 'ask-capacity'
    limit?: number
    examine?: number
  } = {},
): Promise<OwedPage> {
  const { why, limit = 50, examine = 1000 } = asked
  const lines: OwedLine[] = []
  let examined = 0
  let last: PatientKey | null = null
  for await (const { examined: patient, ...line } of owedNotices(context, asked)) {
    examined += 1
    last = patient
    if (wanted(line, why)) lines.push(line)
    if (lines.length >= limit || examined >= examine) return { lines, next: last, examined }
  }
  return { lines, next: null, examined }
}

function wanted(line: OwedLine, why: Owed['why'] | 'ask-capacity' | undefined): boolean {
  if (why === 'ask-capacity') return line.askCapacity
  return why === undefined ? line.owed.length > 0 : line.owed.some((one) => one.why === why)
}

/** How many people are owed what, and how many of them too late; reads everybody once. */
export async function owedCounts(
  context: AgentContext,
  track: Track = context.track,
): Promise<{
  people: number
  overdue: number
  askCapacity: number
  by: Partial<Record<Owed['why'], number>>
}> {
  const counts = { people: 0, overdue: 0, askCapacity: 0, by: {} as Partial<Record<Owed['why'], number>> }
  for await (const { owed, askCapacity } of owedNotices(context, { track })) {
    if (askCapacity) counts.askCapacity += 1
    if (owed.length === 0) continue
    counts.people += 1
    if (owed.some((one) => one.overdue)) counts.overdue += 1
    for (const why of new Set(owed.map((one) => one.why))) counts.by[why] = (counts.by[why] ?? 0) + 1
  }
  return counts
}

/** Children who turn 16 within so many days: their own notice can be prepared. */
export async function turningSixteen(context: AgentContext, days = 31): Promise<PatientKey[]> {
  const now = context.env.now()
  const { ownNoticeAge } = context.rulesAt(now)
  const today = tokyoDate(now)
  const rows = await context.store.db
    .selectFrom('patient_index')
    .select(['patient', 'birth_date'])
    .where('birth_date', '>', birthdayAt(today, -ownNoticeAge))
    .where('birth_date', '<=', birthdayAt(addDays(today, days), -ownNoticeAge))
    .where('deceased_on', 'is', null)
    .orderBy('birth_date')
    .limit(5000)
    .execute()
  return rows.map((row) => parsePatientKey(row.patient))
}

function dueAgain(events: readonly PatientEvent[], today: LocalDate): boolean {
  const last = events.findLast((event) => event.type === 'capacity-judged')
  return last?.askAgainOn === undefined || last.askAgainOn === null || last.askAgainOn <= today
}

function protectedBy(events: readonly PatientEvent[]): boolean {
  const last = new Map<PatientKey, boolean>()
  for (const event of events) if (event.type === 'protection-set') last.set(event.patient, event.protected)
  return [...last.values()].includes(true)
}
