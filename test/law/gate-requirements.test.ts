import { filingId } from '@kakehashi/protocol/ids'
import { expect, test } from 'vitest'
import {
  answer,
  ask,
  ENTITY,
  filed,
  happened,
  jst,
  notice,
  OTHER_OPERATOR,
  published,
  RULE_FILE,
  SCHEME,
  seen,
  settings,
  stop,
  template,
} from './register.ts'

/** LAW §9 at the gate: requirement by requirement, beside the traps of `gate.test.ts`. */

test('R2 filing gate: accepted, in force on the day, and covering the version of the notice', () => {
  const events = [seen(), notice('2026-04-01 10:00')]
  const head = [ENTITY, published(template())]
  const later = [...head, filed({ acceptedOn: '2026-06-20' })]
  expect(answer('2026-06-19 23:59', { facility: later, events })).toBe('NOT_FILED')
  expect(answer('2026-06-20 00:00', { facility: later, events })).toBe('ALLOW')
  const ended = {
    type: 'filing-ended',
    event: 'end',
    recordedAt: jst('2026-06-01'),
    by: 's1',
    filing: filingId('f-ANON'),
    endedOn: '2026-06-15',
  } as const
  expect(answer('2026-06-14 23:59', { facility: [...SCHEME, ended], events })).toBe('ALLOW')
  expect(answer('2026-06-15 00:00', { facility: [...SCHEME, ended], events })).toBe('FILING_ENDED')
  const second = template({ version: 2, hash: 'e5'.repeat(32) })
  const unfiled = [...head, published(second), filed({ templateVersion: 1 })]
  const newer = [seen(), notice('2026-04-01 10:00', { templateVersion: 2, templateHash: second.hash })]
  expect(answer('2026-06-15 12:00', { facility: unfiled, events: newer })).toBe('NOT_FILED')
})

test('R6 capacity back: an own notice and a new period are due', () => {
  const events = [
    seen(),
    notice('2026-01-05 10:00'),
    happened('2026-03-01 10:00', { type: 'capacity-judged', capacity: 'unable' }),
  ]
  expect(answer('2026-06-15 12:00', { events })).toBe('GUARDIAN_NOTICE_MISSING')
  const both = [...events, notice('2026-03-02 10:00', { recipient: 'guardian' })]
  expect(answer('2026-06-15 12:00', { events: both })).toBe('ALLOW')
  const back = [...both, happened('2026-06-20 10:00', { type: 'capacity-judged', capacity: 'able' })]
  expect(answer('2026-06-20 10:00', { events: back })).toBe('PERSON_NOTICE_MISSING')
  const renewed = [...back, notice('2026-06-21 10:00')]
  expect(ask('2026-07-21 12:00', { events: renewed })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-07-22',
  })
})

test('R7 waiting period engine: the hospital may lengthen, never shorten', () => {
  const events = [seen(), notice('2026-04-01 10:00')]
  const longer = [...SCHEME, settings({ waitDays: 60 })]
  expect(ask('2026-05-02 00:00', { facility: longer, events })).toMatchObject({ earliest: '2026-06-02' })
  const shorter = [...SCHEME, settings({ waitDays: 7 })]
  expect(ask('2026-04-09 00:00', { facility: shorter, events })).toMatchObject({ earliest: '2026-05-02' })
})

test('R7 closed days: weekend, holiday, year end and the window’s own days extend the wait', () => {
  const earliest = (given: string, closedDays: string[] = []) => {
    const decision = ask(given, {
      facility: [...SCHEME, settings({ closedDays })],
      events: [seen(), notice(given)],
    })
    return decision.earliest
  }
  expect(earliest('2026-04-09 10:00')).toBe('2026-05-12') // day 30 is Saturday 9 May
  expect(earliest('2026-04-03 10:00')).toBe('2026-05-08') // Sunday 3 May, then holidays until 6 May
  expect(earliest('2026-11-29 10:00')).toBe('2027-01-05') // 29 December to 3 January
  expect(earliest('2026-04-01 10:00', ['2026-05-01'])).toBe('2026-05-08')
})

test('R7 clock: a clock behind a time already seen denies, one minute behind does not', () => {
  const events = [seen(), notice('2026-04-01 10:00')]
  expect(answer('2026-06-15 12:00', { events, latestSeen: jst('2026-06-16 12:00') })).toBe('CLOCK_UNSURE')
  expect(answer('2026-06-15 12:00', { events, latestSeen: jst('2026-06-15 12:01') })).toBe('ALLOW')
  expect(answer('2020-06-15 12:00', { events })).toBe('CLOCK_UNSURE')
})

test('R8 mail: the clock starts with arrival, also when that lies ahead', () => {
  const mailed = notice('2026-04-08 12:00', { method: 'post', recordedAt: jst('2026-04-01 09:00') })
  expect(ask('2026-04-02 09:00', { events: [seen(), mailed] })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-05-09',
  })
  const handed = notice('2026-04-08 12:00', { recordedAt: jst('2026-04-01 09:00') })
  expect(answer('2026-06-15 12:00', { events: [seen(), handed] })).toBe('NOT_NOTIFIED')
})

test('R10 end of scheme: stops all sends on the day', () => {
  const facility = [...SCHEME, settings({ endedOn: '2026-06-15' })]
  const events = [seen(), notice('2026-04-01 10:00')]
  expect(answer('2026-06-14 23:59', { facility, events })).toBe('ALLOW')
  expect(answer('2026-06-15 00:00', { facility, events })).toBe('FACILITY_ENDED')
})

test('R16 stop at the operator: a provisional stop holds as a confirmed one', () => {
  const events = [seen(), notice('2026-04-01 10:00')]
  const asked = stop('2026-06-01 10:00', {
    standing: 'provisional',
    origin: 'operator',
    identityCheck: 'none',
  })
  expect(answer('2026-06-01 10:00', { events: [...events, asked] })).toBe('STOPPED')
})

test('R18 scope: a stop for one track or operator leaves the other; unclear means all', () => {
  const pseudo = template({ track: 'PSEUDO', hash: 'c3'.repeat(32) })
  const facility = [...SCHEME, published(pseudo), filed({ track: 'PSEUDO' })]
  const both = [
    seen(),
    notice('2026-04-01 10:00'),
    notice('2026-04-01 10:00', { track: 'PSEUDO', templateHash: pseudo.hash }),
  ]
  const oneTrack = { facility, events: [...both, stop('2026-06-01 10:00', { tracks: ['PSEUDO'] })] }
  expect(answer('2026-06-15 12:00', { ...oneTrack, track: 'PSEUDO' })).toBe('STOPPED')
  expect(answer('2026-06-15 12:00', { ...oneTrack, track: 'ANON' })).toBe('ALLOW')
  const elsewhere = stop('2026-06-01 10:00', { operators: [OTHER_OPERATOR] })
  expect(answer('2026-06-15 12:00', { events: [...both, elsewhere] })).toBe('ALLOW')
  const unclear = stop('2026-06-01 10:00', { tracks: [], operators: [] })
  expect(answer('2026-06-15 12:00', { events: [...both, unclear] })).toBe('STOPPED')
})

test('R12 undo: a stop on the wrong patient is taken back within ten minutes, not later', () => {
  const asked = stop('2026-06-01 10:00')
  const events = [seen(), notice('2026-04-01 10:00'), asked]
  const undone = (at: string) => [...events, happened(at, { type: 'stop-undone', stop: asked.stop })]
  expect(answer('2026-06-01 12:00', { events: undone('2026-06-01 10:10') })).toBe('ALLOW')
  expect(answer('2026-06-01 12:00', { events: undone('2026-06-01 10:11') })).toBe('STOPPED')
})

test('R21 withdrawal: by the same person, then a fresh notice and a fresh period', () => {
  const asked = stop('2026-06-01 10:00')
  const events = [seen(), notice('2026-04-01 10:00'), asked]
  const withdrawn = (requester: 'person' | 'family') =>
    happened('2026-07-01 10:00', { type: 'stop-withdrawn', stop: asked.stop, requester })
  expect(answer('2026-12-01 12:00', { events: [...events, withdrawn('family')] })).toBe('STOPPED')
  const lifted = [...events, withdrawn('person')]
  expect(answer('2026-12-01 12:00', { events: lifted })).toBe('NOT_NOTIFIED')
  const before = [...lifted, notice('2026-06-30 10:00', { recordedAt: jst('2026-06-30 10:00') })]
  expect(answer('2026-12-01 12:00', { events: before })).toBe('NOT_NOTIFIED')
  const renewed = [...lifted, notice('2026-07-02 10:00')]
  expect(ask('2026-07-03 12:00', { events: renewed })).toMatchObject({
    code: 'WAITING',
    earliest: '2026-08-04',
  })
})

test('R22 bereaved family: one relative’s stop suffices and the person’s own stop stays after death', () => {
  const events = [seen('1940-05-05', '2026-06-10'), notice('2026-04-01 10:00')]
  const facility = [...SCHEME, settings({ deathPolicy: 'allow' })]
  expect(answer('2026-06-15 12:00', { facility, events })).toBe('ALLOW')
  const family = stop('2026-06-14 10:00', { requester: 'family', relation: 'child' })
  expect(answer('2026-06-15 12:00', { facility, events: [...events, family] })).toBe('STOPPED')
})

test('R23 default deny: whatever cannot be read denies', () => {
  const events = [seen(), notice('2026-04-01 10:00')]
  expect(answer('2026-06-15 12:00', { events, operator: { tracks: undefined as never } })).toBe(
    'STATE_UNREADABLE',
  )
  expect(answer('2026-06-15 12:00', { events, track: 'OTHER' as never })).toBe('STATE_UNREADABLE')
  expect(answer('2026-06-15 12:00', { events, item: 'genome' as never })).toBe('ITEM_NOT_NOTIFIED')
  expect(answer('2026-06-15 12:00', { events, latestSeen: Number.NaN })).toBe('CLOCK_UNSURE')
  const judged = happened('2026-05-01 10:00', { type: 'capacity-judged', capacity: 'maybe' as never })
  expect(answer('2026-06-15 12:00', { events: [...events, judged] })).toBe('CAPACITY_UNKNOWN')
  const facility = [...SCHEME, settings({ waitDays: Number.NaN })]
  expect(answer('2026-06-15 12:00', { facility, events })).toBe('STATE_UNREADABLE')
})

test.each([
  ['identity', 'HOLD_IDENTITY'],
  ['merge', 'HOLD_MERGE'],
  ['death-review', 'HOLD_DEATH'],
  ['capacity', 'HOLD_CAPACITY'],
  ['other', 'HOLD_OTHER'],
] as const)('R23 hold %s denies until it is cleared', (reason, code) => {
  const events = [
    seen(),
    notice('2026-04-01 10:00'),
    happened('2026-05-10 10:00', { type: 'hold-set', reason }),
  ]
  expect(answer('2026-06-15 12:00', { events })).toBe(code)
  const cleared = happened('2026-06-14 10:00', { type: 'hold-cleared', reason })
  expect(answer('2026-06-15 12:00', { events: [...events, cleared] })).toBe('ALLOW')
})

test('R50 certification: revoked, ended, other track or an old status list denies', () => {
  const events = [seen(), notice('2026-04-01 10:00')]
  const at = '2026-06-15 12:00'
  expect(answer(at, { events, operator: { standing: 'revoked' } })).toBe('OPERATOR_NOT_CERTIFIED')
  expect(answer(at, { events, operator: { standing: 'ended' } })).toBe('OPERATOR_NOT_CERTIFIED')
  expect(answer(at, { events, operator: { tracks: ['PSEUDO'] } })).toBe('OPERATOR_NOT_CERTIFIED')
  expect(answer(at, { events, operator: { asOf: jst('2026-06-08 12:00') } })).toBe('ALLOW')
  expect(answer(at, { events, operator: { asOf: jst('2026-06-08 11:59') } })).toBe('OPERATOR_STATUS_STALE')
})

test('R53 rule file: every decision names its version, dated and marked as no legal advice', () => {
  const events = [seen(), notice('2026-04-01 10:00')]
  expect(ask('2026-06-15 12:00', { events }).ruleVersion).toBe(RULE_FILE.version)
  expect(ask('2026-06-15 12:00', { events: [seen()] }).ruleVersion).toBe(RULE_FILE.version)
  expect(RULE_FILE.disclaimer).toContain('Not legal advice')
  const future = { ...RULE_FILE, version: 'later', effectiveFrom: '2027-01-01' }
  expect(answer('2026-06-15 12:00', { events, rules: future })).toBe('CLOCK_UNSURE')
})

test('R6 placeholder birth dates are configuration: one listed denies whatever the age', () => {
  const events = [seen('1970-01-01'), notice('2026-04-01 10:00')]
  const rules = { ...RULE_FILE, placeholderBirthDates: ['1970-01-01'] }
  expect(answer('2026-06-15 12:00', { events })).toBe('ALLOW')
  expect(answer('2026-06-15 12:00', { events, rules })).toBe('AGE_UNKNOWN')
})

test('R25 notice proof: recorded in the future, or for another operator than its text allows, is none', () => {
  const ahead = { recordedAt: jst('2026-09-01 10:00'), backdateApprovedBy: 's2' }
  expect(answer('2026-06-15 12:00', { events: [seen(), notice('2026-04-01 10:00', ahead)] })).toBe(
    'NOT_NOTIFIED',
  )
  const nobody = notice('2026-04-01 10:00', { operators: [] })
  expect(answer('2026-06-15 12:00', { events: [seen(), nobody] })).toBe('OPERATOR_NOT_NOTIFIED')
})
