import { banner } from '@kakehashi/ui/banner'
import { button, linkButton, printButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { qrCode } from '@kakehashi/ui/qr-code'
import { slip } from '@kakehashi/ui/slip'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'

export interface SlipPageView {
  handle: string
  stop: string
  number: string
  askedAt: string
  requester: string
  hospital: string[]
  scope: string
  erasure: boolean
  staff: string
  operator: string
  contact: string
  handedAt: string | null
  code: string
}

/** The document of Art. 53, twice on one A4: one to hand over, one to keep. */
export function slipPage(around: DeskView, view: SlipPageView): Markup {
  const copy = (whose: string) =>
    slip({
      title: W.slipTitle,
      copy: whose,
      lead: W.slipLead,
      rows: [
        { term: W.slipNumber, detail: html`<strong>${view.number}</strong>` },
        { term: W.slipAskedAt, detail: view.askedAt },
        { term: W.slipRequester, detail: view.requester },
        { term: W.slipScope, detail: view.scope },
        { term: W.slipErasure, detail: view.erasure ? W.slipErasureYes : W.slipErasureNo },
        { term: W.slipOperator, detail: view.operator },
        { term: W.slipContact, detail: view.contact },
        { term: W.slipStaff, detail: view.staff },
      ],
      notes: [...W.slipNotes, W.slipLaw],
      code: qrCode(view.code, W.slipNumber),
      codeText: W.slipCode,
      from: view.hospital,
    })
  return desk(
    around,
    W.slipPageTitle,
    html`<div class="no-print">
        <h1>${W.slipPageTitle}</h1>
        <div class="form-row">
          ${printButton({ text: W.print, without: W.printWithout, key: 'F8' })}${
            view.handedAt
              ? html`<p class="state">${W.handedAt(view.handedAt)}</p>`
              : html`<form method="post" action="/patient/${view.handle}/slip/${view.stop}/handed">
                  ${hiddenField('csrf', around.csrf)}${button({ text: W.handed, kind: 'secondary', key: 'F2', accessKey: 'n' })}
                </form>`
          }${linkButton({ text: W.slipHandedDone, href: '/', kind: 'secondary' })}
        </div>
      </div>
      ${copy(W.copyRequester)}${copy(W.copyHospital)}`,
  )
}

export interface NoticePaperView {
  hospital: string[]
  text: string
  token: string
  address: string | null
  addressShown: string | null
  phone: string | null
  day: string
}

export function noticePaperPage(around: DeskView, view: NoticePaperView): Markup {
  const groups = view.token.match(/.{1,4}/g) ?? []
  const code = view.address ? qrCode(view.address, W.paperCode) : ''
  return desk(
    around,
    W.paperPageTitle,
    html`<div class="no-print">
        <h1>${W.paperPageTitle}</h1>
        ${banner({ kind: 'warning', label: W.warningLabel, text: W.paperOnce })}
        <div class="form-row">
          ${printButton({ text: W.print, without: W.printWithout, key: 'F8' })}${linkButton({ text: W.paperDone, href: '/', kind: 'secondary', key: 'F2', accessKey: 'n' })}
        </div>
      </div>
      <article class="slip paper">
        <h2 class="slip__title">${W.paperTitle}</h2>
        ${view.text.split(/\n+/).map((line) => html`<p>${line}</p>`)}
        <h3>${W.paperHow}</h3>
        <div class="slip__body">
          <div class="slip__text">
            <p>${W.paperToken}<br /><strong class="receipt">${groups.join(' ')}</strong></p>
            <ul>
              ${view.addressShown ? html`<li>${W.paperHowWeb(view.addressShown)}</li>` : ''}
              <li>${W.paperHowDesk}</li>
              ${view.phone ? html`<li>${W.paperHowPhone(view.phone)}</li>` : ''}
            </ul>
          </div>
          ${
            code
              ? html`<figure class="slip__code">
                  ${code}
                  <figcaption>${W.paperCode}</figcaption>
                </figure>`
              : ''
          }
        </div>
        <p>${W.paperKeep}</p>
        <address class="slip__from">
          ${view.hospital.map((line) => html`<span>${line}</span> `)}<span>${W.paperIssued(view.day)}</span>
        </address>
      </article>`,
  )
}
