import type { PatientEvent } from '@kakehashi/protocol/events'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { Decision } from '@kakehashi/protocol/rules/decide'
import type { RuleFile } from '@kakehashi/protocol/rules/rule-file'
import { ITEM_CLASSES, type GateState, type LocalDate, type Track } from '@kakehashi/protocol/rules/state'
import { OWED, type Owed } from '../register/owed.ts'

/** The work lists of the privacy officer. A person may be on several. */
export const LISTS = [
  ...OWED.map((why) => `owed-${why}` as const),
  'ask-capacity',
  'overdue',
  'waiting',
  'stopped',
  'held',
  'unknown',
  'open',
] as const
export type ListName = (typeof LISTS)[number]

export function isList(text: string): text is ListName {
  return (LISTS as readonly string[]).includes(text)
}

const HELD: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'HOLD_IDENTITY',
  'HOLD_MERGE',
  'HOLD_DEATH',
  'HOLD_CAPACITY',
  'HOLD_OTHER',
  'HOLD_TURNED_16',
])
const UNKNOWN: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'AGE_UNKNOWN',
  'CAPACITY_UNKNOWN',
  'STATE_UNREADABLE',
])

export interface Standing {
  /** `null`: open. */
  code: RefusalCode | null
  earliest: LocalDate | null
}

/** How one person stands: the answer for the item that is furthest along. Pure. */
export function standingOf(
  decide: (
    state: GateState,
    request: { track: Track; item: (typeof ITEM_CLASSES)[number] },
    rules: RuleFile,
    now: number,
  ) => Decision,
  state: GateState,
  track: Track,
  at: { rules: RuleFile; now: number },
): Standing {
  let denied: Standing | null = null
  for (const item of itemsOf(state, track)) {
    const answer = decide(state, { track, item }, at.rules, at.now)
    if (answer.allow) return { code: null, earliest: answer.earliest }
    if (denied === null || answer.code === 'WAITING')
      denied = { code: answer.code, earliest: answer.earliest }
    if (!BY_ITEM.has(answer.code)) break
  }
  return denied ?? { code: 'NOT_FILED', earliest: null }
}

/** Answers that may differ from one item class to the next. */
const BY_ITEM: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'ITEM_NOT_NOTIFIED',
  'ITEM_NOT_FILED',
  'WAITING',
])

function itemsOf(state: GateState, track: Track): readonly (typeof ITEM_CLASSES)[number][] {
  const own = state.facility.templates.filter((t) => t.track === track).flatMap((t) => t.items)
  return own.length > 0 ? [...new Set(own)] : ITEM_CLASSES.slice(0, 1)
}

/** Which lists a person is on. Pure. */
export function listsOf(standing: Standing, owed: readonly Owed[], askCapacity: boolean): ListName[] {
  const lists = new Set<ListName>(owed.map((one) => `owed-${one.why}` as const))
  if (owed.some((one) => one.overdue)) lists.add('overdue')
  if (askCapacity) lists.add('ask-capacity')
  const { code } = standing
  if (code === null) lists.add('open')
  else if (code === 'WAITING') lists.add('waiting')
  else if (code === 'STOPPED') lists.add('stopped')
  else if (HELD.has(code)) lists.add('held')
  else if (UNKNOWN.has(code)) lists.add('unknown')
  return [...lists]
}

/** Capacity was judged absent last, and is to be asked again by now. */
export function isDueAgain(events: readonly PatientEvent[], today: LocalDate): boolean {
  const last = events.findLast((event) => event.type === 'capacity-judged')
  if (last?.capacity !== 'unable') return false
  return last.askAgainOn === undefined || last.askAgainOn === null || last.askAgainOn <= today
}

/** 支援措置: no letter goes to the chart's address, if any chart of theirs says so. */
export function takesNoLetter(events: readonly PatientEvent[]): boolean {
  const last = new Map<string, boolean>()
  for (const event of events) if (event.type === 'protection-set') last.set(event.patient, event.protected)
  return [...last.values()].includes(true)
}
