import { html, type Markup } from './markup.ts'
import { summaryList, type SummaryRow } from './summary-list.ts'

export interface SlipView {
  title: string
  /** Whose copy: 「お渡しする用」「控え」. */
  copy: string
  lead: string | Markup
  rows: readonly SummaryRow[]
  notes: readonly (string | Markup)[]
  code?: Markup
  codeText?: string | Markup
  from: readonly string[]
}

/** One paper of half an A4; the same on screen and in print, readable in grey. */
export function slip(view: SlipView): Markup {
  return html`<article class="slip" aria-label="${view.title} ${view.copy}">
    <header class="slip__head">
      <h2 class="slip__title">${view.title}</h2>
      <p class="slip__copy">${view.copy}</p>
    </header>
    <p class="slip__lead">${view.lead}</p>
    <div class="slip__body">
      ${summaryList(view.rows)}${
        view.code
          ? html`<figure class="slip__code">
              ${view.code}
              <figcaption>${view.codeText ?? ''}</figcaption>
            </figure>`
          : ''
      }
    </div>
    <ul class="slip__notes">
      ${view.notes.map((note) => html`<li>${note}</li>`)}
    </ul>
    <address class="slip__from">${view.from.map((line) => html`<span>${line}</span> `)}</address>
  </article>`
}
