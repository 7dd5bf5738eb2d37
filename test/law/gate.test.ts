import { expect, test } from 'vitest'
import {
  answer,
  ask,
  CHART,
  ENTITY,
  filed,
  happened,
  jst,
  notice,
  OPERATOR,
  OTHER_OPERATOR,
  published,
  SCHEME,
  seen,
  SECOND_CHART,
  settings,
  stop,
  template,
  WITHOUT_EXTENSION,
} from './register.ts'

/** LAW §11 at the gate: given these events of the register, when it is asked, then it answers so. */

test('T1 UTC date: a notice stored as the evening before in UTC counts from its day in Tokyo', () => {
  const given = notice('2026-04-01 08:30')
  expect(new Date(given.deliveredAt).toISOString()).toBe('2026-03-31T23:30:00.000Z')
  const question = { events: [seen(), given] }
  expect(ask('2026-05-01 12:00', question)).toMatchObject({ code: 'WAITING', earliest: '2026-05-02' })
  expect(answer('2026-05-01 23:59', question)).toBe('WAITING')
  expect(ask('2026-05-02 00:00', question)).toMatchObject({ allow: true, earliest: '2026-05-02' })
})

test('T2 first day: a notice one minute before midnight waits 30 full days', () => {
  const question = { events: [seen(), notice('2026-04-01 23:59')] }
  expect(answer('2026-05-01 23:59', question)).toBe('WAITING')
  expect(answer('2026-05-02 00:00', question)).toBe('ALLOW')
  const minuteLater = { events: [seen(), notice('2026-04-02 00:00')] }
  expect(answer('2026-05-02 23:59', minuteLater)).toBe('WAITING')
})

test('T3 one month shorter than 30 days: the 30 days prevail; longer, the month prevails', () => {
  const facility = [ENTITY, published(template({ saysOneMonth: true })), filed()]
  const january = { facility, events: [seen(), notice('2027-01-31 10:00')] }
  expect(ask('2027-03-01 12:00', january)).toMatchObject({ code: 'WAITING', earliest: '2027-03-03' })
  expect(answer('2027-03-02 23:59', january)).toBe('WAITING')
  expect(answer('2027-03-03 00:00', january)).toBe('ALLOW')
  const july = { facility, events: [seen(), notice('2026-07-01 10:00')], rules: WITHOUT_EXTENSION }
  expect(ask('2026-08-01 12:00', july)).toMatchObject({ code: 'WAITING', earliest: '2026-08-02' })
})

test('T4 poster: without an individual notice nobody is cleared', () => {
  expect(answer('2026-06-15 12:00', { events: [seen()] })).toBe('NOT_NOTIFIED')
})

test('T5 old patient: last seen before the scheme, no notice, no record leaves', () => {
  const facility = [
    ENTITY,
    published(template({ publishedAt: jst('2021-03-01') })),
    filed({ acceptedOn: '2021-03-01' }),
  ]
  expect(answer('2026-06-15 12:00', { facility, events: [seen('1940-05-05')] })).toBe('NOT_NOTIFIED')
})

test('T6 stored flag: yesterday’s answer is worth nothing after a stop at 09:00', () => {
  const events = [seen(), notice('2026-04-01 08:30')]
  expect(answer('2026-06-02 02:00', { events })).toBe('ALLOW')
  expect(answer('2026-06-02 09:05', { events: [...events, stop('2026-06-02 09:00')] })).toBe('STOPPED')
})

test('T7 returned mail: the notice is void from the beginning', () => {
  const mailed = notice('2026-05-05 12:00', { method: 'post', recordedAt: jst('2026-04-28 09:00') })
  const events = [seen(), mailed]
  expect(ask('2026-06-05 00:00', { events })).toMatchObject({ allow: true, earliest: '2026-06-05' })
  const returned = happened('2026-06-10 09:00', { type: 'notice-returned', notice: mailed.notice })
  expect(answer('2026-06-10 09:00', { events: [...events, returned] })).toBe('NOT_NOTIFIED')
})

test('T8 kiosk print: counts only after it was confirmed', () => {
  const printed = notice('2026-04-01 08:10', { method: 'kiosk', confirmed: false })
  const events = [seen(), printed]
  expect(answer('2026-06-15 12:00', { events })).toBe('NOT_NOTIFIED')
  const confirmed = happened('2026-04-01 11:00', { type: 'notice-confirmed', notice: printed.notice })
  expect(answer('2026-06-15 12:00', { events: [...events, confirmed] })).toBe('ALLOW')
  const cancelled = happened('2026-04-01 08:20', {
    type: 'notice-voided',
    notice: printed.notice,
    reason: 'visit-cancelled',
  })
  expect(answer('2026-06-15 12:00', { events: [...events, cancelled, confirmed] })).toBe('NOT_NOTIFIED')
})

test('T9 filing missing: 500 notices older than 60 days and no filing, none leaves', () => {
  const facility = [ENTITY, published(template())]
  for (let i = 0; i < 500; i++) {
    const events = [seen(), notice('2026-04-01 08:30')]
    expect(answer('2026-06-15 12:00', { facility, events })).toBe('NOT_FILED')
  }
})

test('T10 new item: images wait for the new notice, laboratory data keeps flowing', () => {
  const second = template({ version: 2, hash: 'b2'.repeat(32), items: ['identity', 'laboratory', 'image'] })
  const facility = [...SCHEME, published({ ...second, publishedAt: jst('2026-05-20') })]
  const old = notice('2026-04-01 08:30')
  const again = notice('2026-06-01 10:00', { templateVersion: 2, templateHash: second.hash })
  expect(answer('2026-06-01 09:00', { facility, events: [seen(), old], item: 'image' })).toBe(
    'ITEM_NOT_NOTIFIED',
  )
  const events = [seen(), old, again]
  expect(ask('2026-06-02 00:00', { facility, events, item: 'image' })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-07-02',
  })
  expect(ask('2026-06-02 00:00', { facility, events })).toMatchObject({ allow: true, notice: old.notice })
  expect(ask('2026-07-02 00:00', { facility, events, item: 'image' })).toMatchObject({
    allow: true,
    notice: again.notice,
  })
})

test('T12 second track: a notice for anonymized data opens nothing for pseudonymized data', () => {
  const pseudo = template({ track: 'PSEUDO', hash: 'c3'.repeat(32) })
  const facility = [...SCHEME, published(pseudo), filed({ track: 'PSEUDO' })]
  const events = [seen(), notice('2026-04-01 08:30')]
  expect(answer('2026-06-15 12:00', { facility, events, track: 'PSEUDO' })).toBe('TRACK_NOT_NOTIFIED')
  expect(answer('2026-06-15 12:00', { facility, events, track: 'ANON' })).toBe('ALLOW')
  expect(answer('2026-06-15 12:00', { events, track: 'PSEUDO' })).toBe('NOT_FILED')
})

test('T13 second operator: nothing flows to Y before a notice that names Y and a new period', () => {
  const both = template({ version: 2, hash: 'd4'.repeat(32), operators: [OPERATOR, OTHER_OPERATOR] })
  const facility = [...SCHEME, published({ ...both, publishedAt: jst('2026-06-01') })]
  const operator = { operator: OTHER_OPERATOR }
  const old = [seen(), notice('2026-04-01 08:30')]
  expect(answer('2026-06-15 12:00', { facility, events: old, operator })).toBe('OPERATOR_NOT_NOTIFIED')
  const renewed = [
    ...old,
    notice('2026-06-15 12:00', { templateVersion: 2, templateHash: both.hash, operators: both.operators }),
  ]
  expect(ask('2026-06-16 12:00', { facility, events: renewed, operator })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-07-16',
  })
  expect(answer('2026-07-16 00:00', { facility, events: renewed, operator })).toBe('ALLOW')
  expect(answer('2026-06-16 12:00', { facility, events: renewed })).toBe('ALLOW')
})

test('T13 second operator: a notice recorded for Y whose text does not name Y opens nothing', () => {
  const events = [seen(), notice('2026-04-01 08:30', { operators: [OPERATOR, OTHER_OPERATOR] })]
  expect(answer('2026-06-15 12:00', { events, operator: { operator: OTHER_OPERATOR } })).toBe(
    'OPERATOR_NOT_NOTIFIED',
  )
})

test('T14 duplicate notice: the first counts, nothing is shortened or restarted', () => {
  const first = notice('2026-04-01 08:30')
  const events = [seen(), first, notice('2026-04-20 08:30')]
  expect(ask('2026-05-05 00:00', { events })).toMatchObject({
    allow: true,
    earliest: '2026-05-02',
    notice: first.notice,
  })
  expect(answer('2026-05-01 23:59', { events })).toBe('WAITING')
})

test('T15 backdating: without a second person the date is the day of recording', () => {
  const backdated = { recordedAt: jst('2026-05-12 10:00') }
  const alone = { events: [seen(), notice('2026-04-02 10:00', backdated)] }
  expect(ask('2026-05-12 10:00', alone)).toMatchObject({ code: 'WAITING', earliest: '2026-06-12' })
  const self = { events: [seen(), notice('2026-04-02 10:00', { ...backdated, backdateApprovedBy: 's1' })] }
  expect(answer('2026-05-12 10:00', self)).toBe('WAITING')
  const approved = {
    events: [seen(), notice('2026-04-02 10:00', { ...backdated, backdateApprovedBy: 's2' })],
  }
  expect(answer('2026-05-12 10:00', approved)).toBe('ALLOW')
})

test('T16 one of two missing: under 16 both the person and the guardian are notified', () => {
  const child = seen('2011-01-15')
  const person = notice('2026-04-01 10:00')
  const guardian = notice('2026-04-10 10:00', { recipient: 'guardian' })
  expect(answer('2026-06-15 12:00', { events: [child, person] })).toBe('GUARDIAN_NOTICE_MISSING')
  expect(answer('2026-06-15 12:00', { events: [child, guardian] })).toBe('PERSON_NOTICE_MISSING')
  expect(answer('2026-06-15 12:00', { events: [child] })).toBe('NOT_NOTIFIED')
  const both = { events: [child, person, guardian] }
  expect(ask('2026-05-09 12:00', both)).toMatchObject({ code: 'WAITING', earliest: '2026-05-12' })
  expect(ask('2026-05-12 00:00', both)).toMatchObject({ allow: true, notice: guardian.notice })
})

test('T17 turns 16: held from the birthday until an own notice and a new period', () => {
  const child = [
    seen('2010-06-15'),
    notice('2024-07-01 10:00'),
    notice('2024-07-01 10:00', { recipient: 'guardian' }),
  ]
  expect(answer('2026-06-14 23:59', { events: child })).toBe('ALLOW')
  expect(answer('2026-06-15 00:00', { events: child })).toBe('HOLD_TURNED_16')
  const events = [...child, notice('2026-06-20 10:00')]
  expect(ask('2026-07-21 12:00', { events })).toMatchObject({ code: 'WAITING', earliest: '2026-07-22' })
  expect(answer('2026-07-22 00:00', { events })).toBe('ALLOW')
  expect(ask('2026-07-20 23:59', { events, rules: WITHOUT_EXTENSION })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-07-21',
  })
  expect(answer('2026-07-21 00:00', { events, rules: WITHOUT_EXTENSION })).toBe('ALLOW')
})

test('T18 29 February: held from the 16th birthday, again a leap year', () => {
  const events = [
    seen('2012-02-29'),
    notice('2027-07-01 10:00'),
    notice('2027-07-01 10:00', { recipient: 'guardian' }),
  ]
  expect(answer('2028-02-28 23:59', { events })).toBe('ALLOW')
  expect(answer('2028-02-29 00:00', { events })).toBe('HOLD_TURNED_16')
})

test.each([
  [null],
  ['1900-01-01'],
  ['1899-12-30'],
  ['1868-01-25'],
  ['2030-01-01'],
  ['1890-04-04'],
  ['1970-13-01'],
])('T18 unknown birth date: %s denies', (birthDate) => {
  expect(answer('2026-06-15 12:00', { events: [seen(birthDate), notice('2026-04-01 10:00')] })).toBe(
    'AGE_UNKNOWN',
  )
})

test('T19 guardian’s stop after 16: stays until the person withdraws explicitly', () => {
  const asked = stop('2021-05-01 10:00', { requester: 'guardian' })
  const events = [seen('2009-04-01'), asked, notice('2026-06-01 10:00')]
  expect(answer('2026-12-01 12:00', { events })).toBe('STOPPED')
  const withdraw = (requester: 'person' | 'guardian') =>
    happened('2026-07-01 10:00', { type: 'stop-withdrawn', stop: asked.stop, requester })
  expect(answer('2026-12-01 12:00', { events: [...events, withdraw('guardian')] })).toBe('STOPPED')
  const withdrawn = [...events, withdraw('person')]
  expect(answer('2026-12-01 12:00', { events: withdrawn })).toBe('NOT_NOTIFIED')
  const renewed = [...withdrawn, notice('2026-07-01 10:05')]
  expect(ask('2026-07-20 12:00', { events: renewed })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-08-01',
  })
  expect(answer('2026-08-01 00:00', { events: renewed })).toBe('ALLOW')
})

test('T20 died before notice: the daughter’s sheet does not open the gate, ever', () => {
  const events = [seen('1940-05-05', '2025-12-20'), notice('2026-01-15 10:00', { recipient: 'guardian' })]
  for (const facility of [SCHEME, [...SCHEME, settings({ deathPolicy: 'allow' })]]) {
    expect(answer('2026-06-15 12:00', { facility, events })).toBe('DIED_BEFORE_NOTICE')
    expect(answer('2036-06-16 12:00', { facility, events })).toBe('DIED_BEFORE_NOTICE')
  }
})

test('T21 died inside the period: held unless the hospital decided otherwise; a sibling’s stop is for all', () => {
  const events = [seen('1940-05-05', '2026-04-10'), notice('2026-04-01 10:00')]
  expect(answer('2026-05-02 00:00', { events })).toBe('HOLD_DEATH')
  const facility = [...SCHEME, settings({ deathPolicy: 'allow' })]
  expect(answer('2026-05-01 23:59', { facility, events })).toBe('WAITING')
  expect(answer('2026-05-02 00:00', { facility, events })).toBe('ALLOW')
  const sibling = stop('2026-05-03 10:00', { requester: 'family' })
  expect(answer('2026-05-03 10:00', { facility, events: [...events, sibling] })).toBe('STOPPED')
  const reviewed = happened('2026-05-10 10:00', { type: 'hold-cleared', reason: 'death-review' })
  expect(answer('2026-05-10 10:00', { events: [...events, reviewed] })).toBe('ALLOW')
})

test('T22 unconscious: a sheet in the belongings does not start the clock', () => {
  const bag = notice('2026-04-01 03:00', { recipientState: 'unable' })
  const unable = happened('2026-04-01 03:00', { type: 'capacity-judged', capacity: 'unable' })
  expect(answer('2026-06-15 12:00', { events: [seen(), unable, bag] })).toBe('NOT_NOTIFIED')
  const guardian = notice('2026-04-02 10:00', { recipient: 'guardian' })
  expect(answer('2026-06-15 12:00', { events: [seen(), unable, bag, guardian] })).toBe(
    'PERSON_NOTICE_MISSING',
  )
  const back = happened('2026-04-20 10:00', { type: 'capacity-judged', capacity: 'able' })
  const own = notice('2026-04-21 10:00')
  expect(answer('2026-06-15 12:00', { events: [seen(), unable, bag, guardian, back] })).toBe(
    'PERSON_NOTICE_MISSING',
  )
  expect(ask('2026-05-21 23:59', { events: [seen(), unable, bag, guardian, back, own] })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-05-22',
  })
})

test('T27 duplicate chart: a stop on one stops both; a doubtful pair is held', () => {
  const charts = [seen(), notice('2026-04-01 10:00'), seen('1970-03-03', null, SECOND_CHART)]
  const asked = stop('2026-06-01 10:00', { patient: SECOND_CHART })
  const same = happened('2026-06-01 10:01', { type: 'charts-merged', other: SECOND_CHART, certain: true })
  const doubtful = happened('2026-06-01 10:01', {
    type: 'charts-merged',
    other: SECOND_CHART,
    certain: false,
  })
  expect(answer('2026-06-01 10:02', { events: [...charts, asked] })).toBe('ALLOW')
  for (const patient of [CHART, SECOND_CHART])
    expect(answer('2026-06-01 10:02', { events: [...charts, asked, same], patient })).toBe('STOPPED')
  expect(answer('2026-06-01 10:02', { events: [...charts, asked, doubtful] })).toBe('HOLD_MERGE')
  const doubtfulOther = { events: [...charts, asked, doubtful], patient: SECOND_CHART }
  expect(answer('2026-06-01 10:02', doubtfulOther)).toBe('STOPPED')
})

test('T28 merge hides a stop: merged is stopped; un-merged, B stays stopped and A is recomputed', () => {
  const events = [
    seen(),
    notice('2026-04-01 10:00'),
    seen('1970-03-03', null, SECOND_CHART),
    stop('2026-04-05 10:00', { patient: SECOND_CHART }),
    happened('2026-06-01 10:00', { type: 'charts-merged', other: CHART, certain: true }, SECOND_CHART),
  ]
  expect(answer('2026-06-02 10:00', { events })).toBe('STOPPED')
  const apart = [...events, happened('2026-06-03 10:00', { type: 'charts-unmerged', other: SECOND_CHART })]
  expect(answer('2026-06-03 10:00', { events: apart })).toBe('ALLOW')
  expect(answer('2026-06-03 10:00', { events: apart, patient: SECOND_CHART })).toBe('STOPPED')
})

test('T29 re-notice: never clears a stop', () => {
  const events = [seen(), notice('2026-04-01 10:00'), stop('2026-05-01 10:00')]
  const again = [...events, notice('2026-05-20 10:00'), notice('2026-06-20 10:00')]
  expect(answer('2026-12-01 12:00', { events: again })).toBe('STOPPED')
})
