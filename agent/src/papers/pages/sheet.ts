import { html, withoutReadings, withReadings, type Markup } from '@kakehashi/ui/markup'
import { qrCode } from '@kakehashi/ui/qr-code'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { blocksOf } from '@kakehashi/protocol/notice-text'
import { PAPER_WORDS, type PaperWords } from '../languages.ts'
import { hostInWords } from '../rules.ts'
import { P } from '../words.ja.ts'

export interface NoticeSheetView {
  text: string
  language: NoticeLanguage
  version: number
  token: string
  /** `null`: no sheet of its own, such as the one printed at the desk. */
  paper: string | null
  /** `https://…` of the portal. */
  portal: string | null
  phone: string | null
  hospital: readonly string[]
  day: string
  /** Printed in advance: for whom, so that it comes into the right hand. On paper and screen only. */
  bearer?: string | null
}

/** The notice on one A4: the published text to the letter, then how to stop, then who gives it. */
export function noticeSheet(view: NoticeSheetView): Markup {
  const words = PAPER_WORDS[view.language]
  const { title, blocks } = blocksOf(view.text)
  const easy = view.language === 'ja-easy'
  const said = (text: string) => (easy ? withReadings(text) : text)
  return html`<article
    class="sheet"
    data-kind="notice"
    lang="${words.lang}"
    ${easy ? html` data-readings` : ''}
  >
    ${view.bearer ? html`<p class="sheet__bearer" lang="ja">${view.bearer}</p>` : ''}
    <h2 class="sheet__title">${title === '' ? withReadings(words.title) : said(title)}</h2>
    ${blocks.map(
      (block) =>
        html`<div class="sheet__block">
          ${block.heading === null ? '' : html`<h3>${said(block.heading)}</h3>`}${block.lines.map(
            (line) => html`<p ${line.startsWith('・') ? html` class="sheet__item"` : ''}>${said(line)}</p>`,
          )}
        </div>`,
    )}
    ${stopPanel(view, words)} ${foot(view, words)}
  </article>`
}

/** The number in groups of four, the code that carries it, and the host as one types it. */
export function stopPanel(
  view: Pick<NoticeSheetView, 'token' | 'portal' | 'phone'>,
  words: PaperWords,
): Markup {
  const groups = (view.token.match(/.{1,4}/g) ?? []).join(' ')
  return html`<section class="sheet__stop">
    <h3>${withReadings(words.how)}</h3>
    <div class="sheet__how">
      <div>
        <p>${withReadings(words.token)}<br /><strong class="receipt">${groups}</strong></p>
        <ul>
          ${view.portal ? html`<li>${withReadings(words.web(hostInWords(view.portal)))}</li>` : ''}
          <li>${withReadings(words.desk)}</li>
          ${view.phone ? html`<li>${withReadings(words.phone(view.phone))}</li>` : ''}
        </ul>
        <p>${withReadings(words.keep)}</p>
      </div>
      ${
        view.portal
          ? html`<figure class="sheet__code">
              ${qrCode(`${view.portal}/q/${view.token}`, withoutReadings(words.code))}
              <figcaption>
                <span class="sheet__host">${hostInWords(view.portal)}</span>${withReadings(words.code)}
              </figcaption>
            </figure>`
          : ''
      }
    </div>
  </section>`
}

function foot(view: NoticeSheetView, words: PaperWords): Markup {
  const printed = html`${P.version(view.version)} ${P.printedOn(view.day)}`
  return html`<footer class="sheet__foot">
    <address>
      ${view.hospital.map((line) => html`<span lang="ja">${line}</span>`)}
      ${words.governs === '' ? '' : html`<span>${withReadings(words.governs)}</span>`}
      <span lang="ja">${printed}</span>
    </address>
    ${
      view.paper === null
        ? ''
        : html`<div class="sheet__own">
            <p>
              <span lang="ja">${P.hospitalUse}</span><br />${withReadings(words.number)}
              <strong>${view.paper}</strong>
            </p>
            ${qrCode(view.paper, `${P.hospitalUse} ${view.paper}`)}
          </div>`
    }
  </footer>`
}
