import { button, linkButton } from '@kakehashi/ui/button'
import { dayAndTime, longDate } from '@kakehashi/ui/dates'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { summaryList } from '@kakehashi/ui/summary-list'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { CHANNELS } from '../../requests/intake.ts'
import type { TicketSaid } from '../../requests/tickets.ts'
import type { AskedByNumber } from '../../requests/queued.ts'
import { nameOf, type Hospital } from '../stop-read.ts'
import type { TicketLine } from '../ticket-read.ts'
import { W } from '../words.ja.ts'
import { room, type RoomView } from './room.ts'

export const KINDS = ['question', 'complaint'] as const

export interface TicketFormView {
  values: Record<string, string>
  errors: readonly FieldError[]
}

const due = (line: TicketLine): Markup =>
  html`${longDate(line.dueOn)}${line.overdue ? html` <strong>${W.overdueMark}</strong>` : ''}`

export function ticketsPage(around: RoomView, lines: readonly TicketLine[]): Markup {
  return room(
    around,
    W.tickets,
    html`<h1>${W.tickets}</h1>
      ${around.roles.some((role) => role === 'desk' || role === 'privacy') ? linkButton({ text: W.ticketNew, href: '/tickets/new' }) : ''}
      ${table({
        caption: W.ticketList,
        columns: [W.stopNumber, W.ticketKind, W.channel, W.openedAt2, W.dueOn, W.answered],
        none: W.ticketNone,
        rows: lines.map((line) => [
          html`<a href="/tickets/${encodeURIComponent(line.ticket)}">${line.ticket}</a>`,
          W.ticketKinds[line.kind],
          W.channelIs[line.channel],
          dayAndTime(line.openedAt),
          due(line),
          line.answeredAt === null ? W.waiting : dayAndTime(line.answeredAt),
        ]),
      })}`,
  )
}

export function ticketNewPage(around: RoomView, view: TicketFormView): Markup {
  const wrong = (name: string) => view.errors.find((one) => one.field === name)?.text
  const field = (name: string, label: string, maxlength = 200) =>
    textField({ name, label, maxlength, value: view.values[name] ?? '', error: wrong(name) })
  return room(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.ticketNew}` : W.ticketNew,
    html`<h1>${W.ticketNew}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, [...view.errors])}
      <p>${W.ticketLead}</p>
      <form method="post" action="/tickets/new">
        ${hiddenField('csrf', around.csrf)}
        ${radios({
          name: 'kind',
          label: W.ticketKind,
          inline: true,
          chosen: view.values['kind'],
          error: wrong('kind'),
          choices: KINDS.map((value) => ({ value, text: W.ticketKinds[value] })),
        })}
        ${radios({
          name: 'channel',
          label: W.channel,
          inline: true,
          chosen: view.values['channel'],
          error: wrong('channel'),
          choices: CHANNELS.map((value) => ({ value, text: W.channelIs[value] })),
        })}
        ${field('name', W.ticketName)} ${field('contact', W.ticketContact)}
        ${field('text', W.ticketText, 2000)} ${field('stop', W.ticketStop)} ${button({ text: W.ticketSave })}
      </form>`,
  )
}

/** What was asked at the portal, and the button that makes it a provisional stop. */
function stopPart(
  around: RoomView,
  line: TicketLine,
  asked: AskedByNumber,
  hospitals: readonly Hospital[],
): Markup {
  return html`<h2>${W.ticketStopTitle}</h2>
    ${summaryList([
      { term: W.facilities, detail: nameOf(hospitals, asked.facility) },
      { term: W.number, detail: asked.number },
      { term: W.born, detail: longDate(asked.birthDate) },
      { term: W.requester, detail: W.requesterIs[asked.requester] },
      { term: W.erase, detail: W.eraseIs[asked.erasureAsked ? 'yes' : 'no'] },
      { term: W.askedAt, detail: dayAndTime(asked.askedAt) },
    ])}
    <p>${W.ticketStopLead}</p>
    <form class="no-print" method="post" action="/tickets/${encodeURIComponent(line.ticket)}/stop">
      ${hiddenField('csrf', around.csrf)} ${button({ text: W.ticketStopButton })}
    </form>`
}

export function ticketPage(
  around: RoomView,
  view: {
    line: TicketLine
    said: TicketSaid | null
    answer: string | null
    mayAnswer: boolean
    hospitals: readonly Hospital[]
    errors: readonly FieldError[]
  },
): Markup {
  const { line, said, errors } = view
  const asked = view.mayAnswer && line.stop === null ? said?.asked : undefined
  return room(
    around,
    errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.ticketOne}` : W.ticketOne,
    html`<h1>${W.ticketOne}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, [...errors])}
      ${summaryList([
        { term: W.stopNumber, detail: line.ticket },
        { term: W.ticketKind, detail: W.ticketKinds[line.kind] },
        { term: W.openedAt2, detail: dayAndTime(line.openedAt) },
        { term: W.dueOn, detail: due(line) },
        { term: W.whoAsked, detail: said ? said.name || W.anonymous : W.nameHidden },
        { term: W.ticketContact, detail: said ? said.contact || '-' : W.nameHidden },
        { term: W.ticketText, detail: said ? said.text : W.nameHidden },
        {
          term: W.stopOne,
          detail:
            line.stop === null
              ? '-'
              : html`<a href="/stops/${encodeURIComponent(line.stop)}">${line.stop}</a>`,
        },
        { term: W.answerIs, detail: view.answer ?? W.waiting },
      ])}
      ${asked ? stopPart(around, line, asked, view.hospitals) : ''}
      ${view.mayAnswer && line.stop === null && !asked ? linkButton({ text: W.ticketStopByName, kind: 'secondary', href: `/stops/new?ticket=${encodeURIComponent(line.ticket)}` }) : ''}
      ${
        view.mayAnswer
          ? html`<form method="post" action="/tickets/${encodeURIComponent(line.ticket)}/answer">
              ${hiddenField('csrf', around.csrf)}
              ${textField({ name: 'answer', label: W.answerText, maxlength: 2000, error: errors.find((one) => one.field === 'answer')?.text })}
              ${button({ text: W.answerSave })}
            </form>`
          : ''
      }`,
  )
}
