import { button, linkButton } from '@kakehashi/ui/button'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'
import type { PersonView } from './search.ts'

/** Two people of one name: nobody is opened before the birth date was heard. */
export function askPage(around: DeskView, view: { person: PersonView; born: string }): Markup {
  const { person } = view
  return desk(
    around,
    W.askTitle,
    html`<h1>${W.askTitle}</h1>
      <p>${W.askLead(person.kana)}</p>
      <p class="ask-born"><strong>${view.born}</strong></p>
      <p>
        ${person.kanji} ・ ${person.age === null ? '' : `${W.years(person.age)} ・ `}${W.sex[person.sex]} ・
        ${W.number} ${person.number}
      </p>
      <div class="form-row">
        <form method="post" action="/patient/${person.handle}/ask">
          ${hiddenField('csrf', around.csrf)}${button({ text: W.askYes, key: 'F2', accessKey: 'n', autofocus: true })}
        </form>
        ${linkButton({ text: W.askNo, kind: 'secondary', href: '/' })}
      </div>`,
  )
}
