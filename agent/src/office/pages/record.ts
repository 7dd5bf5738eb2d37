import type { HoldReason } from '@kakehashi/protocol/rules/state'
import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import { deathWords, personCard } from '../../counter/pages/patient.ts'
import type { PersonView } from '../../counter/pages/search.ts'
import { RECORD as R } from '../record-words.ja.ts'

export interface RecordView {
  person: PersonView
  notices: readonly { notice: string; line: string; posted: boolean }[]
  provisional: readonly { stop: string; line: string }[]
  /** Documents that were posted or sent electronically. */
  slips: readonly { number: string; at: string }[]
  deceasedOn: string | null
  deathToReview: boolean
  guarded: boolean
  holds: readonly HoldReason[]
  charts: readonly { person: PersonView; same: boolean }[]
}

/** One form of this page: where it goes, what it carries unseen, what it asks. */
interface FormView {
  act: string
  hidden?: Record<string, string>
  fields?: Markup
  submit: string
  kind?: 'secondary' | 'danger'
}

export function recordPage(around: DeskView, view: RecordView): Markup {
  const { handle } = view.person
  const form = ({ act, hidden = {}, fields, submit, kind = 'secondary' }: FormView) =>
    html`<form method="post" action="/patient/${handle}/record/${act}">
      ${hiddenField('csrf', around.csrf)}${Object.entries(hidden).map(([name, value]) => hiddenField(name, value))}${fields ?? ''}${button({ text: submit, kind })}
    </form>`
  return desk(
    around,
    R.title,
    html`<div class="two">
      <div class="two__side">${personCard(view.person, '')}</div>
      <div class="two__main">
        <h1>${R.title}</h1>
        <p>${R.lead}</p>
        ${notices(view, form)} ${provisional(view, form)} ${slips(view, form)} ${holds(view, form)}
        ${charts(view, form)} ${death(view, form)} ${protection(view, form)}
        ${linkButton({ text: R.backToPatient, href: `/patient/${handle}` })}
      </div>
    </div>`,
  )
}

type MakeForm = (view: FormView) => Markup

const inside = (title: string, inner: Markup): Markup =>
  html`<details>
    <summary>${title}</summary>
    ${inner}
  </details>`

/** Ids differ from form to form: one page asks for a second person in several places. */
function secondFields(id: string): Markup {
  return html`${textField({ name: 'second', id: `second-${id}`, label: R.second, width: 'short', maxlength: 64 })}
  ${textField({ name: 'pin', id: `pin-${id}`, label: R.secondPin, type: 'password', width: 'short', maxlength: 12, inputmode: 'numeric' })}`
}

function reasons(id: string, label: string, words: Readonly<Record<string, string>>): Markup {
  return radios({
    name: 'reason',
    id: `reason-${id}`,
    label,
    choices: Object.entries(words).map(([value, text]) => ({ value, text })),
  })
}

function notices(view: RecordView, form: MakeForm): Markup {
  return html`<h2>${R.notices}</h2>
    ${view.notices.length === 0 ? html`<p>${R.noticesNone}</p>` : ''}
    ${view.notices.map(({ notice, line, posted }) => {
      const hidden = { notice }
      const day = textField({
        name: 'day',
        id: `day-${notice}`,
        label: R.arrivedDay,
        hint: R.arrivedDayHint,
        width: 'short',
        maxlength: 20,
      })
      const evidence = textField({
        name: 'evidence',
        id: `evidence-${notice}`,
        label: R.evidence,
        width: 'short',
        maxlength: 100,
      })
      return html`<h3>${line}</h3>
        ${
          posted
            ? html`${form({ act: 'returned', hidden, submit: R.returnedButton })}
                <p class="field__hint">${R.returnedHint}</p>`
            : ''
        }
        ${
          posted
            ? inside(
                R.arrivedTitle,
                form({
                  act: 'arrived',
                  hidden,
                  fields: html`${day}${evidence}${secondFields(notice)}`,
                  submit: R.arrivedButton,
                }),
              )
            : ''
        }
        ${inside(R.voidTitle, form({ act: 'void', hidden, fields: reasons(notice, R.voidWhy, R.voidReasons), submit: R.voidButton, kind: 'danger' }))}`
    })}`
}

function provisional(view: RecordView, form: MakeForm): Markup {
  if (view.provisional.length === 0) return html``
  return html`<h2>${R.provisional}</h2>
    ${view.provisional.map(({ stop, line }) =>
      inside(
        R.dismissTitle(line),
        html`<p>${R.dismissLead}</p>
          ${form({ act: 'dismiss', hidden: { stop }, fields: html`${reasons(stop, R.dismissWhy, R.dismissReasons)}${secondFields(stop)}`, submit: R.dismissButton, kind: 'danger' })}`,
      ),
    )}`
}

function slips(view: RecordView, form: MakeForm): Markup {
  if (view.slips.length === 0) return html``
  return html`<h2>${R.slips}</h2>
    ${view.slips.map(
      ({ number, at }) =>
        html`<p>${R.slipSent(number, at)}</p>
          ${form({ act: 'bounced', hidden: { number }, submit: R.bouncedButton })}`,
    )}`
}

function holds(view: RecordView, form: MakeForm): Markup {
  const set = { identity: R.holdIs.identity, other: R.holdIs.other }
  return html`<h2>${R.holds}</h2>
    ${view.holds.length === 0 ? html`<p>${R.holdsNone}</p>` : ''}
    ${view.holds.map((reason) =>
      inside(
        R.freeTitle(reason),
        form({ act: 'free', hidden: { reason }, fields: secondFields(reason), submit: R.freeButton }),
      ),
    )}
    ${inside(R.holdTitle, form({ act: 'hold', fields: reasons('hold', R.holdWhy, set), submit: R.holdButton }))}`
}

function charts(view: RecordView, form: MakeForm): Markup {
  return html`<h2>${R.charts}</h2>
    ${view.charts.length === 0 ? html`<p>${R.chartsNone}</p>` : ''}
    ${view.charts.map(({ person, same }) => {
      const hidden = { other: person.handle }
      return html`<h3>${person.kana} ${person.number}</h3>
        <p class="state">${same ? R.chartSame : R.chartDoubt}</p>
        ${same ? '' : form({ act: 'same', hidden, submit: R.sameButton })}
        ${inside(R.apartTitle(person.number), form({ act: 'apart', hidden, fields: secondFields(person.handle), submit: R.apartButton, kind: 'danger' }))}`
    })}`
}

function death(view: RecordView, form: MakeForm): Markup {
  const day = textField({
    name: 'day',
    id: 'day-death',
    label: R.deathDay,
    hint: R.deathDayHint,
    width: 'short',
    maxlength: 20,
  })
  return html`<h2>${R.death}</h2>
    ${
      view.deceasedOn
        ? html`<p>${R.deathKnown(deathWords(view.deceasedOn))}</p>
            ${inside(R.aliveTitle, form({ act: 'alive', fields: secondFields('alive'), submit: R.aliveButton }))}
            ${view.deathToReview ? inside(R.deathReview, form({ act: 'free', hidden: { reason: 'death-review' }, fields: secondFields('death'), submit: R.freeButton })) : ''}`
        : form({ act: 'death', fields: day, submit: R.deathButton })
    }`
}

function protection(view: RecordView, form: MakeForm): Markup {
  return html`<h2>${R.protection}</h2>
    <p>${view.guarded ? R.protectionOn : R.protectionOff}</p>
    ${view.guarded ? form({ act: 'protect', hidden: { on: 'no' }, submit: R.unprotectButton, kind: 'danger' }) : form({ act: 'protect', hidden: { on: 'yes' }, submit: R.protectButton })}`
}
