import type { LocalDate } from '@kakehashi/protocol/rules/state'
import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { kanaKey, kanjiKey } from '../../patients/words.ts'
import { W } from '../words.ja.ts'
import { erasureField, errorOf, placesField, relationField, whoField } from './asking.ts'
import { desk, type DeskView } from './desk.ts'
import type { PersonView } from './search.ts'

export interface NameStopView {
  given: {
    kana: string
    name: string
    born: string
    who: string
    relation: string
    contact: string
    places: string
    erasure: string
  }
  errors: FieldError[]
}

export function nameStopPage(around: DeskView, { given, errors }: NameStopView): Markup {
  return desk(
    around,
    errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.namedNew}` : W.namedNew,
    html`<h1>${W.namedNew}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, errors)}
      <p>${W.namedLead}</p>
      <form method="post" action="/named/new">
        ${hiddenField('csrf', around.csrf)}
        ${textField({ name: 'kana', label: W.namedKana, maxlength: 60, value: given.kana, autofocus: errors.length === 0, error: errorOf(errors, 'kana') })}
        ${textField({ name: 'name', label: W.namedName, hint: W.namedNameHint, maxlength: 60, value: given.name })}
        ${textField({ name: 'born', label: W.namedBorn, hint: W.namedBornHint, width: 'short', maxlength: 20, value: given.born, error: errorOf(errors, 'born') })}
        ${whoField(given.who, errors)} ${relationField(given.relation)}
        ${textField({ name: 'contact', label: W.namedContact, hint: W.namedContactHint, maxlength: 60, value: given.contact })}
        ${placesField(given.places, errors)} ${erasureField(given.erasure, errors)}
        <div class="form-row">
          ${button({ text: W.stopConfirm, key: 'F8', accessKey: 's' })}${linkButton({ text: SHARED_WORDS.back, kind: 'secondary', href: '/' })}
        </div>
      </form>`,
  )
}

/** A stop as it was asked, and the charts it holds. */
export interface NamedView {
  stop: string
  askedAt: string
  by: string
  kana: string
  name: string
  birthDate: LocalDate | null
  requester: string
  contact: string | null
  /** The operator was asked to tell the other hospitals. */
  elsewhere: boolean
  candidates: PersonView[]
}

/** What differs is marked by a sign and by weight, not by colour alone. */
function compared(same: boolean, text: string): Markup {
  return same ? html`${text}` : html`<span class="differs">≠ ${text}</span>`
}

function sideBySide(view: NamedView): Markup {
  const column = (one: PersonView) => [
    compared(kanaKey(one.kana) === kanaKey(view.kana), one.kana),
    compared(kanjiKey(one.kanji) === kanjiKey(view.name), one.kanji),
    compared(one.birthDate === view.birthDate, one.birthDate ?? W.birthUnknown),
    W.sex[one.sex],
    one.number,
  ]
  const asked = [view.kana || '—', view.name || '—', view.birthDate ?? W.birthUnknown, '—', '—']
  const columns = [asked, ...view.candidates.map(column)]
  const names = [W.namedKana, W.namedName, W.namedBornShort, W.namedSex, W.number]
  return table({
    caption: W.namedCompare(view.kana || view.name),
    columns: [W.namedField, W.namedAsked, ...view.candidates.map((_, at) => W.namedCandidate(at + 1))],
    none: '',
    rows: names.map((name, at) => [name, ...columns.map((cells) => cells[at] ?? '')]),
  })
}

/** What was sent with a faulty form, but for the PIN. */
export interface SettleGiven {
  stop: string
  chosen: string
  number: string
  second: string
}

function settleForm(
  csrf: string,
  view: NamedView,
  errors: readonly FieldError[],
  given: SettleGiven | null,
): Markup {
  const { stop, candidates } = view
  const field = (name: string) => `${name}-${stop}`
  return html`<form method="post" action="/named/${stop}">
    ${hiddenField('csrf', csrf)}
    ${radios({
      name: 'chosen',
      id: field('chosen'),
      label: W.namedWhich,
      hint: W.namedWhichHint,
      chosen: given?.chosen,
      choices: [
        ...candidates.map((one, at) => ({ value: one.handle, text: W.namedThis(at + 1, one.number) })),
        { value: 'number', text: W.namedOther },
        { value: 'nobody', text: W.namedNobody, ...(view.elsewhere ? { hint: W.namedNobodyElsewhere } : {}) },
        ...(view.elsewhere ? [{ value: 'error', text: W.namedError }] : []),
      ],
    })}
    ${textField({ name: 'number', id: field('number'), label: W.namedNumber, width: 'short', maxlength: 40, value: given?.number ?? '', error: errorOf(errors, field('number')) })}
    ${textField({ name: 'second', id: field('second'), label: W.secondId, hint: W.secondHint, width: 'short', maxlength: 64, value: given?.second ?? '', error: errorOf(errors, field('second')) })}
    ${textField({ name: 'pin', id: field('pin'), label: W.secondPin, type: 'password', width: 'short', maxlength: 12, inputmode: 'numeric' })}
    ${button({ text: W.namedSettle, kind: 'secondary' })}
  </form>`
}

export function namedPage(
  around: DeskView,
  view: { rows: NamedView[]; given: SettleGiven | null; errors: FieldError[] },
): Markup {
  return desk(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.namedTitle}` : W.namedTitle,
    html`<h1>${W.namedTitle}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
      <p>${W.namedListLead}</p>
      ${linkButton({ text: W.namedNew, href: '/named/new' })}
      ${view.rows.length === 0 ? html`<p class="state">${W.namedNone}</p>` : ''}
      ${view.rows.map(
        (row) =>
          html`<section>
            <h2>${row.kana || row.name}</h2>
            <p>
              ${row.askedAt} ・ ${row.requester} ・ ${W.recordBy}
              ${row.by}${row.elsewhere ? html` ・ ${W.placesAre.all}` : ''}${row.contact ? html` ・ ${W.namedContact} ${row.contact}` : ''}
            </p>
            ${sideBySide(row)}
            <details ${view.errors.some((one) => one.field.endsWith(row.stop)) ? html` open` : ''}>
              <summary>${W.namedDecide}<span class="hide"> ${row.kana || row.name}</span></summary>
              ${settleForm(around.csrf, row, view.errors, view.given?.stop === row.stop ? view.given : null)}
            </details>
            ${linkButton({ text: html`${W.printSlip}<span class="hide"> ${row.kana || row.name}</span>`, href: `/named/${row.stop}/slip` })}
          </section>`,
      )}`,
  )
}
