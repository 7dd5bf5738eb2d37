import { html, type Markup } from '@kakehashi/ui/markup'
import type { TemplateFact } from '@kakehashi/protocol/rules/state'
import { longDate } from '@kakehashi/ui/dates'
import { PAPER_WORDS } from '../languages.ts'
import { P } from '../words.ja.ts'
import { noticeSheet, stopPanel, type NoticeSheetView } from './sheet.ts'

export interface LetterView {
  /** As the envelope's window shows it: postal code, address, name. On paper only. */
  to: { postalCode: string; lines: readonly string[]; name: string }
  template: TemplateFact
  notice: NoticeSheetView
}

/** Two sheets: what changes and how to stop, then the whole new notice. */
export function letter(view: LetterView): Markup {
  const { change } = view.template
  return html`<article class="sheet" data-kind="letter" lang="ja">
      <div class="sheet__to">
        <span>${view.to.postalCode === '' ? '' : `〒${view.to.postalCode}`}</span>
        ${view.to.lines.map((line) => html`<span>${line}</span>`)}
        <span><strong>${P.letterDear(view.to.name)}</strong></span>
      </div>
      <h2 class="sheet__title">${P.letterTitle}</h2>
      <p>${P.letterLead}</p>
      ${
        change
          ? html`<h3>${P.letterChanged}</h3>
              <ul>
                ${change.items.map((item) => html`<li>${P.items[item]}</li>`)}
              </ul>
              <p>${P.letterFrom(longDate(change.from))}</p>`
          : ''
      }
      <p>${P.letterStop}</p>
      <p>${P.letterAgain}</p>
      ${stopPanel(view.notice, PAPER_WORDS.ja)}
      <footer class="sheet__foot">
        <address>
          ${view.notice.hospital.map((line) => html`<span>${line}</span>`)}<span
            >${P.printedOn(view.notice.day)}</span
          >
        </address>
      </footer>
    </article>
    ${noticeSheet(view.notice)}`
}
