import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RiskReport } from '../anonymization/report.ts'
import type { Reading } from '../content/reading.ts'
import { readApplication } from './application.ts'
import { visibleVotes, type ReleaseState, type Stage, type Vote } from './rules.ts'
import type { ReleaseTables } from './store.ts'
import { releaseRow, reviewersOf, votesOf } from './transition.ts'

export interface ReleaseSummary {
  release: string
  title: string
  author: string
  state: ReleaseState
  at: number
  /** What is voted on now, and at which stage; `null` when nothing is. */
  voting: { stage: Stage; digest: string } | null
}

export interface ReleaseView extends ReleaseSummary {
  purpose: string
  user: string
  digest: string
  packageDigest: string | null
  reviewers: string[]
  /** Votes the viewer may see; the others are counted in `hidden`. */
  votes: Vote[]
  hidden: { reviewer: string; stage: Stage; at: number }[]
  risk: RiskReport | null
  directory: string | null
}

export async function releaseList(db: Reading<ReleaseTables>, limit = 200): Promise<ReleaseSummary[]> {
  const rows = await db.selectFrom('release').selectAll().orderBy('changed_at', 'desc').limit(limit).execute()
  return rows.map((row) => summaryOf(row))
}

function summaryOf(row: ReleaseTables['release']): ReleaseSummary {
  return {
    release: row.id,
    title: readApplication(row.application).title,
    author: row.author,
    state: row.state,
    at: Number(row.changed_at),
    voting: votingOf(row),
  }
}

function votingOf(row: ReleaseTables['release']): ReleaseSummary['voting'] {
  if (row.state === 'REVIEW') return { stage: 'review', digest: row.digest }
  return row.state === 'BUILT' && row.package_digest !== null
    ? { stage: 'output', digest: row.package_digest }
    : null
}

/** One release as `viewer` may see it: blind to the other's vote until both are in. */
export async function releaseView(
  db: Reading<ReleaseTables>,
  release: string,
  viewer: string,
): Promise<ReleaseView> {
  const row = await releaseRow(db, release)
  const application = readApplication(row.application)
  const all = await votesOf(db, release)
  const votes = visibleVotes(row.author, all, viewer)
  const build = row.build
    ? await db.selectFrom('release_build').select('directory').where('id', '=', row.build).executeTakeFirst()
    : undefined
  return {
    ...summaryOf(row),
    purpose: application.purpose,
    user: application.recipient.name,
    digest: row.digest,
    packageDigest: row.package_digest,
    reviewers: await reviewersOf(db, release),
    votes,
    hidden: all.filter((v) => !votes.includes(v)).map(({ reviewer, stage, at }) => ({ reviewer, stage, at })),
    risk: build ? await riskOf(build.directory) : null,
    directory: build?.directory ?? null,
  }
}

async function riskOf(directory: string): Promise<RiskReport | null> {
  try {
    return JSON.parse(await readFile(join(directory, 'risk.json'), 'utf8')) as RiskReport
  } catch {
    return null
  }
}
