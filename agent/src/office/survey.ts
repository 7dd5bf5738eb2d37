import { setImmediate as turn } from 'node:timers/promises'
import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { FacilityState, GateState, OperatorState } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { owedOf, type Owed } from '../register/owed.ts'
import { eventsOf, chartsOf, gateCommonsOf, type GateCommons } from '../register/read.ts'
import { everybody } from '../register/work-list.ts'
import { foldPatient } from '@kakehashi/protocol/rules/fold'
import { isDueAgain, takesNoLetter, listsOf, standingOf, type ListName, type Standing } from './lists.ts'

/** One pass over everybody. It serves the work lists only: the gate asks anew at every step, always. */
export interface Survey {
  at: Instant
  /** The register's newest event when it began. */
  seq: number
  people: number
  codes: ReadonlyMap<RefusalCode | 'open', number>
  lists: ReadonlyMap<ListName, readonly PatientKey[]>
}

export interface SurveyLine extends Standing {
  patient: PatientKey
  owed: Owed[]
  lists: ListName[]
}

const PEOPLE_PER_TURN = 200
/** Older than this it is taken anew when somebody looks. */
const AGE_MS_MAX = 10 * 60_000
/** While somebody waits for the first one. */
const TURNS_WAITED_MAX = 200

/** Keeps the last survey in memory and takes the next in the background, a few people at a time. */
export class Surveyor {
  readonly #context: AgentContext
  #last: Survey | null = null
  #running: Promise<void> | null = null
  constructor(context: AgentContext) {
    this.#context = context
  }

  /** The last one, soon; `null` while the first is still under way. A stale one is shown and the next begun. */
  async current(): Promise<Survey | null> {
    const seq = await newestSeq(this.#context)
    const now = this.#context.env.now()
    const fresh =
      this.#last !== null &&
      this.#last.seq === seq &&
      tokyoDate(this.#last.at) === tokyoDate(now) &&
      now - this.#last.at < AGE_MS_MAX
    if (!fresh) this.begin()
    for (let i = 0; i < TURNS_WAITED_MAX && this.#running !== null; i++) await turn()
    return this.#last
  }

  begin(): void {
    this.#running ??= this.#take().finally(() => {
      this.#running = null
    })
  }

  get counting(): boolean {
    return this.#running !== null
  }

  async #take(): Promise<void> {
    try {
      this.#last = await takeSurvey(this.#context)
    } catch {
      this.#context.log('office.survey-failed')
    }
  }
}

async function newestSeq({ store }: AgentContext): Promise<number> {
  const row = await store.db
    .selectFrom('register_event')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  return row?.seq ?? 0
}

export async function takeSurvey(context: AgentContext): Promise<Survey> {
  const { db } = context.store
  const seq = await newestSeq(context)
  const about = await surveyCommons(context)
  const codes = new Map<RefusalCode | 'open', number>()
  const lists = new Map<ListName, PatientKey[]>()
  let people = 0
  for await (const { patient, state, events } of everybody(db)) {
    people += 1
    if (people % PEOPLE_PER_TURN === 0) await turn()
    const line = about.lineOf(patient, state, isDueAgain(events, about.today))
    const code = line.code ?? 'open'
    codes.set(code, (codes.get(code) ?? 0) + 1)
    for (const list of line.lists) {
      const on = lists.get(list)
      if (on) on.push(patient)
      else lists.set(list, [patient])
    }
  }
  return { at: about.now, seq, people, codes, lists }
}

export interface SurveyCommons {
  now: Instant
  today: string
  /** What closes the gate for everybody now, whoever it is about. */
  closed: RefusalCode | null
  lineOf(patient: PatientKey, state: GateState['patient'], askCapacity: boolean): SurveyLine
}

/**
 * People are judged as if the operator's status were fresh: what concerns everybody is said once, at the top, and must
 * not hide why each of them stands where they stand.
 */
export async function surveyCommons(context: AgentContext): Promise<SurveyCommons> {
  const commons = await gateCommonsOf(context.store.db, context.facility, context.hub.operator)
  const now = context.env.now()
  const rules = context.rulesAt(now)
  const { facility, track } = { facility: commons.facility, track: context.track }
  const operator: OperatorState = {
    operator: commons.operator.operator,
    tracks: [track],
    standing: 'certified',
    asOf: now,
  }
  return {
    now,
    today: tokyoDate(now),
    closed: facility === null ? 'NOT_FILED' : closedForAll(context, commons, facility, now),
    lineOf(patient, state, askCapacity) {
      if (facility === null) return { patient, code: 'NOT_FILED', earliest: null, owed: [], lists: [] }
      const gate: GateState = { facility, operator, latestSeen: now, patient: state }
      const standing = standingOf(context.decide, gate, track, { rules, now })
      const owed = owedOf(gate, track, rules, now)
      return { patient, ...standing, owed, lists: listsOf(standing, owed, askCapacity) }
    },
  }
}

/** Somebody to whom nothing stands in the way, asked of the real gate: whatever still denies concerns everybody. */
function closedForAll(
  context: AgentContext,
  commons: GateCommons,
  facility: FacilityState,
  now: Instant,
): RefusalCode | null {
  const patient = foldPatient(`${context.facility}/somebody` as PatientKey, [])
  const gate: GateState = { facility, operator: commons.operator, latestSeen: commons.latestSeen, patient }
  const answer = context.decide(gate, { track: context.track, item: 'identity' }, context.rulesAt(now), now)
  return answer.allow || answer.code === 'AGE_UNKNOWN' ? null : answer.code
}

/** One person as they stand this minute, for a row that is being shown. */
export async function lineNow(
  context: AgentContext,
  commons: SurveyCommons,
  patient: PatientKey,
): Promise<SurveyLine & { noLetter: boolean }> {
  const { db } = context.store
  const events = await eventsOf(db, await chartsOf(db, patient))
  const line = commons.lineOf(patient, foldPatient(patient, events), isDueAgain(events, commons.today))
  return { ...line, noLetter: takesNoLetter(events) }
}
