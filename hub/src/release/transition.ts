import { Refused } from '@kakehashi/protocol/refusals'
import type { Tx } from '@kakehashi/store/store'
import type { Reading } from '../content/reading.ts'
import { next, type ReleaseEvent, type ReleaseState, type Vote } from './rules.ts'
import type { ReleaseTables } from './store.ts'

export type ReleaseRow = ReleaseTables['release']

/** What the staff may not do now, with the sentence that tells them why and what to do. */
export class ReleaseRefused extends Refused {
  override name = 'ReleaseRefused'
  readonly japanese: string
  constructor(japanese: string) {
    super('NOT_ALLOWED', 'release')
    this.japanese = japanese
    this.message = `NOT_ALLOWED at release: ${japanese}`
  }
}

export async function releaseRow(db: Reading<ReleaseTables>, id: string): Promise<ReleaseRow> {
  const row = await db.selectFrom('release').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new Refused('NOT_FOUND', 'release')
  return row
}

/** Moves the release along the transition table, or refuses; writes the line of its history. */
export async function move(
  tx: Tx<ReleaseTables>,
  row: ReleaseRow,
  event: ReleaseEvent,
  by: { actor: string; at: number; note?: string },
  change: Partial<
    Pick<ReleaseRow, 'application' | 'profile' | 'revision' | 'digest' | 'build' | 'package_digest'>
  > = {},
): Promise<ReleaseState> {
  const state = next(row.state, event)
  if (state === null)
    throw new ReleaseRefused(
      `今の状態（${row.state}）ではこの操作（${event}）はできません。状態を確認してください。`,
    )
  await tx
    .updateTable('release')
    .set({ ...change, state, changed_at: by.at })
    .where('id', '=', row.id)
    .execute()
  await note(tx, row.id, event, state, by)
  return state
}

async function note(
  tx: Tx<ReleaseTables>,
  release: string,
  event: string,
  state: ReleaseState,
  by: { actor: string; at: number; note?: string },
): Promise<void> {
  const last = await tx
    .selectFrom('release_event')
    .select((e) => e.fn.max('seq').as('seq'))
    .where('release', '=', release)
    .executeTakeFirst()
  await tx
    .insertInto('release_event')
    .values({
      release,
      seq: Number(last?.seq ?? 0) + 1,
      at: by.at,
      actor: by.actor,
      event,
      to_state: state,
      note: by.note ?? '',
    })
    .execute()
}

export async function reviewersOf(db: Reading<ReleaseTables>, id: string): Promise<string[]> {
  const rows = await db.selectFrom('release_reviewer').select('reviewer').where('release', '=', id).execute()
  return rows.map((r) => r.reviewer)
}

export async function votesOf(db: Reading<ReleaseTables>, id: string): Promise<Vote[]> {
  const rows = await db
    .selectFrom('release_vote')
    .selectAll()
    .where('release', '=', id)
    .orderBy('at')
    .orderBy('reviewer')
    .execute()
  return rows.map((row) => ({
    reviewer: row.reviewer,
    stage: row.stage,
    digest: row.digest,
    answer: row.answer,
    conflict: Number(row.conflict) === 1,
    reason: row.reason,
    at: Number(row.at),
  }))
}

/** Both approvals of this very digest are in the database. */
export async function hasPassed(
  db: Reading<ReleaseTables>,
  id: string,
  stage: Vote['stage'],
  digest: string | null,
): Promise<boolean> {
  if (digest === null) return false
  const row = await db
    .selectFrom('release_passed')
    .select('digest')
    .where('release', '=', id)
    .where('stage', '=', stage)
    .where('digest', '=', digest)
    .executeTakeFirst()
  return row !== undefined
}
