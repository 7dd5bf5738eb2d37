import type { Instant } from '../env.ts'
import type { OperatorId } from '../ids.ts'
import type { RefusalCode } from '../refusals.ts'
import { addDays, compareDates, isLocalDate, tokyoDate, tokyoDay } from './calendar.ts'
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
  return fact.method === 'post' || fact.deliveredAt <= Math.min(now, fact.recordedAt)
}

/** A filing for the track that the ministers accepted and that has not ended. */
export function activeFilings(facility: FacilityState, track: string, today: LocalDate): FilingFact[] {
  return facility.filings.filter(
    (f) =>
      f.track === track &&
      (f.entity === undefined || f.entity === facility.entity.entity) &&
      (f.facilities === undefined || f.facilities.includes(facility.facility)) &&
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
  today: LocalDate
  now: Instant
}

/** The newest version that the filings cover and that is in force: what it does not list is not provided any more. */
export function filedItemsInclude(facility: FacilityState, wanted: Wanted): boolean {
  const { request, filings, today, now } = wanted
  let newest: TemplateFact | undefined
  for (const template of facility.templates) {
    if (template.track !== request.track || template.publishedAt > now) continue
    if (!filings.some((f) => f.templateVersion >= template.version)) continue
    if (template.change && compareDates(readDay(template.change.from), today) > 0) continue
    if (!newest || template.version > newest.version) newest = template
  }
  return newest === undefined || newest.items.includes(request.item)
}

function readDay(date: LocalDate): LocalDate {
  if (!isLocalDate(date)) throw new TypeError('not a day')
  return date
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
  const changes = bindingChanges(facility, track, wanted.today, rules)
  const told =
    changes.length === 0 && rules.newItemsWaitAnew
      ? []
      : valid.filter(
          (n) =>
            n.fact.recipient === role &&
            n.fact.track === track &&
            n.start > wanted.after &&
            names(n, wanted.operator),
        )
  let first: FoundNotice | undefined
  let why: RefusalCode = 'NOTICE_OUTDATED'
  for (const notice of left) {
    const earliest = earliestOf(notice, told, { changes, wanted, facility, rules })
    if (earliest === 'NOT_FILED') why = earliest
    else if (earliest !== null && (!first || earliest < first.earliest)) first = { ...notice, earliest }
  }
  return first ?? why
}

interface BindingChange {
  version: number
  freshWait: boolean
}

/**
 * Changes after which an older notice covers nothing any more until the person was notified of them: those that the
 * law wants notified before, from the day of the change on, and, if the rules say so, those of item i that are overdue.
 */
function bindingChanges(
  facility: FacilityState,
  track: string,
  today: LocalDate,
  rules: RuleFile,
): BindingChange[] {
  const binding: BindingChange[] = []
  for (const template of facility.templates) {
    if (template.track !== track || template.change === undefined) continue
    const { items, from } = template.change
    const inForce = compareDates(readDay(from), today) <= 0
    const before = inForce && items.some((item) => rules.noticeBeforeChange.includes(item))
    const overdue =
      !rules.sendAfterOverdueChange &&
      items.includes('i') &&
      compareDates(addDays(from, rules.withoutDelayDays), today) < 0
    if (before || overdue)
      binding.push({
        version: template.version,
        freshWait: before && items.some((item) => rules.freshWaitAfterChange.includes(item)),
      })
  }
  return binding
}

interface Circumstances {
  changes: readonly BindingChange[]
  wanted: Wanted
  facility: FacilityState
  rules: RuleFile
}

/** The first day this notice allows: its own wait, and having been notified of what changed since; `null`: never. */
function earliestOf(
  notice: ValidNotice,
  told: readonly ValidNotice[],
  { changes, wanted, facility, rules }: Circumstances,
): LocalDate | 'NOT_FILED' | null {
  const waited = (n: ValidNotice) => earliestProvision(n.start, rules, facility, n.template.saysOneMonth)
  const since = (n: ValidNotice) => tokyoDate(n.start)
  let earliest = waited(notice)
  const { startsOn } = notice.template
  if (startsOn !== undefined) earliest = later(earliest, readDay(startsOn))
  if (!rules.newItemsWaitAnew)
    for (const older of told)
      if (older.fact.templateVersion < notice.fact.templateVersion)
        earliest = sooner(earliest, later(waited(older), since(notice)))
  for (const change of changes) {
    if (change.version <= notice.fact.templateVersion) continue
    if (!wanted.filings.some((f) => f.templateVersion >= change.version)) return 'NOT_FILED'
    let heard: LocalDate | null = null
    for (const n of told)
      if (n.fact.templateVersion >= change.version) {
        const from = change.freshWait ? waited(n) : since(n)
        heard = heard === null ? from : sooner(heard, from)
      }
    if (heard === null) return null
    earliest = later(earliest, heard)
  }
  return earliest
}

const later = (a: LocalDate, b: LocalDate): LocalDate => (a > b ? a : b)
const sooner = (a: LocalDate, b: LocalDate): LocalDate => (a < b ? a : b)

function names(notice: ValidNotice, operator: OperatorId): boolean {
  return notice.fact.operators.includes(operator) && notice.template.operators.includes(operator)
}
