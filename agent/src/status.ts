import type { Instant } from '@kakehashi/protocol/env'
import type { AgentContext } from './context.ts'
import { LEGS, OPEN_LEGS, type Leg } from './outbox/store.ts'
import { restoredOf, type Restored } from './register/restored-state.ts'
import { openSlips } from './register/slip.ts'
import type { Line } from './uplink/line.ts'
import { unanswered } from './uplink/store.ts'

/** Counts, times and codes; names nobody. */
export interface AgentStatus {
  at: Instant
  batches: Record<Leg, number>
  oldestWaitingAt: Instant | null
  toRead: number
  /** Set once this store was put back from a backup. */
  restored: Restored | null
  unsentControl: number
  /** Reports the vault has not said to have applied; they are said again until it does. */
  unansweredControl: number
  oldestUnansweredStopAt: Instant | null
  openSlips: number
  oldestSlipAskedAt: Instant | null
  recordsSent: number
  refusals: { code: string; n: number }[]
  lastContactAt: Instant | null
  lastFailure: string | null
}

export async function statusOf(context: AgentContext, line: Line | null): Promise<AgentStatus> {
  const { db } = context.store
  const at = context.env.now()
  const legs = await db
    .selectFrom('outbox_batch')
    .select((e) => ['leg', e.fn.countAll<number>().as('n')])
    .groupBy('leg')
    .execute()
  const oldest = await db
    .selectFrom('outbox_batch')
    .select((e) => e.fn.min('created_at').as('at'))
    .where('leg', 'in', [...OPEN_LEGS])
    .executeTakeFirst()
  const toRead = await db
    .selectFrom('to_read')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirst()
  const sent = await db
    .selectFrom('sent_record')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirst()
  const refusals = await db
    .selectFrom('refused_record')
    .select((e) => ['code', e.fn.countAll<number>().as('n')])
    .groupBy('code')
    .orderBy('code')
    .execute()
  const slips = await openSlips(db, at)
  const waiting = await unanswered(db)
  const batches = Object.fromEntries(
    LEGS.map((leg) => [leg, legs.find((row) => row.leg === leg)?.n ?? 0]),
  ) as Record<Leg, number>
  return {
    at,
    batches,
    oldestWaitingAt: oldest?.at ?? null,
    toRead: toRead?.n ?? 0,
    restored: await restoredOf(db),
    unsentControl: waiting.unsent,
    unansweredControl: waiting.messages,
    oldestUnansweredStopAt: waiting.oldestStopAt,
    openSlips: slips.length,
    oldestSlipAskedAt: slips[0]?.slip.askedAt ?? null,
    recordsSent: sent?.n ?? 0,
    refusals,
    lastContactAt: line?.lastContactAt ?? null,
    lastFailure: line?.lastFailure ?? null,
  }
}
