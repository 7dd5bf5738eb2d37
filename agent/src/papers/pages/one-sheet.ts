import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import { personCard } from '../../counter/pages/patient.ts'
import type { PersonView } from '../../counter/pages/search.ts'
import { W } from '../../counter/words.ja.ts'
import type { PrintedPaper } from '../store.ts'
import { P } from '../words.ja.ts'

export interface OneSheetView {
  sheet: PrintedPaper
  person: PersonView
  stopped: boolean
  guardianNeeded: boolean
}

/** Scan, Enter, F2: the sheet that lay ready is in the person's hand. */
export function oneSheetPage(around: DeskView, view: OneSheetView): Markup {
  const { sheet } = view
  const to = (act: string, text: string, kind: 'primary' | 'secondary', key?: string, value?: string) =>
    html`<form method="post" action="/papers/sheet/${sheet.paper}/${act}">
      ${hiddenField('csrf', around.csrf)}${value === undefined ? '' : hiddenField('to', value)}${button({ text, kind, ...(key === undefined ? {} : { key, accessKey: 'n' }) })}
    </form>`
  const both = view.guardianNeeded
  return desk(
    around,
    P.sheetTitle,
    html`<div class="two">
      <div class="two__side">
        ${personCard(view.person, html`<p class="state">${P.findLabel} ${sheet.paper}</p>`)}
      </div>
      <div class="two__main">
        <h1>${P.sheetTitle}</h1>
        <p class="state">${P.sheetState[sheet.state]}</p>
        ${view.stopped ? banner({ kind: 'stop', label: W.stopLabel, text: P.stopped }) : ''}
        ${
          sheet.state === 'printed'
            ? html`<p>${P.sheetAsk}</p>
                <div class="form-row">
                  ${both ? to('handed', P.sheetBoth, 'primary', 'F2', 'both') : ''}${to('handed', P.sheetHanded, both ? 'secondary' : 'primary', both ? undefined : 'F2', 'person')}${to('void', P.sheetVoid, 'secondary')}
                </div>`
            : ''
        }
        ${linkButton({ text: SHARED_WORDS.back, href: '/papers' })}
      </div>
    </div>`,
  )
}
