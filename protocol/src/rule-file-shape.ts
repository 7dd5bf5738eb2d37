import { z } from 'zod'
import {
  CLOCK_BACKSTEP_MS_MAX,
  NOTICE_WAIT_DAYS_MAX,
  NOTICE_WAIT_DAYS_MIN,
  OPERATOR_STATUS_AGE_MS_MAX,
} from './limits.ts'
import { Refused } from './refusals.ts'
import { isLocalDate } from './rules/calendar.ts'
import type { RuleFile } from './rules/rule-file.ts'
import { NOTICE_ITEMS, type LocalDate, type NoticeItem } from './rules/state.ts'

const TEXT = z.string().min(1).max(4000)
const WORDS = z.array(TEXT).max(100)
const DAY = z.custom<LocalDate>(isLocalDate)
const MONTH_DAY = z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/)
const DAYS = z.number().int().min(0).max(NOTICE_WAIT_DAYS_MAX)
const MS = z.number().int().min(0)
/** Under this age guardians are notified as well. */
const OWN_NOTICE_AGE_MIN = 16
/** Of these a change is notified before (Act Art. 52(2)); the items provided wait anew by themselves. */
const BEFORE_CHANGE_MIN: readonly NoticeItem[] = ['iv', 'v', 'vii', 'viii']
const ITEMS = z.array(z.enum(NOTICE_ITEMS)).max(NOTICE_ITEMS.length)

/**
 * A rule file from outside: every value there, none besides, and none below what the law's guide says. What is fixed in
 * code stands as the only value that can be read.
 */
export const RULE_FILE: z.ZodType<RuleFile> = z.strictObject({
  version: z.string().regex(/^\d{4}-\d{2}-\d{2}\.[0-9a-z-]{1,40}$/),
  effectiveFrom: DAY,
  disclaimer: TEXT,
  waitDaysMin: z.number().int().min(NOTICE_WAIT_DAYS_MIN).max(NOTICE_WAIT_DAYS_MAX),
  oneMonthWordingCounts: z.boolean(),
  extendOverClosedDays: z.boolean(),
  closedWeekdays: z.array(z.number().int().min(0).max(6)).max(6),
  closedOnPublicHolidays: z.boolean(),
  yearEndClosed: z.strictObject({ from: MONTH_DAY, to: MONTH_DAY }).nullable(),
  ownNoticeAge: z.number().int().min(OWN_NOTICE_AGE_MIN).max(30),
  guardianCopySufficesBelowAge: z.number().int().min(0).max(16),
  placeholderBirthDates: z.array(DAY).max(1000),
  ageYearsMax: z.number().int().min(100).max(150),
  electronicNoticeCounts: z.boolean(),
  postArrivalDays: DAYS,
  deathExtraWaitDays: DAYS,
  bereavedFamily: WORDS,
  noticeBeforeChange: ITEMS.refine((items) => BEFORE_CHANGE_MIN.every((one) => items.includes(one))),
  freshWaitAfterChange: ITEMS,
  withoutDelayDays: DAYS,
  sendAfterOverdueChange: z.boolean(),
  changeNoticeToNonVisitors: z.literal('mailing-list'),
  newItemsWaitAnew: z.boolean(),
  withdrawalNeedsFreshNotice: z.boolean(),
  slipItems: WORDS,
  slipInNameOf: z.literal('hospital'),
  provisionRecordItems: WORDS,
  provisionRecordPer: z.literal('batch'),
  operatorStatusAgeMs: MS.max(OPERATOR_STATUS_AGE_MS_MAX),
  clockBackstepMs: MS.max(CLOCK_BACKSTEP_MS_MAX),
  retentionYearsMin: z.number().int().min(0).max(100),
  operator: z.strictObject({
    ageTopCode: z.number().int().min(60).max(120),
    kAnonymityMin: z.number().int().min(2),
    rareBelowPatients: z.number().int().min(2),
    municipality: z.strictObject({
      kept: z.enum(['never', 'when-needed']),
      populationMin: z.number().int().min(0),
    }),
    leakReportDays: z.strictObject({ first: DAYS, full: DAYS }),
    stoppedLeavePseudonymized: z.literal('next-refresh'),
  }),
  cites: z.literal('act-only'),
  unconfirmed: z.array(z.strictObject({ question: TEXT, values: WORDS, whoConfirms: TEXT })).max(100),
})

/** A rule file as somebody wrote it. Throws `Refused` with the places that are missing, unknown or below the minimum. */
export function readRuleFile(written: unknown): RuleFile {
  const parsed = RULE_FILE.safeParse(written)
  if (parsed.success) return parsed.data
  const places = parsed.error.issues.map((issue) => issue.path.map(String).join('.') || 'file')
  throw new Refused('REQUEST_MALFORMED', `rules ${[...new Set(places)].join(' ')}`)
}
