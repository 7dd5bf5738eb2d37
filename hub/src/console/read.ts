import { facilityOf } from '@kakehashi/protocol/ids'
import { openReviews } from '../linkage/review.ts'
import type { ConsoleParts } from './parts.ts'
import { agentStanding } from './rules.ts'

const ROWS_MAX = 200

export interface AgentLine {
  agent: string
  facility: string
  lastHeardAt: number | null
  pending: number | null
  software: string | null
  standing: 'heard' | 'silent' | 'retired'
}

export async function agentLines({ ops, env }: ConsoleParts): Promise<AgentLine[]> {
  const rows = await ops.db.selectFrom('agent').selectAll().orderBy('facility').limit(ROWS_MAX).execute()
  return rows.map((row) => ({
    agent: row.agent,
    facility: row.facility,
    lastHeardAt: row.last_heard_at,
    pending: row.pending_batches,
    software: row.software,
    standing: agentStanding(
      { enrolledAt: row.enrolled_at, lastHeardAt: row.last_heard_at, retiredAt: row.retired_at },
      env.now(),
    ),
  }))
}

export interface ErasureLine {
  erasure: string
  state: 'asked' | 'erasing' | 'done'
  askedAt: number
  askedBy: string
  doneAt: number | null
  certificate: string | null
}

export async function erasureLines({ ops }: ConsoleParts): Promise<ErasureLine[]> {
  const rows = await ops.db
    .selectFrom('erasure')
    .select(['erasure', 'state', 'asked_at', 'asked_by', 'done_at', 'certificate'])
    .orderBy('asked_at', 'desc')
    .limit(ROWS_MAX)
    .execute()
  return rows.map(lineOf)
}

export async function erasureLine({ ops }: ConsoleParts, erasure: string): Promise<ErasureLine | null> {
  const row = await ops.db
    .selectFrom('erasure')
    .select(['erasure', 'state', 'asked_at', 'asked_by', 'done_at', 'certificate'])
    .where('erasure', '=', erasure)
    .executeTakeFirst()
  return row ? lineOf(row) : null
}

function lineOf(row: {
  erasure: string
  state: ErasureLine['state']
  asked_at: number
  asked_by: string
  done_at: number | null
  certificate: string | null
}): ErasureLine {
  return {
    erasure: row.erasure,
    state: row.state,
    askedAt: row.asked_at,
    askedBy: row.asked_by,
    doneAt: row.done_at,
    certificate: row.certificate,
  }
}

export interface LinkageLine {
  id: string
  facility: string
  openedAt: number
  candidates: number
  reasons: Awaited<ReturnType<typeof openReviews>>[number]['reasons']
}

/** Names nobody: the facility, how many candidates, and why. */
export async function linkageLines({ identity }: ConsoleParts): Promise<LinkageLine[]> {
  const tasks = await openReviews(identity.db, ROWS_MAX)
  return tasks.map((task) => ({
    id: task.id,
    facility: facilityOf(task.chart),
    openedAt: task.openedAt,
    candidates: task.persons.length,
    reasons: task.reasons,
  }))
}

export async function countOpen({ ops }: ConsoleParts): Promise<{ incidents: number }> {
  const incidents = await ops.db
    .selectFrom('incident')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('cleared_at', 'is', null)
    .executeTakeFirst()
  return { incidents: Number(incidents?.n ?? 0) }
}
