import { html, type Markup } from './markup.ts'
import { safeHref } from './safe-href.ts'

export interface FrameView {
  lang: string
  /** The text carries readings over its kanji: wider lines. */
  readings?: boolean
  /** Of the page; browsers and screen readers say it first. */
  title: string
  skip: string | Markup
  /** Name of the hospital, the service, the operator. */
  name: string | Markup
  /** Who is signed in, ways around, language links. */
  aside?: Markup | ''
  main: Markup
  footer?: Markup | ''
  styles: readonly { href: string; media?: 'print' }[]
  script?: string
  width?: 'wide' | 'narrow'
}

/** The whole document. One h1 belongs into `main`. */
export function frame(view: FrameView): Markup {
  return html`<!doctype html>
    <html lang="${view.lang}" ${view.readings ? html` data-readings` : ''}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="format-detection" content="telephone=no" />
        <title>${view.title}</title>
        ${view.styles.map((style) => html`<link rel="stylesheet" href="${safeHref(style.href)}" ${style.media ? html` media="${style.media}"` : ''} />`)}
        ${view.script ? html`<script src="${safeHref(view.script)}" defer></script>` : ''}
      </head>
      <body>
        <a class="skip" href="#main">${view.skip}</a>
        <header class="header no-print">
          <div class="header__inner" data-width="${view.width ?? 'wide'}">
            <p class="header__name">${view.name}</p>
            ${view.aside ?? ''}
          </div>
        </header>
        <main id="main" class="main" data-width="${view.width ?? 'wide'}" tabindex="-1">${view.main}</main>
        ${view.footer ? html`<footer class="footer no-print"><div class="footer__inner" data-width="${view.width ?? 'wide'}">${view.footer}</div></footer>` : ''}
      </body>
    </html>`
}
