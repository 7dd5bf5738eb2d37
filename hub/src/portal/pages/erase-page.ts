import { button } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, withReadings as r } from '@kakehashi/ui/markup'
import type { Hono } from 'hono'
import { eraseTold } from './ask.ts'
import { LANGUAGES, layout, type Language } from './layout.ts'
import type { AroundOf } from './number-pages.ts'

/** To have erased what was provided, for itself: what it means, and by which way (LAW R20). */
export function addErasePage(app: Hono, language: Language, around: AroundOf): void {
  app.get(`/${language}/erase`, (c) => {
    const w = LANGUAGES[language]
    return c.html(
      layout(
        around(language, '/erase'),
        w.eraseTitle,
        html`<h1>${r(w.eraseTitle)}</h1>
          <p>${r(w.eraseLead)}</p>
          <h2>${r(w.eraseToldTitle)}</h2>
          ${eraseTold(w)}
          <form method="post" action="/${language}/number">
            ${hiddenField('wish', 'erase')}${button({ text: r(w.start) })}
          </form>
          <form method="post" action="/${language}/nopaper">
            ${hiddenField('wish', 'erase')}${button({ text: r(w.noPaper), kind: 'secondary' })}
          </form>`,
      ),
    )
  })
}
