import { canonicalBytes } from '../canonical.ts'
import type { Instant } from '../env.ts'
import { sha256Hex } from '../signing.ts'
import { BUILT_IN_RULES } from './built-in-rules.ts'
import { tokyoDate } from './calendar.ts'
import type { LocalDate, NoticeItem } from './state.ts'

/**
 * The legal values a decision depends on, and the others of LAW §10 that are not confirmed, as dated configuration;
 * `unconfirmed` names each open question and who may answer it. A new version never makes a past decision more
 * permissive: decisions record the version they were made under, and an approved file begins after its approval.
 */
export interface RuleFile {
  version: string
  /** First day, in Tokyo, on which this version decides. */
  effectiveFrom: LocalDate
  disclaimer: string

  /** Full days between the day of the notice (excluded) and the first provision. A hospital may lengthen it. */
  waitDaysMin: number
  /** A notice that says 「1か月」 waits a calendar month too (Civil Code 143). */
  oneMonthWordingCounts: boolean
  /** When the last day of the wait is closed, the wait ends with the next open day (Civil Code 142 by analogy). */
  extendOverClosedDays: boolean
  closedWeekdays: number[]
  closedOnPublicHolidays: boolean
  /** Both ends included, `MM-DD`. `null`: no year-end closing. */
  yearEndClosed: { from: string; to: string } | null

  /** Below this age the guardian is notified as well; from the birthday on, an own notice and a new wait are due. */
  ownNoticeAge: number
  /** Below this age the guardian's copy counts for the child too. 0: never. */
  guardianCopySufficesBelowAge: number
  /** Birth dates that stand for "unknown" in hospital systems. */
  placeholderBirthDates: LocalDate[]
  /** Older than this is taken for a wrong or placeholder birth date. */
  ageYearsMax: number

  /** Whether an electronic notice counts as "in writing". */
  electronicNoticeCounts: boolean
  /** Posting to assumed arrival, when no tracked delivery date is known. Used by the register. */
  postArrivalDays: number
  /** Added to the wait when the person died inside it and the hospital's policy lets provision go on. */
  deathExtraWaitDays: number
  /** Who counts as bereaved family (遺族) at the counter. */
  bereavedFamily: string[]

  /** Items of which a change binds whoever was not notified of it, from the day of the change on (LAW §1.6). */
  noticeBeforeChange: NoticeItem[]
  /** Of these, a change makes everybody wait anew; of the others, being notified is enough. */
  freshWaitAfterChange: NoticeItem[]
  /** What "without delay" (遅滞なく) is taken for: days after a change of item i, and after a hospital left. */
  withoutDelayDays: number
  /** Whether who was not notified of a change of item i in that time may still be sent. */
  sendAfterOverdueChange: boolean
  /** How those are notified of a change who do not come any more: a list is made, the hospital decides. */
  changeNoticeToNonVisitors: 'mailing-list'
  /** An item new to a notice waits the full period, while old items keep flowing. */
  newItemsWaitAnew: boolean
  /** A withdrawn stop leaves the old notices without force: a fresh one, and its wait, are due. */
  withdrawalNeedsFreshNotice: boolean

  /** What the document of Art. 53 says, and in whose name it goes out. */
  slipItems: string[]
  slipInNameOf: 'hospital'
  /** What a record of provision (Art. 54) holds, and whether one may stand for repeated provision. */
  provisionRecordItems: string[]
  provisionRecordPer: 'batch'

  operatorStatusAgeMs: number
  clockBackstepMs: number
  /** Kept at least this long; nothing is deleted automatically. */
  retentionYearsMin: number

  /** For the operator's side. */
  operator: {
    ageTopCode: number
    kAnonymityMin: number
    rareBelowPatients: number
    /** `when-needed`: only if the purpose needs it and the municipality has at least this many inhabitants. */
    municipality: { kept: 'never' | 'when-needed'; populationMin: number }
    leakReportDays: { first: number; full: number }
    /** When users of pseudonymized data drop a person who stopped. */
    stoppedLeavePseudonymized: 'next-refresh'
  }
  /** How the enforcement regulation is cited while its numbering after 2024 has not been read. */
  cites: 'act-only'
  /** Rows of LAW §10: which values answer it here, and who must confirm them. */
  unconfirmed: { question: string; values: string[]; whoConfirms: string }[]
}

export const RULES: readonly RuleFile[] = BUILT_IN_RULES

/**
 * The version in force at that instant, among those built in and those approved at this place, in the order of their
 * approval. Of two that begin on one day the later one prevails. Before the first one, the first: `decide` denies every
 * decision dated before the rules it is given.
 */
export function rulesAt(now: Instant, approved: readonly RuleFile[] = []): RuleFile {
  const today = tokyoDate(now)
  let inForce: RuleFile | undefined
  for (const rules of [...RULES, ...approved]) {
    if (rules.effectiveFrom > today) continue
    if (inForce === undefined || rules.effectiveFrom >= inForce.effectiveFrom) inForce = rules
  }
  const [first] = RULES
  const rules = inForce ?? first
  if (rules === undefined) throw new Error('no rule file')
  return rules
}

/** SHA-256 (hex) of the canonical text, for `rules-changed` events and evidence packages. */
export function rulesHash(rules: RuleFile): string {
  return sha256Hex(canonicalBytes(rules))
}
