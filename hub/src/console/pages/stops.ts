import { button, linkButton } from '@kakehashi/ui/button'
import { banner } from '@kakehashi/ui/banner'
import { dayAndTime, longDate, longTime } from '@kakehashi/ui/dates'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { slip } from '@kakehashi/ui/slip'
import { summaryList, type SummaryRow } from '@kakehashi/ui/summary-list'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import type { AskedPerson } from '@kakehashi/protocol/messages'
import { IDENTITY_CHECKS } from '../../requests/intake.ts'
import { nameOf, type Delivery, type Hospital, type StopFile, type StopLine } from '../stop-read.ts'
import { W } from '../words.ja.ts'
import { checkboxes } from './checkboxes.ts'
import { bare, room, type RoomView } from './room.ts'
import { stepUpFields } from './step-up.ts'
import { sayBox } from './stop-new.ts'

export function stopsPage(around: RoomView, lines: readonly StopLine[], places: readonly Hospital[]): Markup {
  const each = lines.flatMap((line) =>
    (line.deliveries.length > 0 ? line.deliveries : [null]).map((one) => ({ line, one })),
  )
  return room(
    around,
    W.stops,
    html`<h1>${W.stops}</h1>
      <p>${W.slipTask}</p>
      ${around.roles.some((role) => role === 'desk' || role === 'privacy') ? linkButton({ text: W.stopNew, href: '/stops/new' }) : ''}
      ${table({
        caption: W.stopList,
        columns: [W.stopNumber, W.askedAt, W.stopStanding, W.facility, W.reach, W.age],
        none: W.stopNone,
        rows: each.map(({ line, one }) => [
          html`<a href="/stops/${encodeURIComponent(line.stop)}">${line.stop}</a>`,
          dayAndTime(line.askedAt),
          W.stopStandings[line.standing],
          one ? nameOf(places, one.facility) : '-',
          one ? stateOf(one) : W.reachNone,
          one ? W.hours(one.ageMs) : '-',
        ]),
      })}`,
  )
}

const stateOf = (one: Delivery): Markup =>
  html`<span class="state">${W.delivery[one.state]}</span
    >${one.late ? html` <strong>${W.lateMark}</strong>` : ''}`

function deliveries(file: StopFile, places: readonly Hospital[]): Markup {
  return table({
    caption: W.deliveries,
    columns: [W.facility, W.deliveryState, W.sentAt, W.appliedAt, W.age, W.slipState],
    none: W.reachNone,
    rows: file.deliveries.map((one) => [
      nameOf(places, one.facility),
      html`${stateOf(one)}${one.leftAt !== null && file.standing !== 'provisional' ? html` <span class="state">${W.leftMark(dayAndTime(one.leftAt))}</span>` : ''}`,
      dayAndTime(one.sentAt),
      one.appliedAt === null ? '-' : dayAndTime(one.appliedAt),
      W.hours(one.ageMs),
      slipOf(file, one),
    ]),
  })
}

/** A document went out only where somebody is a patient: nobody reads of it before the person was verified (R17). */
function slipOf(file: StopFile, { slip: state }: Delivery): Markup | string {
  if (file.erasure !== null && file.erasure.verified_at === null) return W.slipHidden
  if (state === null) return W.slipNone
  return html`<span class="state">${W.slipMoves[state.move]}</span> ${dayAndTime(state.at)}`
}

/** What the stop does not reach, in words (R18). */
export function notCovered(file: StopFile, places: readonly Hospital[]): string[] {
  const { facilities, tracks } = file
  const left = facilities ? places.filter((one) => !facilities.includes(one.facility)) : []
  return [
    ...(left.length > 0 ? [W.notCoveredSome(left.map((one) => one.name).join('、'))] : []),
    ...(tracks !== null && !tracks.includes('ANON') ? [W.notCoveredTrack('匿名加工')] : []),
    ...(tracks !== null && !tracks.includes('PSEUDO') ? [W.notCoveredTrack('仮名加工')] : []),
    facilities === null ? W.notCoveredLater : W.laterNotChosen,
    W.notCoveredReleased,
  ]
}

const scopeRows = (file: StopFile, places: readonly Hospital[]): SummaryRow[] => [
  { term: W.stopNumber, detail: file.stop },
  { term: W.askedAt, detail: longTime(file.askedAt) },
  {
    term: W.origin,
    detail: file.asking
      ? W.askedAtCounter(nameOf(places, file.asking))
      : W.originIs[file.origin === 'portal' ? 'portal' : 'operator'],
  },
  { term: W.stopStanding, detail: W.stopStandings[file.standing] },
  {
    term: W.facilities,
    detail: file.facilities?.map((one) => nameOf(places, one)).join('、') ?? W.everyHospital,
  },
  { term: W.track, detail: W.trackIs[file.tracks?.[0] ?? 'both'] },
  { term: W.erase, detail: W.eraseIs[Number(file.erasure?.erasure_wanted ?? 0) === 1 ? 'yes' : 'no'] },
]

const personRows = (file: StopFile, person: AskedPerson): SummaryRow[] => [
  {
    term: W.whoAsked,
    detail: `${person.requesterName}（${W.requesterIs[file.requester as keyof typeof W.requesterIs]}${person.relation ? `・${person.relation}` : ''}）`,
  },
  {
    term: W.whoMeant,
    detail: `${person.kana} ${person.name}（${person.birthDate ? longDate(person.birthDate) : '-'}）`,
  },
  { term: W.contact, detail: person.contact ?? '-' },
]

export interface StopPageView {
  file: StopFile
  person: AskedPerson | null
  /** `null`: not for this viewer, or not yet. */
  charts: readonly string[] | null
  hospitals: readonly Hospital[]
  mayVerify: boolean
  mayEnd: boolean
  errors: readonly FieldError[]
}

export function stopPage(around: RoomView, view: StopPageView): Markup {
  const { file, person, errors } = view
  const wants = Number(file.erasure?.erasure_wanted ?? 0) === 1 && file.erasure?.erasure === null
  return room(
    around,
    errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.stopOne}` : W.stopOne,
    html`<h1>${W.stopOne}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, [...errors])} ${sayBox()}
      ${summaryList([...scopeRows(file, view.hospitals), ...(person ? personRows(file, person) : [{ term: W.whoMeant, detail: W.nameHidden }])])}
      <h2>${W.notCovered}</h2>
      <ul>
        ${notCovered(file, view.hospitals).map((line) => html`<li>${line}</li>`)}
      </ul>
      ${deliveries(file, view.hospitals)}
      <p>${W.slipTask}</p>
      ${person ? linkButton({ text: W.slipOpen, href: `/stops/${file.stop}/slip` }) : ''}
      ${view.mayVerify ? verifyForm(around.csrf, file, errors) : ''}
      ${view.mayEnd ? endForm(around.csrf, file, view.hospitals, errors) : ''}
      ${wants && view.charts === null && !view.mayVerify ? banner({ kind: 'note', label: W.noteLabel, text: W.eraseWaits }) : ''}
      ${wants && view.charts ? eraseForm(around.csrf, file, view.charts, errors) : ''}`,
  )
}

function verifyForm(csrf: string, file: StopFile, errors: readonly FieldError[]): Markup {
  return html`<h2>${W.verifyTitle}</h2>
    <form class="no-print" method="post" action="/stops/${encodeURIComponent(file.stop)}/verify">
      ${hiddenField('csrf', csrf)}
      ${radios({
        name: 'how',
        label: W.how,
        error: errors.find((one) => one.field === 'how')?.text,
        choices: IDENTITY_CHECKS.filter((one) => one !== 'none').map((value) => ({
          value,
          text: W.howIs[value],
        })),
      })}
      ${stepUpFields(errors)} ${button({ text: W.verifyButton })}
    </form>`
}

function endForm(
  csrf: string,
  file: StopFile,
  places: readonly Hospital[],
  errors: readonly FieldError[],
): Markup {
  if (file.takenBack === null) return html``
  const { at, undone } = file.takenBack
  const said = (undone ? W.undoneIs : W.takenBackIs)(nameOf(places, file.asking ?? ''), dayAndTime(at))
  return html`<h2>${W.takenBackTitle}</h2>
    <p>${said}</p>
    <p>${W.takenBackLead}</p>
    <form class="no-print" method="post" action="/stops/${encodeURIComponent(file.stop)}/end">
      ${hiddenField('csrf', csrf)} ${stepUpFields(errors)} ${button({ text: W.takenBackButton })}
    </form>`
}

function eraseForm(
  csrf: string,
  file: StopFile,
  charts: readonly string[],
  errors: readonly FieldError[],
): Markup {
  if (charts.length === 0) return banner({ kind: 'note', label: W.noteLabel, text: W.eraseNone })
  return html`<h2>${W.eraseTitle}</h2>
    <p>${W.eraseLead}</p>
    <form class="no-print" method="post" action="/stops/${encodeURIComponent(file.stop)}/erase">
      ${hiddenField('csrf', csrf)}
      ${checkboxes({
        name: 'chart',
        label: W.charts,
        error: errors.find((one) => one.field === 'chart')?.text,
        chosen: [],
        choices: charts.map((value) => ({ value, text: value })),
      })}
      ${stepUpFields(errors)} ${button({ text: W.eraseButton })}
    </form>`
}

/** Two copies on one A4: what was asked, when, by whom; nothing of what the operator holds. */
export function stopSlipPage(
  operatorName: string,
  file: StopFile,
  person: AskedPerson | null,
  places: readonly Hospital[],
): Markup {
  const rows = [...scopeRows(file, places), ...(person ? personRows(file, person) : [])]
  const notes = [
    W.slipNoteHospital,
    W.slipNoteExists,
    ...notCovered(file, places).map((line) => W.notCoveredMark(line)),
  ]
  return bare(
    operatorName,
    W.slipTitle,
    html`<h1 class="no-print">${W.slipTitle}</h1>
      <p class="no-print">${W.print}</p>
      ${W.slipCopies.map((copy) => slip({ title: W.slipTitle, copy, lead: W.slipLead, rows, notes, from: [operatorName] }))}`,
  )
}
