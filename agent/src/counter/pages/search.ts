import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary } from '@kakehashi/ui/error-summary'
import { hiddenField, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { timeOfDay } from '@kakehashi/ui/dates'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'

/** One person as the counter names them. */
export interface PersonView {
  handle: string
  number: string
  kana: string
  kanji: string
  birthDate: string | null
  age: number | null
  sex: 'male' | 'female' | 'other' | 'unknown'
  deceasedOn: string | null
  /** Somebody else has the same name, and the birth date was not asked for yet. */
  unasked: boolean
}

export interface TodayRow {
  at: number
  handle: string
  number: string
  kana: string
  act: 'notice' | 'stop' | 'withdrawal'
  /** To whom and how, or who asked. */
  detail: string
  by: string
  undone: boolean
  /** Where an undo is posted, while it may be. */
  undo: { kind: 'notice' | 'stop'; id: string } | null
}

export interface SearchView {
  error: string | null
  found: { people: PersonView[]; more: boolean } | null
  today: TodayRow[]
}

export function searchForm(csrf: string, focus: boolean, error?: string | null): Markup {
  return html`<form method="post" action="/search" role="search" class="no-print">
    ${hiddenField('csrf', csrf)}
    ${textField({ name: 'q', label: W.searchLabel, hint: W.searchHint, type: 'search', maxlength: 64, autofocus: focus, error: error ?? undefined })}
    ${button({ text: W.search, kind: 'secondary' })}
  </form>`
}

export function bornLine(person: PersonView): string {
  const age = person.age === null ? '' : `（${W.years(person.age)}）`
  return `${person.birthDate ?? W.birthUnknown}${age}`
}

export function personLine(person: PersonView): string {
  return `${person.kanji} ・ ${bornLine(person)} ・ ${W.sex[person.sex]}`
}

export function todayTable(csrf: string, rows: readonly TodayRow[]): Markup {
  return table({
    caption: W.todayTitle,
    columns: [W.time, W.patient, W.record, W.recordBy, W.undoColumn],
    none: W.todayNone,
    rows: rows.map((row) => [
      timeOfDay(row.at),
      html`<a href="/patient/${row.handle}">${row.kana}</a>`,
      W.act[row.act],
      row.by,
      row.undone ? W.undoneMark : row.undo ? undoForm(csrf, row) : '',
    ]),
  })
}

export function undoForm(csrf: string, row: TodayRow): Markup {
  if (!row.undo) return html``
  return html`<form method="post" action="/patient/${row.handle}/undo">
    ${hiddenField('csrf', csrf)}${hiddenField('kind', row.undo.kind)}${hiddenField('id', row.undo.id)}<button
      type="submit"
      class="button"
      data-kind="plain"
    >
      ${W.undo}<span class="hide"> ${row.kana} ${W.act[row.act]}</span>
    </button>
  </form>`
}

function results(found: { people: PersonView[]; more: boolean }): Markup {
  if (found.people.length === 0) return html`<p class="state" role="status">${W.foundNone}</p>`
  return html`<h2>${W.found(found.people.length)}</h2>
    <p>${W.foundPick}</p>
    ${found.more ? html`<p class="state">${W.foundMore}</p>` : ''}
    <ol class="rows">
      ${found.people.map(
        (person, at) =>
          html`<li>
            <a
              href="/patient/${person.handle}"
              accesskey="${at + 1}"
              data-key="${at + 1}"
              ${at === 0 ? html` autofocus` : ''}
              ><kbd class="key">${at + 1}</kbd> <strong>${person.kana}</strong>
              <span class="rows__born">${bornLine(person)}</span><br />${person.kanji} ・ ${W.sex[person.sex]}
              ・ ${W.number} ${person.number}${person.unasked ? html`<br />${W.namesakeRow}` : ''}</a
            >
          </li>`,
      )}
    </ol>`
}

export function searchPage(around: DeskView, view: SearchView): Markup {
  const focus = !view.error && !(view.found && view.found.people.length > 0)
  return desk(
    around,
    view.error ? `${SHARED_WORDS.errorPrefix}${W.searchTitle}` : W.searchTitle,
    html`<div class="two">
      <div class="two__side">
        <h1>${W.searchTitle}</h1>
        ${view.error ? errorSummary(SHARED_WORDS.errorTitle, [{ field: 'q', text: view.error }]) : ''}
        ${searchForm(around.csrf, focus, view.error)}
        ${linkButton({ text: W.namedNew, kind: 'secondary', href: '/named/new', key: 'F4', accessKey: 's' })}
      </div>
      <div class="two__main">
        ${view.found ? results(view.found) : ''}${todayTable(around.csrf, view.today)}
      </div>
    </div>`,
  )
}
