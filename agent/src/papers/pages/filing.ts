import { html, type Markup } from '@kakehashi/ui/markup'
import { blocksOf } from '@kakehashi/protocol/notice-text'

/** The sheet for the ministers, made from the very notice that is handed out (R2). */
export function filing(text: string): Markup {
  const { title, blocks } = blocksOf(text)
  return html`<article class="sheet" data-kind="filing">
    <h2 class="sheet__title">${title}</h2>
    ${blocks.map(
      (block) =>
        html`<div class="sheet__block">
          ${block.heading === null ? '' : html`<h3>${block.heading}</h3>`}${block.lines.map(
            (line) => html`<p>${line}</p>`,
          )}
        </div>`,
    )}
  </article>`
}
