import type { Instant } from '../env.ts'
import { facilityOf, type NoticeId } from '../ids.ts'
import type { RefusalCode } from '../refusals.ts'
import { addDays, birthdayAt, compareDates, isLocalDate, startOfDay, tokyoDate } from './calendar.ts'
import {
  activeFilings,
  filedItemsInclude,
  firstNotice,
  validNotices,
  type FoundNotice,
  type ValidNotice,
  type Wanted,
} from './notices.ts'
import type { RuleFile } from './rule-file.ts'
import type {
  FacilityState,
  GateRequest,
  GateState,
  HoldReason,
  LocalDate,
  OperatorState,
  PatientState,
  StopFact,
  Track,
} from './state.ts'

export { earliestProvision } from './wait.ts'

export type Decision =
  | { allow: true; notice: NoticeId; earliest: LocalDate; ruleVersion: string }
  | { allow: false; code: RefusalCode; earliest: LocalDate | null; ruleVersion: string }

/**
 * May one class of one patient's records go to the operator now? Agent and vault both ask here. Pure, total and
 * default-deny: whatever cannot be read or is not known denies, and it never throws. The order of reasons is that
 * of LAW §3.5: filing, operator, stop, hold, notice, wait.
 */
export function decide(state: GateState, request: GateRequest, rules: RuleFile, now: Instant): Decision {
  const ruleVersion = rules.version
  const deny = (code: RefusalCode, earliest: LocalDate | null = null): Decision => ({
    allow: false,
    code,
    earliest,
    ruleVersion,
  })
  try {
    if (!Number.isFinite(now)) return deny('CLOCK_UNSURE')
    const today = tokyoDate(now)
    const refusal =
      clockRefusal(state, rules, now, today) ??
      schemeRefusal(state, request.track, today) ??
      operatorRefusal(state.operator, request.track, rules, now) ??
      stopRefusal(state, request.track) ??
      holdRefusal(state.patient) ??
      personRefusal(state.patient, rules, today)
    if (refusal !== null) return deny(refusal)
    const found = requiredNotice(state, request, rules, now, today)
    if (typeof found === 'string') return deny(found)
    const { patient, facility } = state
    if (
      patient.deceasedOn !== null &&
      facility.deathPolicy !== 'allow' &&
      patient.deathReviewedAt === undefined
    )
      return deny('HOLD_DEATH')
    const earliest = afterDeath(found.earliest, patient, rules)
    if (compareDates(today, earliest) < 0) return deny('WAITING', earliest)
    return { allow: true, notice: found.fact.notice, earliest, ruleVersion }
  } catch {
    return deny('STATE_UNREADABLE')
  }
}

function clockRefusal(state: GateState, rules: RuleFile, now: Instant, today: LocalDate): RefusalCode | null {
  if (!Number.isFinite(state.latestSeen)) return 'CLOCK_UNSURE'
  if (now < state.latestSeen - rules.clockBackstepMs) return 'CLOCK_UNSURE'
  return compareDates(today, rules.effectiveFrom) < 0 ? 'CLOCK_UNSURE' : null
}

function schemeRefusal(state: GateState, track: Track, today: LocalDate): RefusalCode | null {
  const facility: FacilityState = state.facility
  if (track !== 'ANON' && track !== 'PSEUDO') return 'STATE_UNREADABLE'
  if (facilityOf(state.patient.patient) !== facility.facility) return 'FOREIGN_COPY'
  if (facility.endedOn !== null && compareDates(facility.endedOn, today) <= 0) return 'FACILITY_ENDED'
  if (activeFilings(facility, track, today).length > 0) return null
  const ended = facility.filings.some((f) => f.track === track && f.endedOn !== null)
  return ended ? 'FILING_ENDED' : 'NOT_FILED'
}

function operatorRefusal(
  operator: OperatorState,
  track: Track,
  rules: RuleFile,
  now: Instant,
): RefusalCode | null {
  if (operator.standing !== 'certified' || !operator.tracks.includes(track)) return 'OPERATOR_NOT_CERTIFIED'
  const age = now - operator.asOf
  if (age >= -rules.clockBackstepMs && age <= rules.operatorStatusAgeMs) return null
  return 'OPERATOR_STATUS_STALE'
}

/** A stop covers a track or an operator it does not name only when it names none at all. */
export function stopCovers(stop: StopFact, track: Track, operator: string): boolean {
  const covers = (list: readonly string[] | null, one: string): boolean =>
    list === null || list.length === 0 || list.includes(one)
  return covers(stop.tracks, track) && covers(stop.operators, operator)
}

function stopRefusal(state: GateState, track: Track): RefusalCode | null {
  const inForce = state.patient.stops.some(
    (stop) => stopCovers(stop, track, state.operator.operator) && !isLifted(stop),
  )
  return inForce ? 'STOPPED' : null
}

function isLifted(stop: StopFact): boolean {
  return stop.standing === 'undone' || (stop.standing === 'withdrawn' && Number.isFinite(stop.withdrawnAt))
}

const HOLD_CODES: readonly [HoldReason, RefusalCode][] = [
  ['identity', 'HOLD_IDENTITY'],
  ['merge', 'HOLD_MERGE'],
  ['death-review', 'HOLD_DEATH'],
  ['capacity', 'HOLD_CAPACITY'],
]

function holdRefusal(patient: PatientState): RefusalCode | null {
  if (patient.holds.length === 0) return null
  return HOLD_CODES.find(([reason]) => patient.holds.includes(reason))?.[1] ?? 'HOLD_OTHER'
}

function personRefusal(patient: PatientState, rules: RuleFile, today: LocalDate): RefusalCode | null {
  if (!isKnownBirthDate(patient.birthDate, rules, today)) return 'AGE_UNKNOWN'
  if (patient.deceasedOn !== null && !isLocalDate(patient.deceasedOn)) return 'STATE_UNREADABLE'
  return patient.capacity === 'able' || patient.capacity === 'unable' ? null : 'CAPACITY_UNKNOWN'
}

/** Neither missing, a placeholder, in the future nor beyond the age anybody reaches. */
export function isKnownBirthDate(
  date: LocalDate | null,
  rules: RuleFile,
  today: LocalDate,
): date is LocalDate {
  if (date === null || !isLocalDate(date) || rules.placeholderBirthDates.includes(date)) return false
  return compareDates(date, today) <= 0 && compareDates(today, birthdayAt(date, rules.ageYearsMax)) < 0
}

/** The notice that ends the wait last among those the law asks for: the person's, and the guardian's if needed. */
function requiredNotice(
  state: GateState,
  request: GateRequest,
  rules: RuleFile,
  now: Instant,
  today: LocalDate,
): FoundNotice | RefusalCode {
  const { patient, facility, operator } = state
  if (patient.birthDate === null) return 'AGE_UNKNOWN'
  const wanted: Wanted = {
    request,
    operator: operator.operator,
    filings: activeFilings(facility, request.track, today),
    after: rules.withdrawalNeedsFreshNotice
      ? lastWithdrawal(patient.stops, request.track, operator.operator)
      : -Infinity,
    today,
    now,
  }
  const valid = validNotices(state, rules, now).filter(
    (n) => patient.deceasedOn === null || compareDates(tokyoDate(n.start), patient.deceasedOn) < 0,
  )
  const ofAge = birthdayAt(patient.birthDate, rules.ownNoticeAge)
  const minor = compareDates(today, ofAge) < 0
  const own = ownNotices(valid, patient, minor ? null : startOfDay(ofAge))
  const suffices = compareDates(today, birthdayAt(patient.birthDate, rules.guardianCopySufficesBelowAge)) < 0
  const guardian = firstNotice('guardian', valid, wanted, facility, rules)
  let person = firstNotice('person', own, wanted, facility, rules)
  if (typeof person === 'string' && suffices) person = guardian
  const outcome = bothNotices(person, guardian, minor || patient.capacity === 'unable')
  if (typeof outcome !== 'string') return filedItemsInclude(facility, wanted) ? outcome : 'ITEM_NOT_FILED'
  if (patient.deceasedOn !== null) return outcome === 'NOT_FILED' ? outcome : 'DIED_BEFORE_NOTICE'
  return missingBecause(outcome, valid, own, minor ? null : startOfDay(ofAge))
}

/** From the own-notice age, and again when capacity returned, only what was given since then counts. */
function ownNotices(valid: ValidNotice[], patient: PatientState, ofAge: Instant | null): ValidNotice[] {
  const since = Math.max(ofAge ?? -Infinity, patient.capacityReturnedAt ?? -Infinity)
  return valid.filter((n) => n.start >= since)
}

function bothNotices(
  person: FoundNotice | RefusalCode,
  guardian: FoundNotice | RefusalCode,
  needsGuardian: boolean,
): FoundNotice | RefusalCode {
  const guardianFound = typeof guardian !== 'string'
  if (typeof person === 'string') {
    if (person !== 'NOT_NOTIFIED') return person
    if (guardianFound) return 'PERSON_NOTICE_MISSING'
    return needsGuardian ? guardian : person
  }
  if (!needsGuardian) return person
  if (!guardianFound) return guardian === 'NOT_NOTIFIED' ? 'GUARDIAN_NOTICE_MISSING' : guardian
  return guardian.earliest > person.earliest ? guardian : person
}

/** Says why an own notice is missing when older ones exist. */
function missingBecause(
  code: RefusalCode,
  valid: readonly ValidNotice[],
  own: readonly ValidNotice[],
  ofAge: Instant | null,
): RefusalCode {
  if (code !== 'NOT_NOTIFIED' && code !== 'PERSON_NOTICE_MISSING') return code
  if (own.some((n) => n.fact.recipient === 'person')) return code
  if (ofAge !== null && valid.some((n) => n.start < ofAge)) return 'HOLD_TURNED_16'
  return valid.length > 0 ? 'PERSON_NOTICE_MISSING' : code
}

/** A withdrawn stop leaves this behind: only a fresh notice, given after it, counts. */
function lastWithdrawal(stops: readonly StopFact[], track: Track, operator: string): Instant {
  let last = -Infinity
  for (const stop of stops)
    if (stop.standing === 'withdrawn' && stopCovers(stop, track, operator))
      last = Math.max(last, stop.withdrawnAt ?? Infinity)
  return last
}

function afterDeath(earliest: LocalDate, patient: PatientState, rules: RuleFile): LocalDate {
  const inside = patient.deceasedOn !== null && compareDates(patient.deceasedOn, earliest) < 0
  return inside ? addDays(earliest, rules.deathExtraWaitDays) : earliest
}
