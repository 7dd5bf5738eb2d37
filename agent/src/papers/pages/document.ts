import { BASE_CSS, PRINT_CSS, SHEET_CSS } from '@kakehashi/ui/assets'
import { longDate } from '@kakehashi/ui/dates'
import { html, type Markup } from '@kakehashi/ui/markup'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { raw } from 'hono/html'
import { hospitalLines } from '../../counter/parts.ts'
import type { Sheet } from '../flow.ts'
import { P } from '../words.ja.ts'
import { noticeSheet } from './sheet.ts'

/** Sheets as one file that needs nothing else: opened in any browser and printed there. */
export function sheetsDocument(
  sheets: readonly Sheet[],
  about: {
    portal: string | null
    phone: string | null
    facilityName: string
    entity: { name: string; address: string; representative: string } | null
    now: number
    bearerOf: (sheet: Sheet) => string | null
  },
): string {
  const { portal, phone } = about
  const hospital = hospitalLines(about.facilityName, about.entity)
  const day = longDate(tokyoDate(about.now))
  const title = P.sheetsTitle(sheets.length)
  const page: Markup = html`<!doctype html>
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <style>
          ${raw(BASE_CSS.body + SHEET_CSS.body)} @media print { ${raw(PRINT_CSS.body.replace(/@page\s*\{[^}]*\}/, ''))} }
          @page {
            size: A4 portrait;
            margin: 12mm;
          }
        </style>
      </head>
      <body>
        <main class="main">
          <h1 class="no-print">${title}</h1>
          ${sheets.map((sheet) => noticeSheet({ ...sheet, portal, phone, hospital, day, bearer: about.bearerOf(sheet) }))}
        </main>
      </body>
    </html>`
  return String(page)
}
