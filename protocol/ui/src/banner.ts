import { html, type Markup } from './markup.ts'

export interface BannerView {
  kind: 'done' | 'note' | 'warning' | 'stop'
  /** The kind in words: colour alone says nothing. */
  label: string | Markup
  text: string | Markup
  more?: string | Markup
  /** Announced when the page arrives. */
  live?: boolean
}

export function banner(view: BannerView): Markup {
  return html`<div class="banner" data-kind="${view.kind}" ${view.live ? html` role="status"` : ''}>
    <p class="banner__text"><strong class="banner__label">${view.label}</strong> ${view.text}</p>
    ${view.more ? html`<div class="banner__more">${view.more}</div>` : ''}
  </div>`
}
