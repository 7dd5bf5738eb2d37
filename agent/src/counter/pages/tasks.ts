import { dayAndTime } from '@kakehashi/ui/dates'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'

export interface TaskRow {
  number: string
  askedAt: number
  ageHours: number
  origin: 'counter' | 'operator'
  kana: string
  href: string
}

export function tasksPage(around: DeskView, rows: readonly TaskRow[], named: number): Markup {
  return desk(
    around,
    W.tasksTitle,
    html`<h1>${W.tasksTitle}</h1>
      ${named > 0 ? html`<p><a class="tasks__named" href="/named">${W.tasksNamed(named)}</a></p>` : ''}
      <p>${W.tasksSlipsLead}</p>
      ${table({
        caption: W.tasksSlips,
        columns: [W.slipNumber, W.patient, W.taskOrigin, W.slipAskedAt, W.taskAge, W.taskOpen],
        none: W.tasksNone,
        rows: rows.map((row) => [
          row.number,
          row.kana,
          W.origin[row.origin],
          dayAndTime(row.askedAt),
          W.hours(row.ageHours),
          html`<a href="${row.href}">${W.taskOpen}<span class="hide"> ${row.number}</span></a>`,
        ]),
      })}`,
  )
}
