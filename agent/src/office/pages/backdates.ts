import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import type { PersonView } from '../../counter/pages/search.ts'
import { O } from '../words.ja.ts'
import { pager } from './list.ts'

export interface BackdateRow {
  notice: string
  person: PersonView
  said: string
  recordedAt: string
  by: string
  /** Whoever entered it cannot be the second person. */
  own: boolean
  /** What was written when it was entered. */
  evidence: string
}

export interface BackdatesView {
  rows: readonly BackdateRow[]
  page: number
  pages: number
  errors: readonly FieldError[]
}

export function backdatesPage(around: DeskView, view: BackdatesView): Markup {
  return desk(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${O.backdatesTitle}` : O.backdatesTitle,
    html`<h1>${O.backdatesTitle}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
      <p>${O.backdatesLead}</p>
      ${table({
        caption: O.pages(view.page, view.pages),
        columns: [...O.backdateColumns],
        none: O.listNone,
        rows: view.rows.map((row) => [
          html`${row.person.kana}<br />${row.person.number}`,
          html`<strong>${row.said}</strong>`,
          html`${row.recordedAt}<br />${row.by}`,
          row.evidence === '' ? '-' : row.evidence,
          row.own ? O.backdateOwn : answer(around.csrf, row, view.errors),
        ]),
      })}
      ${pager('/office/backdates', view.page, view.pages)}
      ${linkButton({ text: SHARED_WORDS.back, href: '/office' })}`,
  )
}

function answer(csrf: string, { notice }: BackdateRow, errors: readonly FieldError[]): Markup {
  const id = `evidence-${notice}`
  return html`<form method="post" action="/office/backdates/${notice}">
    ${hiddenField('csrf', csrf)}
    ${textField({ name: 'evidence', id, label: O.backdateEvidence, hint: O.backdateEvidenceHint, width: 'short', maxlength: 100, error: errors.find((one) => one.field === id)?.text })}
    <div class="form-row">
      ${button({ text: O.backdateApprove, name: 'answer', value: 'approve' })}${button({ text: O.backdateRefuse, kind: 'secondary', name: 'answer', value: 'refuse' })}
    </div>
  </form>`
}
