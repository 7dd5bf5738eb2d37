import { button } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { CHANNELS, IDENTITY_CHECKS } from '../../requests/intake.ts'
import type { Hospital } from '../stop-read.ts'
import { W } from '../words.ja.ts'
import { checkboxes } from './checkboxes.ts'
import { room, type RoomView } from './room.ts'

export const REQUESTERS = ['person', 'guardian', 'family', 'agent'] as const
export const TRACK_CHOICES = ['both', 'ANON', 'PSEUDO'] as const

export interface StopFormView {
  values: Record<string, string>
  channel: (typeof CHANNELS)[number] | undefined
  requester: (typeof REQUESTERS)[number] | undefined
  how: (typeof IDENTITY_CHECKS)[number] | undefined
  track: (typeof TRACK_CHOICES)[number]
  erase: 'yes' | 'no'
  facilities: readonly string[]
  errors: readonly FieldError[]
}

/** Nothing chosen but what is meant when nobody says otherwise. */
export function stopForm(ticket = ''): StopFormView {
  const open = { channel: undefined, requester: undefined, how: undefined }
  return {
    values: { ticket: ticket.slice(0, 200) },
    ...open,
    track: 'both',
    erase: 'no',
    facilities: [],
    errors: [],
  }
}

export function sayBox(): Markup {
  return html`<section class="banner" aria-labelledby="say">
    <h2 class="banner__label" id="say">${W.sayTitle}</h2>
    <p>${W.say}</p>
  </section>`
}

function hospitalField(places: readonly Hospital[], chosen: readonly string[]): Markup {
  return checkboxes({
    name: 'facility',
    label: W.facilities,
    hint: W.facilitiesHint,
    chosen,
    choices: places.map((one) => ({ value: one.facility, text: one.name })),
  })
}

function fromTicket(ticket = ''): Markup {
  return ticket === ''
    ? html``
    : html`${hiddenField('ticket', ticket)}
        <p>${W.ticketFrom(ticket)}</p>`
}

export function stopNewPage(around: RoomView, places: readonly Hospital[], view: StopFormView): Markup {
  const wrong = (field: string) => view.errors.find((one) => one.field === field)?.text
  const field = (name: string, label: string, more: { hint?: string; width?: 'short' } = {}) =>
    textField({ name, label, value: view.values[name] ?? '', error: wrong(name), ...more })
  const choice = <K extends string>(
    name: string,
    label: string,
    all: readonly K[],
    say: Record<K, string>,
    chosen?: K,
  ) =>
    radios({
      name,
      label,
      inline: true,
      chosen,
      error: wrong(name),
      choices: all.map((value) => ({ value, text: say[value] })),
    })
  return room(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.stopNew}` : W.stopNew,
    html`<h1>${W.stopNew}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, [...view.errors])}
      <p>${W.stopNewLead}</p>
      ${sayBox()}
      <form method="post" action="/stops/new">
        ${hiddenField('csrf', around.csrf)} ${fromTicket(view.values['ticket'])}
        ${choice('channel', W.channel, CHANNELS, W.channelIs, view.channel)}
        ${choice('requester', W.requester, REQUESTERS, W.requesterIs, view.requester)}
        ${field('requesterName', W.requesterName)} ${field('relation', W.relation)}
        <h2>${W.aboutWhom}</h2>
        ${field('kana', W.kana)} ${field('name', W.personName)}
        ${field('born', W.born, { hint: W.bornHint, width: 'short' })}
        ${hospitalField(places, view.facilities)} ${field('number', W.number, { width: 'short' })}
        ${field('contact', W.contact, { hint: W.contactHint })}
        ${choice('track', W.track, TRACK_CHOICES, W.trackIs, view.track)}
        ${radios({
          name: 'erase',
          label: W.erase,
          hint: W.eraseHint,
          inline: true,
          chosen: view.erase,
          choices: (['no', 'yes'] as const).map((value) => ({ value, text: W.eraseIs[value] })),
        })}
        ${choice(
          'how',
          W.how,
          IDENTITY_CHECKS.filter((one) => one !== 'portal'),
          W.howIs,
          view.how,
        )}
        ${button({ text: W.stopButton })}
      </form>`,
  )
}
