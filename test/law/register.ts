import type { FacilityEvent, NoticeGiven, PatientEvent, StopAsked } from '@kakehashi/protocol/events'
import {
  entityId,
  facilityId,
  filingId,
  noticeId,
  operatorId,
  patientKey,
  stopId,
  type PatientKey,
} from '@kakehashi/protocol/ids'
import { decide, type Decision } from '@kakehashi/protocol/rules/decide'
import { foldFacility, foldPatient } from '@kakehashi/protocol/rules/fold'
import { RULES, type RuleFile } from '@kakehashi/protocol/rules/rule-file'
import type { GateState, ItemClass, LocalDate, TemplateFact, Track } from '@kakehashi/protocol/rules/state'

/** Builds register events as a hospital's staff would, in Tokyo time, and asks the gate. */
export const FACILITY = facilityId('kakehashi-hp')
export const OPERATOR = operatorId('op-x')
export const OTHER_OPERATOR = operatorId('op-y')
export const CHART = patientKey(FACILITY, '0012')
export const SECOND_CHART = patientKey(FACILITY, '9912')

const [FIRST_RULES] = RULES
if (!FIRST_RULES) throw new Error('no rule file')
export const RULE_FILE: RuleFile = FIRST_RULES
export const WITHOUT_EXTENSION: RuleFile = {
  ...FIRST_RULES,
  version: `${FIRST_RULES.version}-without-extension`,
  extendOverClosedDays: false,
}

/** `2026-04-01 08:30` in Tokyo. */
export function jst(text: string): number {
  const [day, time = '00:00'] = text.split(' ')
  const instant = Date.parse(`${day}T${time}+09:00`)
  if (!Number.isFinite(instant)) throw new Error(`not a time: ${text}`)
  return instant
}

let count = 0
const fresh = (): string => `e${++count}`

export function template(more: Partial<TemplateFact> = {}): TemplateFact {
  return {
    version: 1,
    track: 'ANON',
    hash: 'a1'.repeat(32),
    items: ['identity', 'laboratory', 'medication'],
    operators: [OPERATOR],
    publishedAt: jst('2020-01-01'),
    saysOneMonth: false,
    ...more,
  }
}

export function published(fact: TemplateFact): FacilityEvent {
  return {
    type: 'template-published',
    event: fresh(),
    recordedAt: fact.publishedAt,
    by: 's1',
    template: fact,
  }
}

export function filed(
  more: { track?: Track; templateVersion?: number; acceptedOn?: LocalDate; filing?: string } = {},
): FacilityEvent {
  const { filing = `f-${more.track ?? 'ANON'}`, ...rest } = more
  const fact = {
    track: 'ANON' as Track,
    templateVersion: 99,
    acceptedOn: '2020-01-10',
    endedOn: null,
    ...rest,
  }
  return {
    type: 'filing-accepted',
    event: fresh(),
    recordedAt: jst(fact.acceptedOn),
    by: 's1',
    filing: { filing: filingId(filing), ...fact },
  }
}

export function settings(
  more: {
    waitDays?: number
    deathPolicy?: 'hold' | 'allow'
    closedDays?: LocalDate[]
    endedOn?: LocalDate | null
  } = {},
): FacilityEvent {
  return {
    type: 'facility-settings',
    event: fresh(),
    recordedAt: jst('2020-01-01'),
    by: 's1',
    waitDays: 30,
    deathPolicy: 'hold',
    closedDays: [],
    endedOn: null,
    ...more,
  }
}

export const ENTITY: FacilityEvent = {
  type: 'entity-recorded',
  event: 'entity',
  recordedAt: jst('2020-01-01'),
  by: 's1',
  entity: { entity: entityId('corp-1'), name: '医療法人架橋会', address: '東京都', representative: '理事長' },
}

export const SCHEME: FacilityEvent[] = [ENTITY, published(template()), filed()]

export function seen(
  birthDate: LocalDate | null = '1970-03-03',
  deceasedOn: LocalDate | null = null,
  patient: PatientKey = CHART,
): PatientEvent {
  return {
    type: 'patient-seen',
    event: fresh(),
    recordedAt: jst('2020-01-01'),
    by: 'agent',
    patient,
    birthDate,
    deceasedOn,
  }
}

export function notice(deliveredAt: string, more: Partial<NoticeGiven> = {}): NoticeGiven {
  const { version, track, hash } = template()
  return {
    type: 'notice-given',
    event: fresh(),
    recordedAt: jst(deliveredAt),
    by: 's1',
    patient: CHART,
    notice: noticeId(fresh()),
    track,
    templateVersion: version,
    templateHash: hash,
    operators: [OPERATOR],
    recipient: 'person',
    recipientState: 'able',
    method: 'handed',
    issuedAt: jst(deliveredAt),
    deliveredAt: jst(deliveredAt),
    confirmed: true,
    ...more,
  }
}

export function stop(askedAt: string, more: Partial<StopAsked> = {}): StopAsked {
  return {
    type: 'stop-asked',
    event: fresh(),
    recordedAt: jst(askedAt),
    by: 's1',
    patient: CHART,
    stop: stopId(fresh()),
    tracks: null,
    operators: null,
    requester: 'person',
    identityCheck: 'card',
    standing: 'confirmed',
    origin: 'counter',
    erasureAsked: false,
    ...more,
  }
}

type Bare<T> = T extends PatientEvent ? Omit<T, 'event' | 'recordedAt' | 'by' | 'patient'> : never

export function happened(at: string, what: Bare<PatientEvent>, patient: PatientKey = CHART): PatientEvent {
  return { event: fresh(), recordedAt: jst(at), by: 's1', patient, ...what } as PatientEvent
}

export interface Question {
  events: PatientEvent[]
  facility?: FacilityEvent[]
  patient?: PatientKey
  track?: Track
  item?: ItemClass
  operator?: Partial<GateState['operator']>
  latestSeen?: number
  rules?: RuleFile
}

export function stateAt(now: number, question: Question): GateState {
  const facility = foldFacility(FACILITY, question.facility ?? SCHEME)
  if (!facility) throw new Error('no facility')
  return {
    facility,
    patient: foldPatient(question.patient ?? CHART, question.events),
    operator: {
      operator: OPERATOR,
      tracks: ['ANON', 'PSEUDO'],
      standing: 'certified',
      asOf: now - 3_600_000,
      ...question.operator,
    },
    latestSeen: question.latestSeen ?? now,
  }
}

/** What the gate says of these events at that time in Tokyo. */
export function ask(at: string, question: Question): Decision {
  const now = jst(at)
  const request = { track: question.track ?? 'ANON', item: question.item ?? 'laboratory' } as const
  return decide(stateAt(now, question), request, question.rules ?? RULE_FILE, now)
}

/** `ALLOW`, or the code of the refusal. */
export function answer(at: string, question: Question): string {
  const decision = ask(at, question)
  return decision.allow ? 'ALLOW' : decision.code
}
