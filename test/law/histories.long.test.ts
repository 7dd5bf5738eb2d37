import { expect, test } from 'vitest'
import { compare, emptyTally } from './histories/compare.ts'
import { plants } from './histories/plants.ts'

/**
 * The gate beside an oracle that works out from LAW.md, from what people did, whether a record may leave. A million by
 * `node test/law/histories.ts`.
 */
const HISTORIES = 20_000

test('S1 S2 random histories: nothing leaves early, nothing after a stop, nothing is kept back needlessly', () => {
  const tally = emptyTally()
  for (let seed = 1; seed <= HISTORIES; seed++) compare(seed, tally)
  expect(tally.differences).toEqual([])
  expect(tally.histories).toBe(HISTORIES)
  expect(tally.allowed).toBeGreaterThan(tally.questions / 20)
  const never = [...STEPS, ...ANSWERS].filter((name) => !tally.sometimes.has(name))
  expect(never).toEqual([])
}, 30_000)

test.each([1735, 22_095, 401_033, 786_149])(
  'seed %i, where gate and law once differed, is settled',
  (seed) => {
    const tally = emptyTally()
    compare(seed, tally)
    expect(tally.differences).toEqual([])
  },
)

test.each(Object.keys(plants))('a planted mistake is found: %s', (name) => {
  const tally = emptyTally()
  for (let seed = 1; seed <= HISTORIES && tally.differences.length === 0; seed++)
    compare(seed, tally, plants[name])
  expect(tally.differences.length).toBeGreaterThan(0)
})

const STEPS = [
  'seen',
  'hand',
  'confirm',
  'approve',
  'return',
  'void',
  'arrive',
  'capacity',
  'death',
  'stop',
  'believe',
  'dismiss',
  'withdraw',
  'undo',
  'hold',
  'clear',
  'merge',
  'unmerge',
]
const ANSWERS = [
  'ALLOW',
  'WAITING',
  'STOPPED',
  'NOT_NOTIFIED',
  'NOT_FILED',
  'FILING_ENDED',
  'FACILITY_ENDED',
  'CLOCK_UNSURE',
  'HOLD_TURNED_16',
  'HOLD_MERGE',
  'HOLD_DEATH',
  'HOLD_IDENTITY',
  'PERSON_NOTICE_MISSING',
  'GUARDIAN_NOTICE_MISSING',
  'AGE_UNKNOWN',
  'TRACK_NOT_NOTIFIED',
  'OPERATOR_NOT_NOTIFIED',
  'ITEM_NOT_NOTIFIED',
  'ITEM_NOT_FILED',
  'NOTICE_OUTDATED',
  'DIED_BEFORE_NOTICE',
]
