import { compareDates, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { LocalDate } from '@kakehashi/protocol/rules/state'
import type { OpsTables } from '../vault/ops.ts'
import type { ConsoleParts } from './parts.ts'

const ROWS_MAX = 200

export interface TicketLine {
  ticket: string
  kind: OpsTables['ticket']['kind']
  channel: OpsTables['ticket']['channel']
  openedAt: number
  dueOn: string
  overdue: boolean
  stop: string | null
  answeredAt: number | null
}

function lineOf(row: OpsTables['ticket'], now: number): TicketLine {
  const answeredAt = row.answered_at === null ? null : Number(row.answered_at)
  return {
    ticket: row.ticket,
    kind: row.kind,
    channel: row.channel,
    openedAt: Number(row.opened_at),
    dueOn: row.due_on,
    overdue: answeredAt === null && compareDates(row.due_on as LocalDate, tokyoDate(now)) < 0,
    stop: row.stop,
    answeredAt,
  }
}

/** What waits longest first, then what was answered. */
export async function ticketLines({ ops, env }: ConsoleParts): Promise<TicketLine[]> {
  const rows = await ops.db.selectFrom('ticket').selectAll().orderBy('opened_at').limit(ROWS_MAX).execute()
  const lines = rows.map((row) => lineOf(row, env.now()))
  return lines.toSorted((a, b) => Number(a.answeredAt !== null) - Number(b.answeredAt !== null))
}

export async function ticketLine({ ops, env }: ConsoleParts, ticket: string): Promise<TicketLine | null> {
  const row = await ops.db.selectFrom('ticket').selectAll().where('ticket', '=', ticket).executeTakeFirst()
  return row ? lineOf(row, env.now()) : null
}
