import { timeOfDay } from '@kakehashi/ui/dates'
import { html, type Markup } from '@kakehashi/ui/markup'
import { table } from '@kakehashi/ui/table'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'
import { undoForm, type TodayRow } from './search.ts'

export function todayPage(around: DeskView, rows: readonly TodayRow[], more: boolean): Markup {
  const count = (act: TodayRow['act']) => rows.filter((row) => row.act === act && !row.undone).length
  return desk(
    around,
    W.todayPage,
    html`<h1>${W.todayPage}</h1>
      <p class="state">${W.todayCounts(count('notice'), count('stop'), count('withdrawal'))}</p>
      ${more ? html`<p>${W.todayMore(rows.length)}</p>` : ''}
      ${table({
        caption: W.todayTitle,
        columns: [W.time, W.patient, W.number, W.record, W.recordDetail, W.recordBy, W.undoColumn],
        none: W.todayNone,
        rows: rows.map((row) => [
          timeOfDay(row.at),
          html`<a href="/patient/${row.handle}">${row.kana}</a>`,
          row.number,
          W.act[row.act],
          row.detail,
          row.by,
          row.undone ? W.undoneMark : row.undo ? undoForm(around.csrf, row) : '',
        ]),
      })}`,
  )
}
