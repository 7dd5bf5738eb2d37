import { html, type Markup } from './markup.ts'

export type Cell = string | number | Markup

export interface TableView {
  caption: string | Markup
  columns: readonly (string | Markup)[]
  rows: readonly (readonly Cell[])[]
  /** Said instead of an empty table. */
  none: string | Markup
}

/** The first cell of a row is its header. On narrow screens the table scrolls inside its own box. */
export function table(view: TableView): Markup {
  if (view.rows.length === 0)
    return html`<section class="table-empty">
      <h2>${view.caption}</h2>
      <p>${view.none}</p>
    </section>`
  return html`<div class="table-box" tabindex="0" role="group">
    <table class="table">
      <caption>
        ${view.caption}
      </caption>
      <thead>
        <tr>
          ${view.columns.map((column) => html`<th scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${view.rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, at) => (at === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
