import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { inJapanese } from '@kakehashi/protocol/refusals'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import type { PersonView } from '../../counter/pages/search.ts'
import { W } from '../../counter/words.ja.ts'
import type { ListName } from '../lists.ts'
import type { SurveyLine } from '../survey.ts'
import { LIST_WORDS, O } from '../words.ja.ts'

export interface ListView {
  list: ListName
  rows: readonly { person: PersonView; line: SurveyLine; noLetter: boolean }[]
  page: number
  pages: number
  /** For whom letters can be printed from here, by number; the first of a long list. */
  letters: readonly string[]
}

export function listPage(around: DeskView, view: ListView): Markup {
  return desk(
    around,
    LIST_WORDS[view.list],
    html`<h1>${LIST_WORDS[view.list]}</h1>
      ${table({
        caption: O.pages(view.page, view.pages),
        columns: O.personColumns.map((text, at) =>
          at === 5 ? html`<span class="hide">${O.openPatient}</span>` : text,
        ),
        none: O.listNone,
        rows: view.rows.map((row) => cells(around, view.list, row)),
      })}
      ${pager(`/office/list/${view.list}`, view.page, view.pages)}
      <form method="post" action="/office/list/${view.list}/export">
        ${hiddenField('csrf', around.csrf)}${button({ text: O.exportList, kind: 'secondary' })}
        <p>${O.exportNote}</p>
      </form>
      ${view.letters.length === 0 ? '' : letters(around, view.letters)}
      ${linkButton({ text: SHARED_WORDS.back, href: '/office' })}`,
  )
}

function cells(around: DeskView, list: ListName, { person, line, noLetter }: ListView['rows'][number]) {
  const reason = line.code === null ? O.reasonOpen : inJapanese(line.code)
  return [
    html`${person.kana}<br />${person.kanji}`,
    person.number,
    person.birthDate ?? W.birthUnknown,
    html`${line.lists.includes(list) ? reason : O.gone}${noLetter ? html`<br /><strong>${O.noLetter}</strong>` : ''}`,
    line.earliest ?? '',
    html`<form method="post" action="/office/open">
      ${hiddenField('csrf', around.csrf)}${hiddenField('handle', person.handle)}${button({ text: html`${O.openPatient}<span class="hide"> ${person.kana}</span>`, kind: 'plain' })}
    </form>`,
  ]
}

function letters(around: DeskView, numbers: readonly string[]): Markup {
  return html`<form method="post" action="/papers/print">
    ${hiddenField('csrf', around.csrf)}${hiddenField('kind', 'letter')}${hiddenField('patients', numbers.join('\n'))}${button({ text: O.letters(numbers.length), kind: 'secondary' })}
    <p>${O.lettersNote}</p>
  </form>`
}

export function pager(path: string, page: number, pages: number, query = ''): Markup {
  const to = (n: number, text: string) => linkButton({ text, href: `${path}?page=${n}${query}` })
  return html`<div class="form-row">
    ${page > 1 ? to(page - 1, O.previous) : ''}${page < pages ? to(page + 1, O.next) : ''}
  </div>`
}
