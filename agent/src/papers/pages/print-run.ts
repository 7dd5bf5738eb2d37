import { banner } from '@kakehashi/ui/banner'
import { SHEET_CSS } from '@kakehashi/ui/assets'
import { linkButton, printButton } from '@kakehashi/ui/button'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { desk, type DeskView } from '../../counter/pages/desk.ts'
import { W } from '../../counter/words.ja.ts'
import type { NoSheet } from '../flow.ts'
import { P } from '../words.ja.ts'

/** Only while its session lives: the sheets of one printing, and for whom none was printed. */
export function printRunPage(
  around: DeskView,
  sheets: readonly Markup[],
  left: readonly { number: string; why: NoSheet }[],
): Markup {
  const title = sheets.length > 0 ? P.sheetsTitle(sheets.length) : P.sheetsNone
  return desk(
    around,
    title,
    html`<div class="no-print">
        <h1>${title}</h1>
        ${sheets.length > 0 ? banner({ kind: 'warning', label: W.warningLabel, text: P.sheetsOnce }) : ''}
        <div class="form-row">
          ${sheets.length > 0 ? printButton({ text: W.print, without: W.printWithout, key: 'F8' }) : ''}${linkButton({ text: SHARED_WORDS.back, href: '/papers' })}
        </div>
        ${
          left.length === 0
            ? ''
            : table({
                caption: P.left,
                columns: [...P.leftColumns],
                none: '',
                rows: left.map((one) => [one.number, P.leftWhy[one.why]]),
              })
        }
      </div>
      ${sheets}`,
    [{ href: SHEET_CSS.path }],
  )
}

/** A page of one paper that names nobody. */
export function paperPage(around: DeskView, title: string, paper: Markup): Markup {
  return desk(
    around,
    title,
    html`<div class="no-print">
        <h1>${title}</h1>
        <div class="form-row">
          ${printButton({ text: W.print, without: W.printWithout, key: 'F8' })}${linkButton({ text: SHARED_WORDS.back, href: '/papers' })}
        </div>
      </div>
      ${paper}`,
    [{ href: SHEET_CSS.path }],
  )
}
