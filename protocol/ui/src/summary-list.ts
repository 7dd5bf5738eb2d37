import { html, type Markup } from './markup.ts'

export interface SummaryRow {
  term: string | Markup
  detail: string | number | Markup
}

export function summaryList(rows: readonly SummaryRow[]): Markup {
  return html`<dl class="summary-list">
    ${rows.map(
      (row) =>
        html`<div class="summary-list__row">
          <dt>${row.term}</dt>
          <dd>${row.detail}</dd>
        </div>`,
    )}
  </dl>`
}
