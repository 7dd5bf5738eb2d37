import { html, type Markup } from '@kakehashi/ui/markup'
import { qrCode } from '@kakehashi/ui/qr-code'
import { channelInWords } from '@kakehashi/protocol/notice-text'
import type { NoticeContent } from '@kakehashi/protocol/notice-content'
import { hostInWords } from '../rules.ts'
import { P } from '../words.ja.ts'

export interface PosterView {
  content: NoticeContent | null
  portal: string | null
  phone: string | null
  hospital: readonly string[]
}

/** Bears the same channels as the notice (LAW §1.3), and no number of anybody's. */
export function poster(view: PosterView): Markup {
  const channels = view.content?.stopChannels.map(channelInWords) ?? (view.phone ? [P.ask(view.phone)] : [])
  return html`<article class="sheet" data-kind="poster">
    <h2 class="sheet__title">${P.posterHead}</h2>
    ${P.posterBody.map((line) => html`<p>${line}</p>`)}
    ${
      view.content === null
        ? ''
        : html`<h3>${P.items.iii}</h3>
            <p>${view.content.dataItems.map((one) => one.words).join('、')}</p>`
    }
    <section class="sheet__stop">
      <h3 class="sheet__big">${P.posterStop}</h3>
      <p>${P.posterNoReason}</p>
      <div class="sheet__how">
        <div>
          <h3>${P.posterHow}</h3>
          <ul>
            ${channels.map((line) => html`<li>${line}</li>`)}
          </ul>
        </div>
        ${
          view.portal
            ? html`<figure class="sheet__code">
                ${qrCode(view.portal, P.posterCode)}
                <figcaption>
                  <span class="sheet__host">${hostInWords(view.portal)}</span>${P.posterCode}
                </figcaption>
              </figure>`
            : ''
        }
      </div>
    </section>
    <footer class="sheet__foot">
      <address>${view.hospital.map((line) => html`<span>${line}</span>`)}</address>
      <p>${P.posterNot}</p>
    </footer>
  </article>`
}
