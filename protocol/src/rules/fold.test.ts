import { expect, test } from 'vitest'
import type { FacilityEvent, PatientEvent } from '../events.ts'
import { entityId, facilityId, filingId, noticeId, parsePatientKey, stopHandle, stopId } from '../ids.ts'
import { foldFacility, foldPatient } from './fold.ts'
import { mayWithdraw } from './stops.ts'

const [A, B, C] = ['hp/1', 'hp/2', 'hp/3'].map(parsePatientKey) as [never, never, never]
let count = 0
type Bare<T> = T extends PatientEvent ? Omit<T, 'event' | 'recordedAt' | 'by' | 'patient'> : never
const event = (what: Bare<PatientEvent>, patient = A, recordedAt = 1000): PatientEvent =>
  ({ event: `e${++count}`, recordedAt, by: 's1', patient, ...what }) as PatientEvent

const given = (id: string, patient = A, more: object = {}) =>
  event(
    {
      type: 'notice-given',
      notice: noticeId(id),
      track: 'ANON',
      templateVersion: 1,
      templateHash: 'a1'.repeat(32),
      operators: [],
      recipient: 'person',
      recipientState: 'able',
      method: 'kiosk',
      issuedAt: 1,
      deliveredAt: 2,
      confirmed: true,
      ...more,
    },
    patient,
  )
const asked = (id: string, patient = A, requester: 'person' | 'guardian' = 'person') =>
  event(
    {
      type: 'stop-asked',
      stop: stopId(id),
      tracks: null,
      operators: null,
      requester,
      identityCheck: 'card',
      standing: 'confirmed',
      origin: 'counter',
      erasureAsked: false,
    },
    patient,
  )
const seen = (birthDate: string | null, patient = A, deceasedOn: string | null = null) =>
  event({ type: 'patient-seen', birthDate, deceasedOn }, patient)
const merged = (one: never, other: never, certain = true) =>
  event({ type: 'charts-merged', other, certain }, one)
const parted = (one: never, other: never) => event({ type: 'charts-unmerged', other }, one)

test('nothing known: able, no notice, no birth date', () => {
  expect(foldPatient(A, [])).toEqual({
    patient: A,
    birthDate: null,
    deceasedOn: null,
    capacity: 'able',
    capacityReturnedAt: null,
    notices: [],
    stops: [],
    holds: [],
    handles: [],
  })
})

test('events of a chart that has nothing to do with it change nothing', () => {
  const own = [seen('1970-03-03'), given('n1')]
  const foreign = [seen('1999-01-01', B), given('n2', B), asked('s2', B), merged(B, C)]
  expect(foldPatient(A, [...own, ...foreign])).toEqual(foldPatient(A, own))
})

test('void is void from the beginning, before or after a confirmation', () => {
  const pending = given('n1', A, { confirmed: false })
  const confirm = event({ type: 'notice-confirmed', notice: noticeId('n1') })
  const back = event({ type: 'notice-returned', notice: noticeId('n1') })
  const standing = (events: PatientEvent[]) => foldPatient(A, events).notices.map((n) => n.standing)
  expect(standing([pending])).toEqual(['pending'])
  expect(standing([pending, confirm])).toEqual(['effective'])
  expect(standing([pending, confirm, back])).toEqual(['void'])
  expect(standing([back, pending, confirm])).toEqual(['void'])
})

test('a notice id counts once, the first record of it stays', () => {
  const { notices } = foldPatient(A, [given('n1', A, { deliveredAt: 5 }), given('n1', A, { deliveredAt: 9 })])
  expect(notices.map((n) => n.deliveredAt)).toEqual([5])
})

test('another chart’s event cannot void or undo', () => {
  const stray = [
    event({ type: 'notice-voided', notice: noticeId('n1'), reason: 'undone' }, B),
    event({ type: 'stop-undone', stop: stopId('s1') }, B),
    event({ type: 'stop-withdrawn', stop: stopId('s1'), requester: 'person' }, B),
  ]
  const state = foldPatient(A, [given('n1'), asked('s1'), ...stray])
  expect(state.notices[0]?.standing).toBe('effective')
  expect(state.stops[0]?.standing).toBe('confirmed')
})

test('merged charts share notices, stops, holds, handles and the earlier death; order of words counts', () => {
  const handle = stopHandle('ab'.repeat(32))
  const events = [
    seen('1970-03-03', A, '2026-05-02'),
    seen('1970-03-03', B, '2026-05-01'),
    given('n1', B, { handle }),
    asked('s1', C),
    event({ type: 'hold-set', reason: 'other' }, B),
    merged(A, B),
    merged(C, B),
  ]
  const state = foldPatient(A, events)
  expect(state.notices).toHaveLength(1)
  expect(state.stops).toHaveLength(1)
  expect(state.holds).toEqual(['other'])
  expect(state.handles).toEqual([handle])
  expect(state.deceasedOn).toBe('2026-05-01')
  const apart = foldPatient(A, [...events, parted(B, A)])
  expect([apart.notices, apart.stops, apart.holds]).toEqual([[], [], []])
  expect(foldPatient(A, [...events, parted(B, A), merged(B, A)]).stops).toHaveLength(1)
})

test('a doubtful merge holds both charts and everything merged with them, and shares no notice', () => {
  const events = [given('n1', B), merged(A, B, false), merged(B, C)]
  expect(foldPatient(A, events)).toMatchObject({ holds: ['merge'], notices: [] })
  expect(foldPatient(B, events)).toMatchObject({ holds: ['merge'], notices: [{ notice: 'n1' }] })
  expect(foldPatient(C, events)).toMatchObject({ holds: ['merge'] })
  const cleared = event({ type: 'hold-cleared', reason: 'merge' })
  expect(foldPatient(A, [...events, cleared]).holds).toEqual(['merge'])
  expect(foldPatient(A, [...events, merged(A, B, true)])).toMatchObject({
    holds: [],
    notices: [{ notice: 'n1' }],
  })
  expect(foldPatient(A, [...events, parted(A, B)])).toMatchObject({ holds: [], notices: [] })
})

test('charts of one person with two birth dates: age unknown and held', () => {
  const events = [seen('1970-03-03', A), seen('2012-03-03', B), merged(A, B)]
  expect(foldPatient(A, events)).toMatchObject({ birthDate: null, holds: ['identity'] })
  const corrected = [...events, seen('1970-03-03', B)]
  expect(foldPatient(A, corrected)).toMatchObject({ birthDate: '1970-03-03', holds: [] })
  expect(foldPatient(A, [seen('1970-03-03', A), seen(null, B), merged(A, B)]).birthDate).toBe('1970-03-03')
})

test('capacity: the last judgement, and when it returned', () => {
  const judged = (capacity: 'able' | 'unable', at: number) =>
    event({ type: 'capacity-judged', capacity }, A, at)
  const of = (...events: PatientEvent[]) => {
    const { capacity, capacityReturnedAt } = foldPatient(A, events)
    return [capacity, capacityReturnedAt]
  }
  expect(of(judged('able', 1))).toEqual(['able', null])
  expect(of(judged('unable', 1))).toEqual(['unable', null])
  expect(of(judged('unable', 1), judged('able', 2), judged('able', 3))).toEqual(['able', 2])
  expect(of(judged('unable', 1), judged('able', 2), judged('unable', 3))).toEqual(['unable', 2])
})

test('a backdated notice keeps its second person only when it is a second person', () => {
  const by = (approver: string | undefined) =>
    foldPatient(A, [given('n1', A, approver === undefined ? {} : { backdateApprovedBy: approver })])
      .notices[0]
  expect(by('s2')?.backdateApprovedBy).toBe('s2')
  expect(by('s1')).not.toHaveProperty('backdateApprovedBy')
  expect(by(undefined)).not.toHaveProperty('backdateApprovedBy')
})

test('a death review counts from the death on, and not after a new hold', () => {
  const at = (day: string) => Date.parse(`${day}T12:00:00+09:00`)
  const dead = seen('1950-01-01', A, '2026-05-01')
  const cleared = (day: string) => event({ type: 'hold-cleared', reason: 'death-review' }, A, at(day))
  const set = event({ type: 'hold-set', reason: 'death-review' }, A, at('2026-06-01'))
  expect(foldPatient(A, [dead, cleared('2026-05-09')]).deathReviewedAt).toBe(at('2026-05-09'))
  expect(foldPatient(A, [dead, cleared('2026-04-09')])).not.toHaveProperty('deathReviewedAt')
  expect(foldPatient(A, [dead, cleared('2026-05-09'), set])).not.toHaveProperty('deathReviewedAt')
  expect(foldPatient(A, [seen('1950-01-01'), cleared('2026-05-09')])).not.toHaveProperty('deathReviewedAt')
})

test.each([
  ['person', 'person', '1970-01-01', true],
  ['person', 'family', '1970-01-01', false],
  ['person', 'guardian', '2015-01-01', false],
  ['guardian', 'guardian', '2015-01-01', true],
  ['guardian', 'person', '2015-01-01', false],
  ['guardian', 'guardian', '2009-01-01', false],
  ['guardian', 'person', '2009-01-01', true],
  ['guardian', 'person', null, false],
  ['family', 'family', '1950-01-01', true],
  ['family', 'person', '1950-01-01', false],
  ['agent', 'agent', '1970-01-01', false],
  ['agent', 'person', '1970-01-01', true],
] as const)('R21 a stop by the %s, withdrawn by the %s, born %s: %s', (requester, by, birthDate, may) => {
  const recordedAt = Date.parse('2026-06-15T12:00:00+09:00')
  expect(mayWithdraw({ requester }, { requester: by, recordedAt }, birthDate)).toBe(may)
})

const HP = facilityId('hp')
const fact = {
  version: 1,
  track: 'ANON',
  hash: 'a1'.repeat(32),
  items: [],
  operators: [],
  publishedAt: 1,
  saysOneMonth: false,
} as const
const head = { event: 'e', recordedAt: 1, by: 's1' }
const entity: FacilityEvent = {
  ...head,
  type: 'entity-recorded',
  entity: { entity: entityId('c'), name: 'n', address: 'a', representative: 'r' },
}
const filing = {
  filing: filingId('f1'),
  track: 'ANON',
  templateVersion: 1,
  acceptedOn: '2026-01-01',
  endedOn: null,
} as const

test('no facility before its legal person is recorded; then the protective defaults', () => {
  expect(foldFacility(HP, [])).toBeNull()
  expect(foldFacility(HP, [entity])).toMatchObject({
    waitDays: 30,
    deathPolicy: 'hold',
    closedDays: [],
    endedOn: null,
  })
})

test('the text of a version stays, a filing’s end is never moved later', () => {
  const publish = (hash: string): FacilityEvent => ({
    ...head,
    type: 'template-published',
    template: { ...fact, items: [], operators: [], hash },
  })
  const ends = (endedOn: string): FacilityEvent => ({
    ...head,
    type: 'filing-ended',
    filing: filing.filing,
    endedOn,
  })
  const state = foldFacility(HP, [
    entity,
    publish('a1'.repeat(32)),
    publish('b2'.repeat(32)),
    { ...head, type: 'filing-accepted', filing },
    ends('2026-06-01'),
    ends('2026-09-01'),
    { ...head, type: 'filing-accepted', filing: { ...filing, templateVersion: 9 } },
  ])
  expect(state?.templates.map((t) => t.hash)).toEqual(['a1'.repeat(32)])
  expect(state?.filings).toEqual([{ ...filing, endedOn: '2026-06-01' }])
})
