import { flag, html, type Markup } from './markup.ts'
import { safeHref } from './safe-href.ts'

export type ButtonKind = 'primary' | 'secondary' | 'danger' | 'plain'

export interface ButtonView {
  text: string | Markup
  kind?: ButtonKind
  /** Key that presses it where the script runs, shown beside the text; works as `accesskey` without it. */
  key?: string
  accessKey?: string
  name?: string
  value?: string
  autofocus?: boolean
}

const keyCap = (key: string | undefined) => (key ? html` <kbd class="key">${key}</kbd>` : '')
const keys = (view: ButtonView) =>
  html`${view.key ? html` data-key="${view.key}"` : ''}${view.accessKey ? html` accesskey="${view.accessKey}"` : ''}`

export function button(view: ButtonView): Markup {
  const named = view.name ? html` name="${view.name}" value="${view.value ?? ''}"` : ''
  return html`<button
    type="submit"
    class="button"
    data-kind="${view.kind ?? 'primary'}"
    ${named}${keys(view)}${flag('autofocus', view.autofocus)}
  >
    ${view.text}${keyCap(view.key)}
  </button>`
}

/** A link that looks like a button: goes somewhere, changes nothing. */
export function linkButton(view: ButtonView & { href: string }): Markup {
  return html`<a
    class="button"
    data-kind="${view.kind ?? 'secondary'}"
    href="${safeHref(view.href)}"
    ${keys(view)}
    >${view.text}${keyCap(view.key)}</a
  >`
}

/** Opens the browser's print dialogue. Hidden until the script is there; the text beside it tells the keys. */
export function printButton(view: { text: string; without: string; key?: string }): Markup {
  return html`<p class="print-row no-print">
    <button
      type="button"
      class="button"
      data-kind="primary"
      data-print
      hidden${view.key ? html` data-key="${view.key}"` : ''}
    >
      ${view.text}${keyCap(view.key)}</button
    ><span data-print-hint>${view.without}</span>
  </p>`
}
