import type { Instant } from '../env.ts'
import type { OperatorId } from '../ids.ts'
import type { RefusalCode } from '../refusals.ts'
import { compareDates, tokyoDay } from './calendar.ts'
import type { RuleFile } from './rule-file.ts'
import type {
  FacilityState,
  FilingFact,
  GateRequest,
  GateState,
  LocalDate,
  NoticeFact,
  NoticeMethod,
  RecipientRole,
  TemplateFact,
} from './state.ts'
import { earliestProvision } from './wait.ts'

const METHODS: readonly NoticeMethod[] = ['handed', 'kiosk', 'post', 'electronic', 'other']

/** A notice that started a clock: delivered, readable by its recipient, of a published text. */
export interface ValidNotice {
  fact: NoticeFact
  template: TemplateFact
  /** When its clock started. */
  start: Instant
}

export interface FoundNotice extends ValidNotice {
  earliest: LocalDate
}

/**
 * When the clock of a notice starts: its delivery; but the moment of recording when it is dated before the day of
 * recording and no second person approved.
 */
export function clockStart(notice: NoticeFact): Instant {
  if (notice.backdateApprovedBy !== undefined) return notice.deliveredAt
  const backdated = tokyoDay(notice.deliveredAt) < tokyoDay(notice.recordedAt)
  return backdated ? notice.recordedAt : notice.deliveredAt
}

/** Every notice that may count at all, whatever track, operator and item it is for. */
export function validNotices(state: GateState, rules: RuleFile, now: Instant): ValidNotice[] {
  const valid: ValidNotice[] = []
  for (const fact of state.patient.notices) {
    if (fact.standing !== 'effective' || fact.recipientState !== 'able') continue
    if (!METHODS.includes(fact.method)) continue
    if (fact.method === 'electronic' && !rules.electronicNoticeCounts) continue
    const template = templateOf(fact, state.facility)
    if (template && datesHold(fact, template, rules, now))
      valid.push({ fact, template, start: clockStart(fact) })
  }
  return valid
}

function templateOf(fact: NoticeFact, facility: FacilityState): TemplateFact | undefined {
  return facility.templates.find(
    (t) => t.track === fact.track && t.version === fact.templateVersion && t.hash === fact.templateHash,
  )
}

/** Only post may arrive after it was recorded (assumed arrival); nothing arrives before its text was published. */
function datesHold(fact: NoticeFact, template: TemplateFact, rules: RuleFile, now: Instant): boolean {
  if (!Number.isFinite(fact.deliveredAt) || !Number.isFinite(fact.recordedAt)) return false
  if (fact.recordedAt > now + rules.clockBackstepMs) return false
  if (fact.deliveredAt < template.publishedAt) return false
  return fact.method === 'post' || fact.deliveredAt <= Math.min(now, fact.recordedAt + rules.clockBackstepMs)
}

/** A filing for the track that the ministers accepted and that has not ended. */
export function activeFilings(facility: FacilityState, track: string, today: LocalDate): FilingFact[] {
  return facility.filings.filter(
    (f) =>
      f.track === track &&
      compareDates(f.acceptedOn, today) <= 0 &&
      (f.endedOn === null || compareDates(today, f.endedOn) < 0),
  )
}

export interface Wanted {
  request: GateRequest
  operator: OperatorId
  filings: FilingFact[]
  /** Notices at or before this do not count: a stop was withdrawn then. */
  after: Instant
}

/** Of the notices to that recipient, the one whose wait ends first; or why there is none. */
export function firstNotice(
  role: RecipientRole,
  valid: readonly ValidNotice[],
  wanted: Wanted,
  facility: FacilityState,
  rules: RuleFile,
): FoundNotice | RefusalCode {
  const { track, item } = wanted.request
  const steps: [RefusalCode, (n: ValidNotice) => boolean][] = [
    ['NOT_NOTIFIED', (n) => n.fact.recipient === role && n.start > wanted.after],
    ['TRACK_NOT_NOTIFIED', (n) => n.fact.track === track],
    ['OPERATOR_NOT_NOTIFIED', (n) => names(n, wanted.operator)],
    ['NOT_FILED', (n) => wanted.filings.some((f) => f.templateVersion >= n.fact.templateVersion)],
    ['ITEM_NOT_NOTIFIED', (n) => n.template.items.includes(item)],
  ]
  let left = valid
  for (const [code, holds] of steps) {
    left = left.filter(holds)
    if (left.length === 0) return code
  }
  let first: FoundNotice | undefined
  for (const notice of left) {
    const earliest = earliestProvision(notice.start, rules, facility, notice.template.saysOneMonth)
    if (!first || earliest < first.earliest) first = { ...notice, earliest }
  }
  return first ?? 'NOT_NOTIFIED'
}

function names(notice: ValidNotice, operator: OperatorId): boolean {
  return notice.fact.operators.includes(operator) && notice.template.operators.includes(operator)
}
