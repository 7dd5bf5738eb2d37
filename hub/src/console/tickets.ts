import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Context, Hono } from 'hono'
import { CHANNELS, readSaid } from '../requests/intake.ts'
import { stopOfTicket } from '../requests/queued.ts'
import { answerOf, answerTicket, openTicket, type TicketSaid } from '../requests/tickets.ts'
import { aroundOf, door } from './door.ts'
import { KINDS, ticketNewPage, ticketPage, ticketsPage } from './pages/tickets.ts'
import type { ConsoleEnv, ConsoleParts } from './parts.ts'
import { mayEnter } from './rules.ts'
import { hospitals, stopFile } from './stop-read.ts'
import { ticketLine, ticketLines, type TicketLine } from './ticket-read.ts'
import { W } from './words.ja.ts'

export function ticketRoutes(app: Hono<ConsoleEnv>, parts: ConsoleParts): void {
  const desk = door(parts, 'desk')

  app.get('/tickets', door(parts, 'tickets'), async (c) =>
    c.html(ticketsPage(aroundOf(c, parts), await ticketLines(parts))),
  )

  app.get('/tickets/new', desk, (c) => c.html(ticketNewPage(aroundOf(c, parts), { values: {}, errors: [] })))

  app.post('/tickets/new', desk, async (c) => {
    const form = await c.req.parseBody()
    const text = (name: string, most = 200) =>
      String(form[name] ?? '')
        .trim()
        .slice(0, most)
    const kind = KINDS.find((one) => one === form['kind'])
    const channel = CHANNELS.find((one) => one === form['channel'])
    const stop = text('stop') || null
    const errors: FieldError[] = []
    if (!kind) errors.push({ field: 'kind', text: W.ticketKindChoose })
    if (!channel) errors.push({ field: 'channel', text: W.channelChoose })
    if (text('text') === '') errors.push({ field: 'text', text: W.ticketTextMissing })
    if (stop !== null && !(await stopFile(parts, stop)))
      errors.push({ field: 'stop', text: W.ticketStopWrong })
    if (!kind || !channel || errors.length > 0) {
      const names = ['kind', 'channel', 'name', 'contact', 'text', 'stop']
      const values = Object.fromEntries(names.map((name) => [name, text(name, 2000)]))
      return c.html(ticketNewPage(aroundOf(c, parts), { values, errors }), 422)
    }
    const ticket = await openTicket(parts, parts.identity, {
      ...{ kind, channel, stop, name: text('name'), contact: text('contact'), text: text('text', 2000) },
      by: c.get('account').account,
    })
    c.get('session').message = W.ticketSaved
    return c.redirect(`/tickets/${encodeURIComponent(ticket)}`, 303)
  })

  app.get('/tickets/:ticket', door(parts, 'tickets'), async (c) => {
    const line = await ticketLine(parts, c.req.param('ticket'))
    return line ? c.html(await pageOf(c, parts, line, [])) : c.notFound()
  })

  app.post('/tickets/:ticket/stop', desk, async (c) => {
    const line = await ticketLine(parts, c.req.param('ticket'))
    if (!line) return c.notFound()
    const asked = { ticket: line.ticket, by: c.get('account').account }
    const stop = await stopOfTicket(parts.vault, parts.identity, asked)
    c.get('session').message = W.ticketStopped
    return c.redirect(`/stops/${encodeURIComponent(stop)}`, 303)
  })

  app.post('/tickets/:ticket/answer', desk, async (c) => {
    const line = await ticketLine(parts, c.req.param('ticket'))
    if (!line) return c.notFound()
    const answer = String((await c.req.parseBody())['answer'] ?? '').trim()
    if (answer === '')
      return c.html(await pageOf(c, parts, line, [{ field: 'answer', text: W.answerMissing }]), 422)
    await answerTicket(parts, parts.identity, { ticket: line.ticket, answer, by: c.get('account').account })
    c.get('session').message = W.answerSaved
    return c.redirect(`/tickets/${encodeURIComponent(line.ticket)}`, 303)
  })
}

/** Names are for the desk; every look at one leaves a trace. */
async function pageOf(c: Context<ConsoleEnv>, parts: ConsoleParts, line: TicketLine, errors: FieldError[]) {
  const { account, roles } = c.get('account')
  const desk = mayEnter(roles, 'desk')
  if (desk)
    await parts.ops.transact(
      { act: 'person.seen', actor: account, detail: { about: line.ticket } },
      async () => {},
    )
  const answer = desk ? await readSaid<{ answer: string }>(parts.identity, answerOf(line.ticket)) : null
  return ticketPage(aroundOf(c, parts), {
    line,
    said: desk ? await readSaid<TicketSaid>(parts.identity, line.ticket) : null,
    answer: answer?.answer ?? null,
    mayAnswer: desk && line.answeredAt === null,
    hospitals: await hospitals(parts),
    errors,
  })
}
