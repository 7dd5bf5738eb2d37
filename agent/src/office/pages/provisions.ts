import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import type { Period, ProvisionRow } from '../provision-export.ts'
import { O } from '../words.ja.ts'
import { pager } from './list.ts'

export interface ProvisionsView {
  period: Period
  rows: readonly (ProvisionRow & { patients: number })[]
  page: number
  pages: number
  errors: readonly FieldError[]
}

const trackWords = (track: string) => (track === 'PSEUDO' ? O.track.PSEUDO : O.track.ANON)

export function periodFields(period: Period, errors: readonly FieldError[]): Markup {
  const of = (field: string) => errors.find((one) => one.field === field)?.text
  return html`${textField({ name: 'from', label: O.from, hint: O.dateHint, width: 'short', maxlength: 10, value: period.from, error: of('from') })}
  ${textField({ name: 'to', label: O.to, hint: O.dateHint, width: 'short', maxlength: 10, value: period.to, error: of('to') })}`
}

export function provisionsPage(around: DeskView, view: ProvisionsView): Markup {
  const { period } = view
  return desk(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${O.provisionsTitle}` : O.provisionsTitle,
    html`<h1>${O.provisionsTitle}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
      <p>${O.provisionsLead}</p>
      <form method="get" action="/office/provisions" class="no-print">
        ${periodFields(period, view.errors)}${button({ text: O.show, kind: 'secondary' })}
      </form>
      ${table({
        caption: `${period.from} 〜 ${period.to} ${O.pages(view.page, view.pages)}`,
        columns: O.provisionColumns.map((text, at) =>
          at === 6 ? html`<span class="hide">${O.provisionOpen}</span>` : text,
        ),
        none: O.provisionsNone,
        rows: view.rows.map((row) => [
          row.provided_on,
          row.operator_name,
          row.operator_address,
          trackWords(row.track),
          row.patients,
          row.records,
          html`<a href="/office/provisions/${row.batch}"
            >${O.provisionOpen}<span class="hide"> ${row.provided_on} ${row.batch}</span></a
          >`,
        ]),
      })}
      ${pager('/office/provisions', view.page, view.pages, `&from=${period.from}&to=${period.to}`)}
      <form method="post" action="/office/provisions/export">
        ${hiddenField('csrf', around.csrf)}${hiddenField('from', period.from)}${hiddenField('to', period.to)}
        ${button({ text: O.exportCsv, kind: 'secondary', name: 'form', value: 'csv' })}${button({ text: O.exportJson, kind: 'secondary', name: 'form', value: 'json' })}
        <p>${O.exportNote}</p>
      </form>
      ${linkButton({ text: SHARED_WORDS.back, href: '/office' })}`,
  )
}

export interface ProvisionView {
  row: ProvisionRow
  people: readonly { number: string; kana: string; items: string }[]
  next: string | null
}

export function provisionPage(around: DeskView, view: ProvisionView): Markup {
  const { row } = view
  return desk(
    around,
    O.provisionTitle,
    html`<h1>${O.provisionTitle}</h1>
      <p>${row.provided_on} ・ ${row.operator_name} ・ ${row.operator_address} ・ ${trackWords(row.track)}</p>
      ${table({
        caption: row.batch,
        columns: [...O.provisionPeople],
        none: O.listNone,
        rows: view.people.map((one) => [one.number, one.kana, one.items]),
      })}
      <div class="form-row">
        ${view.next === null ? '' : linkButton({ text: O.next, href: `/office/provisions/${row.batch}?page=${view.next}` })}${linkButton({ text: SHARED_WORDS.back, href: '/office/provisions' })}
      </div>`,
  )
}
