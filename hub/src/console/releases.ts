import type { Account } from '../accounts/store.ts'
import { readApplication, readStoredProfile, type Application } from '../release/application.ts'
import { releaseView, type ReleaseView } from '../release/read.ts'
import { voteRefusal, type Stage, type Vote } from '../release/rules.ts'
import { votesOf } from '../release/transition.ts'
import type { ConsoleParts } from './parts.ts'
import { W } from './words.ja.ts'

export interface ShownVote {
  by: string
  at: number
  stage: Stage
  /** `null`: given, and hidden until both are in. */
  vote: Pick<Vote, 'answer' | 'conflict' | 'reason'> | null
}

/** What a reviewer reads and may do. */
export interface ReleaseFile extends Omit<ReleaseView, 'votes' | 'hidden' | 'directory'> {
  application: Application
  profile: string
  shown: ShownVote[]
  /** Why the viewer may not vote now; `null`: may. */
  mayNot: string | null
}

/** The release as this member of staff may see it. */
export async function releaseFile(
  parts: ConsoleParts,
  release: string,
  viewer: Account,
): Promise<ReleaseFile | null> {
  const { db } = parts.ops
  const row = await db.selectFrom('release').selectAll().where('id', '=', release).executeTakeFirst()
  if (!row) return null
  const { votes, hidden, directory: _, ...view } = await releaseView(db, release, viewer.account)
  const profile = readStoredProfile(row.profile)
  const shown: ShownVote[] = [
    ...votes.map((vote) => ({ by: vote.reviewer, at: vote.at, stage: vote.stage, vote })),
    ...hidden.map(({ reviewer, at, stage }) => ({ by: reviewer, at, stage, vote: null })),
  ]
  return {
    ...view,
    application: readApplication(row.application),
    profile: `${profile.name} v${profile.version}`,
    shown: shown.toSorted((a, b) => a.at - b.at),
    mayNot: mayNot(view, viewer, await votesOf(db, release)),
  }
}

function mayNot(
  view: Pick<ReleaseView, 'author' | 'reviewers' | 'state' | 'voting'>,
  viewer: Account,
  votes: readonly Vote[],
): string | null {
  if (viewer.account !== view.author && !viewer.roles.includes('reviewer')) return W.notReviewer
  const { stage, digest } = view.voting ?? { stage: 'review', digest: '' }
  return voteRefusal({ ...view, digest }, { reviewer: viewer.account, stage, digest }, votes)
}
