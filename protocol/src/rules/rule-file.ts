import { canonicalBytes } from '../canonical.ts'
import type { Instant } from '../env.ts'
import { CLOCK_BACKSTEP_MS_MAX, NOTICE_WAIT_DAYS_MIN, OPERATOR_STATUS_AGE_MS_MAX } from '../limits.ts'
import { sha256Hex } from '../signing.ts'
import { tokyoDate } from './calendar.ts'
import type { LocalDate } from './state.ts'

/**
 * The legal values a decision depends on, as dated configuration. None of them is confirmed by a lawyer or the
 * competent ministers; `unconfirmed` names each open question. A new version never makes a past decision more
 * permissive: decisions record the version they were made under.
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

  operatorStatusAgeMs: number
  clockBackstepMs: number
  /** Kept at least this long; nothing is deleted automatically. */
  retentionYearsMin: number
  unconfirmed: { value: string; whoConfirms: string }[]
}

const DISCLAIMER =
  'Not legal advice. These values are defaults of the software, read from public sources; the hospital and the ' +
  'operator must have them confirmed. 本ファイルは法的助言ではありません。'

const PLACEHOLDERS = [
  '0001-01-01',
  '1800-01-01',
  '1867-01-01',
  '1868-01-01',
  '1868-01-25',
  '1868-09-08',
  '1899-12-30',
  '1899-12-31',
  '1900-01-01',
  '1900-01-02',
  '1901-01-01',
  '9999-12-31',
]

const UNCONFIRMED = [
  { value: 'waitDaysMin', whoConfirms: 'hospital, lawyer' },
  { value: 'oneMonthWordingCounts', whoConfirms: 'lawyer' },
  {
    value: 'extendOverClosedDays, closedWeekdays, closedOnPublicHolidays, yearEndClosed',
    whoConfirms: 'lawyer',
  },
  { value: 'ownNoticeAge', whoConfirms: 'Guidelines, part on provision (提供編)' },
  { value: 'guardianCopySufficesBelowAge', whoConfirms: 'Guidelines, part on provision (提供編)' },
  { value: 'electronicNoticeCounts', whoConfirms: 'Guidelines, part on provision (提供編)' },
  { value: 'postArrivalDays', whoConfirms: 'hospital, lawyer' },
  { value: 'deathExtraWaitDays', whoConfirms: 'lawyer' },
  { value: 'bereavedFamily', whoConfirms: 'Cabinet Order 163 of 2018' },
  { value: 'a withdrawn stop needs a fresh notice and a fresh wait', whoConfirms: 'lawyer' },
  { value: 'new items wait anew while old items keep flowing', whoConfirms: 'lawyer' },
  { value: 'retentionYearsMin', whoConfirms: 'enforcement regulation' },
]

export const RULES: readonly RuleFile[] = [
  {
    version: '2024-04-01.1',
    effectiveFrom: '2024-04-01',
    disclaimer: DISCLAIMER,
    waitDaysMin: NOTICE_WAIT_DAYS_MIN,
    oneMonthWordingCounts: true,
    extendOverClosedDays: true,
    closedWeekdays: [0, 6],
    closedOnPublicHolidays: true,
    yearEndClosed: { from: '12-29', to: '01-03' },
    ownNoticeAge: 16,
    guardianCopySufficesBelowAge: 0,
    placeholderBirthDates: PLACEHOLDERS,
    ageYearsMax: 125,
    electronicNoticeCounts: false,
    postArrivalDays: 7,
    deathExtraWaitDays: 0,
    bereavedFamily: ['spouse', 'child', 'parent', 'grandchild', 'grandparent', 'sibling'],
    operatorStatusAgeMs: OPERATOR_STATUS_AGE_MS_MAX,
    clockBackstepMs: CLOCK_BACKSTEP_MS_MAX,
    retentionYearsMin: 3,
    unconfirmed: UNCONFIRMED,
  },
]

/**
 * The version in force at that instant. Before the first one, the first: `decide` denies every decision dated before
 * the rules it is given.
 */
export function rulesAt(now: Instant): RuleFile {
  const today = tokyoDate(now)
  const inForce = RULES.findLast((rules) => rules.effectiveFrom <= today) ?? RULES[0]
  if (inForce === undefined) throw new Error('no rule file')
  return inForce
}

/** SHA-256 (hex) of the canonical text, for `rules-changed` events and evidence packages. */
export function rulesHash(rules: RuleFile): string {
  return sha256Hex(canonicalBytes(rules))
}
