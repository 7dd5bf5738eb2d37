import type { Instant } from '@kakehashi/protocol/env'
import type { OperatorId, PatientKey } from '@kakehashi/protocol/ids'
import type { SourceRecord } from '@kakehashi/protocol/records'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { Decision } from '@kakehashi/protocol/rules/decide'
import {
  ITEM_CLASSES,
  type GateState,
  type ItemClass,
  type LocalDate,
  type StopFact,
  type Track,
} from '@kakehashi/protocol/rules/state'
import { inStopPeriod } from '@kakehashi/protocol/rules/stop-period'
import type { AgentContext } from '../context.ts'
import { gateCommonsOf, gateStateOf, type GateCommons, type RegisterReader } from '../register/read.ts'

/** What the gate says about one patient now, item class by item class. Never kept: asked again at every step. */
export interface PatientDecision {
  patient: PatientKey
  /** The evidence, when anything is allowed. */
  state: GateState | null
  items: ReadonlyMap<ItemClass, Decision>
  allowed: boolean
  /** Why nothing of this patient goes. */
  code: RefusalCode | null
  earliest: LocalDate | null
  ruleVersion: string
}

export interface GateQuestion {
  now: Instant
  operator: OperatorId
  track: Track
  commons: GateCommons
}

/** Reads what is common to all patients once; the answer is good for the transaction it was read in. */
export async function openGate(
  db: RegisterReader,
  context: AgentContext,
  operator: OperatorId = context.hub.operator,
  track: Track = context.track,
): Promise<GateQuestion> {
  return {
    now: context.env.now(),
    operator,
    track,
    commons: await gateCommonsOf(db, context.facility, operator),
  }
}

export async function decidePatient(
  db: RegisterReader,
  context: AgentContext,
  patient: PatientKey,
  question: GateQuestion,
): Promise<PatientDecision> {
  const rules = context.rulesAt(question.now)
  const closed = (code: RefusalCode): PatientDecision => ({
    patient,
    state: null,
    items: new Map(),
    allowed: false,
    code,
    earliest: null,
    ruleVersion: rules.version,
  })
  if (question.commons.shut) return closed(question.commons.shut)
  if (question.commons.isErased(patient)) return closed('ERASED')
  let state: GateState | null
  try {
    state = await gateStateOf(db, patient, question.commons)
  } catch {
    return closed('STATE_UNREADABLE')
  }
  if (!state) return closed('NOT_FILED')
  const items = new Map<ItemClass, Decision>()
  for (const item of ITEM_CLASSES)
    items.set(item, context.decide(state, { track: question.track, item }, rules, question.now))
  const answers = [...items.values()]
  const open = answers.find((d) => d.allow)
  const denial = answers.find((d) => !d.allow && d.code === 'WAITING') ?? answers.find((d) => !d.allow)
  return {
    patient,
    state,
    items,
    allowed: open !== undefined,
    code: open || !denial || denial.allow ? null : denial.code,
    earliest: (open ?? denial)?.earliest ?? null,
    ruleVersion: rules.version,
  }
}

/** The gate's question about one record, beside those about its patients: is it dated inside a stop since withdrawn? */
export function datedInStop(
  stops: readonly StopFact[],
  record: SourceRecord,
  { track, operator }: GateQuestion,
): boolean {
  return inStopPeriod(record, stops, track, operator)
}
