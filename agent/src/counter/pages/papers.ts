import { BASE_CSS, SHEET_CSS } from '@kakehashi/ui/assets'
import { banner } from '@kakehashi/ui/banner'
import { button, linkButton, printButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { raw } from 'hono/html'
import { qrCode } from '@kakehashi/ui/qr-code'
import { slip } from '@kakehashi/ui/slip'
import { noticeSheet, type NoticeSheetView } from '../../papers/pages/sheet.ts'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'

export interface SlipPageView {
  /** Where this slip's forms go. */
  base: string
  number: string
  askedAt: string
  requester: string
  hospital: string[]
  scope: string
  erasure: boolean
  /** What happens at the other hospitals. */
  elsewhere: string
  notes: readonly string[]
  staff: string
  operator: string
  contact: string
  /** When and how it went out, in words. */
  handed: string | null
  /** `null`: on paper only. */
  electronic: { agreed: boolean; issued: boolean } | null
  code: string
}

function copyOf(view: SlipPageView, whose: string): Markup {
  return slip({
    title: W.slipTitle,
    copy: whose,
    lead: W.slipLead,
    rows: [
      { term: W.slipNumber, detail: html`<strong>${view.number}</strong>` },
      { term: W.slipAskedAt, detail: view.askedAt },
      { term: W.slipRequester, detail: view.requester },
      { term: W.slipScope, detail: view.scope },
      { term: W.slipElsewhere, detail: view.elsewhere },
      { term: W.slipErasure, detail: view.erasure ? W.slipErasureYes : W.slipErasureNo },
      { term: W.slipOperator, detail: view.operator },
      { term: W.slipContact, detail: view.contact },
      { term: W.slipStaff, detail: view.staff },
    ],
    notes: [...view.notes, ...W.slipNotes, W.slipLaw],
    code: qrCode(view.code, W.slipNumber),
    codeText: W.slipCode,
    from: view.hospital,
  })
}

/** The document of Art. 53, twice on one A4: one to hand over, one to keep. */
export function slipPage(around: DeskView, view: SlipPageView): Markup {
  const form = (path: string, inner: Markup) =>
    html`<form method="post" action="${view.base}/${path}">${hiddenField('csrf', around.csrf)}${inner}</form>`
  const handed = button({ text: W.handed, kind: 'secondary', key: 'F2', accessKey: 'n' })
  return desk(
    around,
    W.slipPageTitle,
    html`<div class="no-print">
        <h1>${W.slipPageTitle}</h1>
        <div class="form-row">
          ${printButton({ text: W.print, without: W.printWithout, key: 'F8' })}${
            view.handed ? html`<p class="state">${view.handed}</p>` : form('handed', handed)
          }${linkButton({ text: W.slipHandedDone, href: '/', kind: 'secondary' })}
        </div>
        ${view.electronic ? otherWays(view, view.electronic, form) : ''}
      </div>
      ${copyOf(view, W.copyRequester)}${copyOf(view, W.copyHospital)}`,
  )
}

/** By post, or as a file: the latter only after a consent that is recorded first (Art. 53(2)). */
function otherWays(
  view: SlipPageView,
  { agreed, issued }: { agreed: boolean; issued: boolean },
  form: (path: string, inner: Markup) => Markup,
): Markup {
  const answer = (value: 'yes' | 'no', text: string) =>
    form('agree', button({ text, kind: 'secondary', name: 'agreed', value }))
  const how = (value: 'posted' | 'electronic', text: string) =>
    form('handed', button({ text, kind: 'secondary', name: 'how', value }))
  return html`<details ${agreed ? html` open` : ''}>
    <summary>${W.slipOtherWays}</summary>
    <p>${agreed ? W.slipElectronicAgreed : W.slipElectronicLead}</p>
    <div class="form-row">
      ${
        issued
          ? linkButton({ text: W.slipElectronicFile, href: `${view.base}/file` })
          : html`${agreed ? answer('no', W.slipElectronicNo) : answer('yes', W.slipElectronicYes)}${
              agreed && !view.handed ? how('electronic', W.slipElectronicIssue) : ''
            }`
      }
      ${view.handed ? '' : how('posted', W.slipPosted)}
    </div>
  </details>`
}

/** The electronic record in place of paper: one file that needs nothing else. */
export function slipFile(view: SlipPageView): Markup {
  return html`<!doctype html>
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${W.slipTitle} ${view.number}</title>
        <style>
          ${raw(BASE_CSS.body)}
        </style>
      </head>
      <body>
        <main class="main" data-width="narrow">
          <h1>${W.slipTitle}</h1>
          ${copyOf(view, W.copyRequester)}
        </main>
      </body>
    </html>`
}

/** The sheet to hand over; its number is on no other page. */
export function noticePaperPage(around: DeskView, view: NoticeSheetView): Markup {
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
      ${noticeSheet(view)}`,
    [{ href: SHEET_CSS.path }],
  )
}
