import { CLOCK_BACKSTEP_MS_MAX, NOTICE_WAIT_DAYS_MIN, OPERATOR_STATUS_AGE_MS_MAX } from '../limits.ts'
import type { RuleFile } from './rule-file.ts'

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

/** LAW §10, row by row. */
const UNCONFIRMED: RuleFile['unconfirmed'] = [
  {
    question: 'waiting period',
    values: ['waitDaysMin', 'oneMonthWordingCounts'],
    whoConfirms: 'hospital, lawyer',
  },
  {
    question: 'weekend and holiday extension',
    values: ['extendOverClosedDays', 'closedWeekdays', 'closedOnPublicHolidays', 'yearEndClosed'],
    whoConfirms: 'lawyer',
  },
  {
    question: '16th birthday',
    values: ['ownNoticeAge', 'guardianCopySufficesBelowAge'],
    whoConfirms: 'Guidelines, part on provision (提供編)',
  },
  {
    question: 'list of bereaved family',
    values: ['bereavedFamily', 'deathExtraWaitDays'],
    whoConfirms: 'Cabinet Order 163 of 2018; the extra wait: lawyer',
  },
  { question: 'contents of the Art. 53 document', values: ['slipItems'], whoConfirms: 'ordinance' },
  {
    question: 'retention of Art. 53, 54, 55 records and books',
    values: ['retentionYearsMin'],
    whoConfirms: 'ordinance',
  },
  {
    question: 'Art. 54 record items beyond date and operator',
    values: ['provisionRecordItems'],
    whoConfirms: 'ordinance',
  },
  {
    question: 'collective record for continuous feeds',
    values: ['provisionRecordPer'],
    whoConfirms: 'ordinance',
  },
  {
    question: 'electronic notice allowed as "in writing"; assumed arrival of a letter',
    values: ['electronicNoticeCounts', 'postArrivalDays'],
    whoConfirms: 'Guidelines, part on provision (提供編)',
  },
  {
    question: 'notice of changes to non-visitors; which changes bind, and how soon "without delay" is',
    values: ['changeNoticeToNonVisitors', 'noticeBeforeChange', 'withoutDelayDays', 'sendAfterOverdueChange'],
    whoConfirms: 'Guidelines, part on provision (提供編)',
  },
  {
    question: 'new 30 days after an item change',
    values: ['newItemsWaitAnew', 'freshWaitAfterChange'],
    whoConfirms: 'lawyer',
  },
  {
    question: 'withdrawal of a stop',
    values: ['withdrawalNeedsFreshNotice'],
    whoConfirms: 'lawyer',
  },
  {
    question: 'operator issuing the document on the hospital’s behalf',
    values: ['slipInNameOf'],
    whoConfirms: 'lawyer',
  },
  {
    question: 'pseudonymized: user must drop stopped person',
    values: ['operator.stoppedLeavePseudonymized'],
    whoConfirms: 'lawyer',
  },
  {
    question: 'age top-code, k, rare threshold',
    values: ['operator.ageTopCode', 'operator.kAnonymityMin', 'operator.rareBelowPatients'],
    whoConfirms: 'operator’s committee',
  },
  {
    question: 'municipality kept?',
    values: ['operator.municipality'],
    whoConfirms: 'operator’s committee',
  },
  { question: 'leak report deadlines', values: ['operator.leakReportDays'], whoConfirms: 'ordinance' },
  {
    question: 'scale needed for certification',
    values: [],
    whoConfirms: 'Guidelines; not used in software',
  },
  {
    question: 'post-2024 numbering of the enforcement regulation',
    values: ['cites'],
    whoConfirms: 'e-Gov',
  },
]

export const BUILT_IN_RULES: readonly RuleFile[] = [
  {
    version: '2024-04-01.2',
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
    noticeBeforeChange: ['ii', 'iv', 'v', 'vi', 'vii', 'viii'],
    freshWaitAfterChange: ['ii', 'vi'],
    withoutDelayDays: 30,
    sendAfterOverdueChange: true,
    changeNoticeToNonVisitors: 'mailing-list',
    newItemsWaitAnew: true,
    withdrawalNeedsFreshNotice: true,
    slipItems: [
      'fact',
      'askedOn',
      'requester',
      'entity',
      'facility',
      'scope',
      'track',
      'operatorContact',
      'number',
      'alreadyProvided',
    ],
    slipInNameOf: 'hospital',
    provisionRecordItems: ['date', 'operatorName', 'operatorAddress', 'patients', 'itemClasses'],
    provisionRecordPer: 'batch',
    operatorStatusAgeMs: OPERATOR_STATUS_AGE_MS_MAX,
    clockBackstepMs: CLOCK_BACKSTEP_MS_MAX,
    retentionYearsMin: 3,
    operator: {
      ageTopCode: 90,
      kAnonymityMin: 10,
      rareBelowPatients: 10,
      municipality: { kept: 'when-needed', populationMin: 100_000 },
      leakReportDays: { first: 3, full: 30 },
      stoppedLeavePseudonymized: 'next-refresh',
    },
    cites: 'act-only',
    unconfirmed: UNCONFIRMED,
  },
]
