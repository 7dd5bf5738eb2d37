import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, withReadings as r, type Markup } from '@kakehashi/ui/markup'
import { LANGUAGES, layout, type Around } from './layout.ts'
import type { PortalWords } from './words.ja.ts'

/** What to know comes before the button. It names no hospital: the address is one for all. */
export function startPage(around: Around, token: string | null): Markup {
  const w = LANGUAGES[around.language]
  const { operator } = around
  return layout(
    around,
    w.title,
    html`<h1>${r(w.title)}</h1>
      <p>${r(w.lead)}</p>
      <h2>${r(w.reassureTitle)}</h2>
      <ul>
        ${w.reassure.map((line) => html`<li>${r(line)}</li>`)}
      </ul>
      <h2>${r(w.aboutTitle)}</h2>
      <ul>
        ${w.about.map((line) => html`<li>${r(line)}</li>`)}
      </ul>
      <h2>${r(w.whoTitle)}</h2>
      <p>${r(w.whoText)}</p>
      <h2>${r(w.otherTitle)}</h2>
      <ul>
        <li>${r(w.otherDesk)}</li>
        ${operator.phone ? html`<li>${r(w.otherPhone(operator.phone))}</li>` : ''}
        <li>${r(w.otherPost(operator.name, operator.address))}</li>
      </ul>
      ${
        token === null
          ? linkButton({ text: r(w.start), kind: 'primary', href: `/${around.language}/number` })
          : html`<form method="post" action="/${around.language}/number">
              ${hiddenField('token', token)}${button({ text: r(w.start) })}
            </form>`
      }
      ${linkButton({ text: r(w.noPaper), kind: 'secondary', href: `/${around.language}/nopaper` })}
      <h2>${r(w.moreTitle)}</h2>
      <ul class="links">
        ${more(w).map(([path, text]) => html`<li><a href="/${around.language}/${path}">${r(text)}</a></li>`)}
      </ul>`,
  )
}

const more = (w: PortalWords): [path: string, text: string][] => [
  ['state', w.stateTitle],
  ['erase', w.eraseTitle],
  ['question', w.questionTitle],
  ['notice', w.noticeTitle],
]
