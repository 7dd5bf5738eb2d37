import { html, type Markup } from './markup.ts'

export interface FieldError {
  /** Name of the field the error belongs to. */
  field: string
  text: string | Markup
}

/** On top of the page, focused on arrival, each line leading to its field. Nothing when there is no error. */
export function errorSummary(title: string | Markup, errors: readonly FieldError[]): Markup {
  if (errors.length === 0) return html``
  return html`<div
    class="error-summary"
    role="alert"
    tabindex="-1"
    autofocus
    aria-labelledby="error-summary-title"
  >
    <h2 class="error-summary__title" id="error-summary-title">${title}</h2>
    <ul>
      ${errors.map((error) => html`<li><a href="#${error.field}">${error.text}</a></li>`)}
    </ul>
  </div>`
}
