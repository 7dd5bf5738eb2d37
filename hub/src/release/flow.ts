import type { Env } from '@kakehashi/protocol/env'
import type { Store, Tx } from '@kakehashi/store/store'
import { readProfile } from '../anonymization/profile.ts'
import { applicationDigest, applicationShape, readApplication, readStoredProfile } from './application.ts'
import { dropBuild, removeDroppedBuilds } from './erase.ts'
import { outcomeOf, voteRefusal, type ReleaseState, type Vote } from './rules.ts'
import type { ReleaseTables } from './store.ts'
import { move, releaseRow, ReleaseRefused, reviewersOf, votesOf } from './transition.ts'

type ReleaseStore = Store<ReleaseTables>

/** A new application. The author may never be among its reviewers. */
export async function draftRelease(
  store: ReleaseStore,
  author: string,
  application: unknown,
  profile: unknown,
): Promise<{ release: string; digest: string }> {
  const read = readBoth(application, profile, 0)
  const release = store.env.id()
  const at = store.env.now()
  await store.transact(
    { act: 'release.drafted', actor: author, detail: { release, digest: read.digest } },
    (tx) =>
      tx
        .insertInto('release')
        .values({
          id: release,
          state: 'DRAFT',
          author,
          ...read,
          revision: 0,
          build: null,
          package_digest: null,
          created_at: at,
          changed_at: at,
        })
        .execute(),
  )
  return { release, digest: read.digest }
}

/** Any change of purpose, items, cohort, rules or recipient: back to DRAFT, and a new review. */
export async function amendRelease(
  store: ReleaseStore,
  release: string,
  actor: string,
  application: unknown,
  profile: unknown,
): Promise<void> {
  await store.transact({ act: 'release.amended', actor, detail: { release } }, async (tx) => {
    const row = await releaseRow(tx, release)
    if (row.author !== actor) throw new ReleaseRefused('申請の内容を変えられるのは申請者だけです。')
    if (row.build) await dropBuild(tx, store.env, row.build)
    const read = readBoth(application, profile, Number(row.revision))
    await move(tx, row, 'amend', by(store.env, actor), { ...read, build: null, package_digest: null })
  })
  await removeDroppedBuilds(store)
}

function readBoth(
  application: unknown,
  profile: unknown,
  revision: number,
): { application: string; profile: string; digest: string } {
  const parsed = applicationShape.safeParse(application)
  if (!parsed.success)
    throw new ReleaseRefused(
      `申請書の項目が足りないか、形式が違います（${parsed.error.issues.map((i) => i.path.join('.')).join('、')}）。`,
    )
  const checked = readProfile(profile)
  return {
    application: JSON.stringify(parsed.data),
    profile: JSON.stringify(checked),
    digest: applicationDigest(parsed.data, checked, revision),
  }
}

export async function submitRelease(store: ReleaseStore, release: string, actor: string): Promise<void> {
  await store.transact({ act: 'release.submitted', actor, detail: { release } }, async (tx) => {
    const row = await releaseRow(tx, release)
    if (row.author !== actor) throw new ReleaseRefused('申請を出せるのは申請者だけです。')
    const revision = Number(row.revision) + 1
    const digest = applicationDigest(
      readApplication(row.application),
      readStoredProfile(row.profile),
      revision,
    )
    await move(tx, row, 'submit', by(store.env, actor), { revision, digest })
  })
}

/** The office names two or more reviewers, none of them the author (the database refuses it too). */
export async function assignReviewers(
  store: ReleaseStore,
  release: string,
  actor: string,
  reviewers: readonly string[],
): Promise<void> {
  await store.transact(
    { act: 'release.reviewers-named', actor, detail: { release, reviewers: reviewers.length } },
    async (tx) => {
      const row = await releaseRow(tx, release)
      const names = [...new Set(reviewers)]
      if (names.length < 2) throw new ReleaseRefused('審査者は二人以上必要です。別の方を指名してください。')
      if (names.includes(row.author))
        throw new ReleaseRefused('申請者は審査者になれません。別の方を指名してください。')
      await nameReviewers(tx, store.env, row, actor, names)
      await move(tx, row, 'assign', by(store.env, actor))
    },
  )
}

/** Replaces reviewers who declared an interest, while the review goes on. */
export async function addReviewer(
  store: ReleaseStore,
  release: string,
  actor: string,
  reviewer: string,
): Promise<void> {
  await store.transact({ act: 'release.reviewer-added', actor, detail: { release } }, async (tx) => {
    const row = await releaseRow(tx, release)
    if (reviewer === row.author)
      throw new ReleaseRefused('申請者は審査者になれません。別の方を指名してください。')
    await nameReviewers(tx, store.env, row, actor, [reviewer])
  })
}

async function nameReviewers(
  tx: Tx<ReleaseTables>,
  env: Env,
  row: ReleaseTables['release'],
  actor: string,
  reviewers: readonly string[],
): Promise<void> {
  await tx
    .insertInto('release_reviewer')
    .values(
      reviewers.map((reviewer) => ({
        release: row.id,
        reviewer,
        author: row.author,
        named_by: actor,
        at: env.now(),
      })),
    )
    .onConflict((oc) => oc.doNothing())
    .execute()
}

export interface Ballot {
  stage: Vote['stage']
  /** Digest the reviewer saw. */
  digest: string
  answer: 'approve' | 'reject'
  /** Asked of everyone (LAW trap 53): does the reviewer have an interest in this application? */
  conflict: boolean
  reason: string
}

/** One vote; with the second that counts, the stage passes or fails in the same transaction. */
export async function voteOnRelease(
  store: ReleaseStore,
  release: string,
  reviewer: string,
  ballot: Ballot,
): Promise<ReleaseState> {
  const state = await store.transact<ReleaseState>(
    {
      act: 'release.voted',
      actor: reviewer,
      detail: { release, stage: ballot.stage, conflict: ballot.conflict },
    },
    async (tx) => {
      const row = await releaseRow(tx, release)
      const votes = await votesOf(tx, release)
      const digest = ballot.stage === 'review' ? row.digest : row.package_digest
      const refusal = voteRefusal(
        { ...row, reviewers: await reviewersOf(tx, release), digest },
        { ...ballot, reviewer },
        votes,
      )
      if (refusal !== null) throw new ReleaseRefused(refusal)
      const vote: Vote = { ...ballot, reviewer, at: store.env.now() }
      await tx
        .insertInto('release_vote')
        .values({ release, ...vote, conflict: vote.conflict ? 1 : 0 })
        .execute()
      return conclude(tx, store.env, row, ballot, [...votes, vote])
    },
  )
  await removeDroppedBuilds(store)
  return state
}

async function conclude(
  tx: Tx<ReleaseTables>,
  env: Env,
  row: ReleaseTables['release'],
  { stage, digest }: Ballot,
  votes: readonly Vote[],
): Promise<ReleaseState> {
  const outcome = outcomeOf(row.author, stage, digest, votes)
  if (outcome.state === 'open') return row.state
  const at = by(env, 'votes')
  if (outcome.state === 'failed') {
    if (stage === 'review') return move(tx, row, 'return', at)
    if (row.build) await dropBuild(tx, env, row.build)
    return move(tx, row, 'reject-output', at, { build: null, package_digest: null })
  }
  await tx
    .insertInto('release_passed')
    .values({
      release: row.id,
      stage,
      digest,
      first: outcome.first,
      second: outcome.second,
      answer: 'approve',
      at: at.at,
    })
    .execute()
  return move(tx, row, stage === 'review' ? 'approve' : 'check', at)
}

export async function recallRelease(
  store: ReleaseStore,
  release: string,
  actor: string,
  note: string,
): Promise<void> {
  await store.transact({ act: 'release.recalled', actor, detail: { release } }, async (tx) => {
    await move(tx, await releaseRow(tx, release), 'recall', { ...by(store.env, actor), note })
  })
}

/** The user proved erasure of its copy. */
export async function confirmUserErased(
  store: ReleaseStore,
  release: string,
  actor: string,
  note: string,
): Promise<void> {
  await store.transact({ act: 'release.user-erased', actor, detail: { release } }, async (tx) => {
    await move(tx, await releaseRow(tx, release), 'user-erased', { ...by(store.env, actor), note })
  })
}

function by(env: Env, actor: string): { actor: string; at: number } {
  return { actor, at: env.now() }
}
