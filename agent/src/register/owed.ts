import type { Instant } from '@kakehashi/protocol/env'
import { stopCovers } from '@kakehashi/protocol/rules/decide'
import { addDays, birthdayAt, startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { validNotices, type ValidNotice } from '@kakehashi/protocol/rules/notices'
import type { RuleFile } from '@kakehashi/protocol/rules/rule-file'
import type {
  GateState,
  LocalDate,
  NoticeItem,
  RecipientRole,
  TemplateFact,
  Track,
} from '@kakehashi/protocol/rules/state'

/**
 * Why somebody is owed a notice. `first`: never notified; `turned-16`, `capacity-back`, `stop-withdrawn`: notified
 * before, to be notified anew; `other-missing`: the other of person and guardian was notified; `change`: of an earlier
 * version; `ended`: the hospital leaves the scheme.
 */
export const OWED = [
  'first',
  'other-missing',
  'turned-16',
  'capacity-back',
  'stop-withdrawn',
  'operator',
  'track',
  'change',
  'ended',
] as const

export interface Owed {
  why: (typeof OWED)[number]
  recipient: RecipientRole
  /** The version to hand out. */
  version: number
  /** `change`: what changed since the version they were notified of. */
  items: NoticeItem[]
  /** `null`: at the next visit; otherwise the last day. */
  by: LocalDate | null
  overdue: boolean
}

/** What this person is owed on one track. Nobody is who stopped, who died, or whose age is unknown. Pure. */
export function owedOf(state: GateState, track: Track, rules: RuleFile, now: Instant): Owed[] {
  const { patient, facility, operator } = state
  const today = tokyoDate(now)
  const newest = newestOf(facility.templates, track)
  if (!newest || patient.deceasedOn !== null || patient.birthDate === null) return []
  const stopped = patient.stops.some(
    (stop) =>
      (stop.standing === 'confirmed' || stop.standing === 'provisional') &&
      stopCovers(stop, track, operator.operator),
  )
  if (stopped) return []
  const valid = validNotices(state, rules, now)
  const ofAge = birthdayAt(patient.birthDate, rules.ownNoticeAge)
  const minor = today < ofAge
  const roles: RecipientRole[] = minor || patient.capacity === 'unable' ? ['person', 'guardian'] : ['person']
  const since = { ofAge: minor ? -Infinity : startOfDay(ofAge), state, track }
  const told = new Map(roles.map((role) => [role, countingFor(role, valid, since)]))
  if (facility.endedOn !== null && facility.endedOn <= today)
    return [...told]
      .filter(([, notices]) => notices.length > 0)
      .map(([role]) => ended(role, newest, state, rules, today))
  return roles.flatMap((role) => {
    const counting = told.get(role) ?? []
    if (counting.length > 0) return changeOwed(role, counting, facility.templates, { newest, rules, today })
    const others = [...told].some(([other, notices]) => other !== role && notices.length > 0)
    return [{ ...plain(role, newest), why: others ? 'other-missing' : whyNone(role, valid, since) }]
  })
}

interface Since {
  ofAge: Instant
  state: GateState
  track: Track
}

function lastWithdrawal({ state, track }: Since): Instant {
  let last = -Infinity
  for (const stop of state.patient.stops)
    if (stop.standing === 'withdrawn' && stopCovers(stop, track, state.operator.operator))
      last = Math.max(last, stop.withdrawnAt ?? Infinity)
  return last
}

/** Notices of this track and operator that count for the recipient as of now. */
function countingFor(role: RecipientRole, valid: readonly ValidNotice[], since: Since): ValidNotice[] {
  const { state, track, ofAge } = since
  const { operator } = state.operator
  const own = Math.max(ofAge, state.patient.capacityReturnedAt ?? -Infinity)
  const after = lastWithdrawal(since)
  return valid.filter(
    (n) =>
      n.fact.recipient === role &&
      n.fact.track === track &&
      n.fact.operators.includes(operator) &&
      n.template.operators.includes(operator) &&
      n.start > after &&
      (role === 'guardian' || n.start >= own),
  )
}

function whyNone(role: RecipientRole, valid: readonly ValidNotice[], since: Since): Owed['why'] {
  const { state, track, ofAge } = since
  const onTrack = valid.filter((n) => n.fact.track === track)
  if (onTrack.length === 0) return valid.length > 0 ? 'track' : 'first'
  const { operator } = state.operator
  const named = onTrack.filter(
    (n) => n.fact.operators.includes(operator) && n.template.operators.includes(operator),
  )
  if (named.length === 0) return 'operator'
  if (named.every((n) => n.start <= lastWithdrawal(since))) return 'stop-withdrawn'
  if (role === 'person' && named.every((n) => n.start < ofAge)) return 'turned-16'
  const back = state.patient.capacityReturnedAt
  if (role === 'person' && back !== null && named.every((n) => n.start < back)) return 'capacity-back'
  return 'first'
}

function changeOwed(
  recipient: RecipientRole,
  counting: readonly ValidNotice[],
  templates: readonly TemplateFact[],
  { newest, rules, today }: { newest: TemplateFact; rules: RuleFile; today: LocalDate },
): Owed[] {
  const known = Math.max(...counting.map((n) => n.fact.templateVersion))
  const items = new Set<NoticeItem>()
  let by: LocalDate | null = null
  for (const { track, version, change } of templates) {
    if (track !== newest.track || version <= known || change === undefined) continue
    for (const item of change.items) items.add(item)
    const before = change.items.some((item) => item === 'iii' || rules.noticeBeforeChange.includes(item))
    const due = before ? addDays(change.from, -1) : addDays(change.from, rules.withoutDelayDays)
    if (by === null || due < by) by = due
  }
  if (by === null) return []
  return [{ ...plain(recipient, newest), why: 'change', items: [...items], by, overdue: by < today }]
}

function ended(
  recipient: RecipientRole,
  newest: TemplateFact,
  state: GateState,
  rules: RuleFile,
  today: LocalDate,
): Owed {
  const by = addDays(state.facility.endedOn ?? today, rules.withoutDelayDays)
  return { ...plain(recipient, newest), why: 'ended', by, overdue: by < today }
}

function plain(recipient: RecipientRole, newest: TemplateFact): Omit<Owed, 'why'> {
  return { recipient, version: newest.version, items: [], by: null, overdue: false }
}

function newestOf(templates: readonly TemplateFact[], track: Track): TemplateFact | undefined {
  let newest: TemplateFact | undefined
  for (const template of templates)
    if (template.track === track && (!newest || template.version > newest.version)) newest = template
  return newest
}
