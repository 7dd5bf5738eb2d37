import { html, type Markup } from './markup.ts'

/** Where one is among a few steps: 「3のうち1」 and the names, the present one marked in words too. */
export function steps(view: {
  label: string | Markup
  position: string | Markup
  names: readonly (string | Markup)[]
  at: number
}): Markup {
  return html`<nav class="steps" aria-label="${view.label}">
    <p class="steps__position">${view.position}</p>
    <ol class="steps__list">
      ${view.names.map(
        (name, index) =>
          html`<li class="steps__item" ${index === view.at ? html` aria-current="step"` : ''}>${name}</li>`,
      )}
    </ol>
  </nav>`
}
