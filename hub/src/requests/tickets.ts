import { addDays, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { Refused } from '@kakehashi/protocol/refusals'
import type { PortalStop } from '../portal/sealed-request.ts'
import type { RequestTables } from './store.ts'
import type { VaultParts } from '../vault/parts.ts'
import type { IdentityStore } from '../vault/rooms.ts'
import { keepSaid, type Channel } from './intake.ts'

/** No law sets it; two weeks is what our own notice says. */
export const ANSWER_DAYS = 14

export interface TicketSaid {
  /** Empty: nobody has to say who they are to ask. */
  name: string
  contact: string
  text: string
  /** A stop asked at the portal, for staff to look at. */
  asked?: Extract<PortalStop, { version: 2 }>
}

export interface TicketAsk extends TicketSaid {
  ticket?: string
  kind: RequestTables['ticket']['kind']
  channel: Channel
  stop: string | null
  by: string
}

type TicketParts = Pick<VaultParts, 'env' | 'ops'>

/** A question or complaint with a day by which it is answered (LAW R45). The same number again is the same ticket. */
export async function openTicket(
  parts: TicketParts,
  identity: IdentityStore,
  asked: TicketAsk,
): Promise<string> {
  return openTicketWith(parts, (about, said) => keepSaid(identity, about, said), asked)
}

/** The same where the identity store is behind the vault's rooms. */
export async function openTicketWith(
  parts: TicketParts,
  keep: (about: string, said: object) => Promise<void>,
  asked: TicketAsk,
): Promise<string> {
  if (asked.text.trim() === '') throw new Refused('REQUEST_MALFORMED', 'text')
  const ticket = asked.ticket ?? parts.env.id()
  const now = parts.env.now()
  const { name, contact, text } = asked
  const said: TicketSaid = { name, contact, text, ...(asked.asked ? { asked: asked.asked } : {}) }
  await keep(ticket, said)
  await parts.ops.transact(
    (fresh: boolean) =>
      fresh ? { act: 'ticket.opened', actor: asked.by, detail: { ticket, kind: asked.kind } } : null,
    async (tx) => {
      const known = await tx
        .selectFrom('ticket')
        .select('ticket')
        .where('ticket', '=', ticket)
        .executeTakeFirst()
      if (known) return false
      if (asked.stop !== null) {
        const row = await tx
          .selectFrom('stop')
          .select('stop')
          .where('stop', '=', asked.stop)
          .executeTakeFirst()
        if (!row) throw new Refused('NOT_FOUND', 'stop')
      }
      await tx
        .insertInto('ticket')
        .values({
          ticket,
          kind: asked.kind,
          channel: asked.channel,
          opened_at: now,
          opened_by: asked.by,
          due_on: addDays(tokyoDate(now), asked.kind === 'stop' ? 1 : ANSWER_DAYS),
          stop: asked.stop,
          answered_at: null,
          answered_by: null,
        })
        .execute()
      return true
    },
  )
  return ticket
}

/** The answer as it was given; an answer is not changed afterwards. */
export async function answerTicket(
  parts: TicketParts,
  identity: IdentityStore,
  asked: { ticket: string; answer: string; by: string },
): Promise<void> {
  const { ticket, by } = asked
  if (asked.answer.trim() === '') throw new Refused('REQUEST_MALFORMED', 'answer')
  await parts.ops.transact({ act: 'ticket.answered', actor: by, detail: { ticket } }, async (tx) => {
    const done = await tx
      .updateTable('ticket')
      .set({ answered_at: parts.env.now(), answered_by: by })
      .where('ticket', '=', ticket)
      .where('answered_at', 'is', null)
      .executeTakeFirst()
    if (Number(done.numUpdatedRows) !== 1) throw new Refused('NOT_ALLOWED', 'ticket')
    await keepSaid(identity, answerOf(ticket), { answer: asked.answer })
  })
}

export function answerOf(ticket: string): string {
  return `${ticket}/answer`
}
