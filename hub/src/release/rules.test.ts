import { afterEach, beforeEach, expect, test } from 'vitest'
import { linkedCohort } from '../anonymization/linked-cohort.ts'
import { parsePatientKey } from '@kakehashi/protocol/ids'
import { dropBuildsWith } from './erase.ts'
import { buildRelease } from './make.ts'
import { addReviewer, assignReviewers, draftRelease, submitRelease, voteOnRelease } from './flow.ts'
import { accept, application, makePeople, newHouse, type House } from './people.fixture.ts'
import { releaseView } from './read.ts'
import {
  EVENTS,
  next,
  outcomeOf,
  STATES,
  transitionDiagram,
  visibleVotes,
  voteRefusal,
  type Vote,
} from './rules.ts'
import { releaseRow } from './transition.ts'

const PATIENCE_MS = 120_000

const vote = (reviewer: string, over: Partial<Vote> = {}): Vote => ({
  reviewer,
  stage: 'review',
  digest: 'd',
  answer: 'approve',
  conflict: false,
  reason: '',
  at: 0,
  ...over,
})

test('R39 every state and event is decided, every state can be reached, and none is delivered unchecked', () => {
  const reached = new Set(['DRAFT'])
  for (let round = 0; round < STATES.length; round++)
    for (const state of STATES)
      for (const event of EVENTS) {
        const to = next(state, event)
        expect(to === null || STATES.includes(to)).toBe(true)
        if (to && reached.has(state)) reached.add(to)
      }
  expect([...reached].toSorted()).toEqual([...STATES].toSorted())
  const into = (wanted: string) =>
    STATES.flatMap((s) => EVENTS.filter((e) => next(s, e) === wanted).map((e) => `${s} ${e}`))
  expect(into('DELIVERED')).toEqual(['CHECKED deliver'])
  expect(into('CHECKED')).toEqual(['BUILT check'])
  expect(into('BUILT')).toEqual(['APPROVED build', 'BUILT build', 'CHECKED build'])
  for (const state of STATES) if (next(state, 'amend')) expect(next(state, 'amend')).toBe('DRAFT')
})

test('R39 the diagram is drawn from the table', () => {
  const arrows = transitionDiagram()
    .split('\n')
    .filter((line) => line.includes(': '))
  const allowed = STATES.flatMap((s) => EVENTS.filter((e) => next(s, e) !== null))
  expect(arrows).toHaveLength(allowed.length)
  expect(arrows).toContain('  CHECKED --> DELIVERED: deliver')
})

test('R46 two distinct voices that are not the author’s; one rejection fails; a rebuilt digest starts anew', () => {
  const outcome = (...votes: Vote[]) => outcomeOf('author', 'review', 'd', votes).state
  expect(outcome(vote('a'))).toBe('open')
  expect(outcome(vote('a'), vote('a'))).toBe('open')
  expect(outcome(vote('a'), vote('author'))).toBe('open')
  expect(outcome(vote('a'), vote('b', { digest: 'other' }))).toBe('open')
  expect(outcome(vote('a'), vote('b', { stage: 'output' }))).toBe('open')
  expect(outcome(vote('a'), vote('b', { conflict: true }))).toBe('open')
  expect(outcome(vote('a'), vote('b'))).toBe('passed')
  expect(outcome(vote('a'), vote('b', { answer: 'reject' }))).toBe('failed')
})

test('R39 votes are blind until both are in', () => {
  const votes = [vote('a')]
  expect(visibleVotes('author', votes, 'b')).toEqual([])
  expect(visibleVotes('author', votes, 'a')).toHaveLength(1)
  expect(visibleVotes('author', [...votes, vote('b')], 'c')).toHaveLength(2)
  const release = { author: 'author', reviewers: ['a', 'b'], state: 'REVIEW' as const, digest: 'd' }
  expect(voteRefusal(release, vote('a'), [])).toBeNull()
  expect(voteRefusal(release, vote('author'), [])).toContain('申請者')
  expect(voteRefusal(release, vote('x'), [])).toContain('指名')
  expect(voteRefusal(release, vote('a', { digest: 'old' }), [])).toContain('変わって')
  expect(voteRefusal(release, vote('a'), votes)).toContain('すでに')
  expect(voteRefusal({ ...release, state: 'APPROVED' }, vote('a'), [])).toContain('受け付けて')
})

let house: House
beforeEach(async () => {
  house = await newHouse()
})
afterEach(async () => {
  await house.close()
})

async function inReview(): Promise<{ release: string; digest: string }> {
  const { release } = await draftRelease(house.ops, 'author', application(house), linkedCohort())
  await submitRelease(house.ops, release, 'author')
  await assignReviewers(house.ops, release, 'office', ['a', 'b'])
  return { release, digest: (await releaseRow(house.ops.db, release)).digest }
}

const ballot = (digest: string, conflict = false) => ({
  stage: 'review' as const,
  digest,
  answer: 'approve' as const,
  conflict,
  reason: '',
})

test('T53 a declared interest is recorded and its vote excluded; another reviewer takes the place', async () => {
  const { release, digest } = await inReview()
  await voteOnRelease(house.ops, release, 'a', ballot(digest, true))
  expect(await voteOnRelease(house.ops, release, 'b', ballot(digest))).toBe('REVIEW')
  await addReviewer(house.ops, release, 'office', 'c')
  const blind = await releaseView(house.ops.db, release, 'c')
  expect([blind.votes.length, blind.hidden.length]).toEqual([0, 2])
  expect(await voteOnRelease(house.ops, release, 'c', ballot(digest))).toBe('APPROVED')
  expect((await releaseView(house.ops.db, release, 'c')).votes).toHaveLength(3)
})

test('R46 the author cannot be named reviewer, and the database itself refuses it', async () => {
  const { release } = await draftRelease(house.ops, 'author', application(house), linkedCohort())
  await submitRelease(house.ops, release, 'author')
  await expect(assignReviewers(house.ops, release, 'office', ['a', 'author'])).rejects.toThrow('申請者')
  await expect(assignReviewers(house.ops, release, 'office', ['a', 'a'])).rejects.toThrow('二人以上')
  const row = { release, reviewer: 'author', author: 'author', named_by: 'x', at: 0 }
  await expect(
    house.ops.bookkeep((tx) => tx.insertInto('release_reviewer').values(row).execute()),
  ).rejects.toThrow(/CHECK/i)
  const lied = { ...row, author: 'someone-else' }
  await expect(
    house.ops.bookkeep((tx) => tx.insertInto('release_reviewer').values(lied).execute()),
  ).rejects.toThrow(/FOREIGN KEY/i)
})

test('R46 the database holds no pass without two approving votes of two reviewers', async () => {
  const { release, digest } = await inReview()
  await voteOnRelease(house.ops, release, 'a', ballot(digest))
  const passed = { release, stage: 'review' as const, digest, answer: 'approve' as const, at: 0 }
  const insert = (first: string, second: string) =>
    house.ops.bookkeep((tx) =>
      tx
        .insertInto('release_passed')
        .values({ ...passed, first, second })
        .execute(),
    )
  await expect(insert('a', 'a')).rejects.toThrow(/CHECK/i)
  await expect(insert('a', 'b')).rejects.toThrow(/FOREIGN KEY/i)
  expect((await releaseRow(house.ops.db, release)).state).toBe('REVIEW')
})

test(
  'R40 a build keeps its members and key table, and an erasure drops it',
  async () => {
    const { records } = makePeople(40)
    await accept(house, records)
    const { release, digest } = await inReview()
    for (const reviewer of ['a', 'b']) await voteOnRelease(house.ops, release, reviewer, ballot(digest))
    const built = await buildRelease(house, release, 'builder')
    const keys = await house.ops.db.selectFrom('release_person').selectAll().execute()
    expect(keys).toHaveLength(40)
    const member = parsePatientKey(built.members[0]?.charts[0] ?? '')
    expect(await dropBuildsWith(house.ops, [member])).toMatchObject({ releases: [release] })
    expect(await house.ops.db.selectFrom('release_person').selectAll().execute()).toEqual([])
  },
  PATIENCE_MS,
)
