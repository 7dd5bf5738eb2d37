import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import { desk, type DeskView } from './desk.ts'
import { personCard } from './patient.ts'
import type { PersonView } from './search.ts'

export interface WithdrawView {
  person: PersonView
  stops: string[]
  errors: FieldError[]
}

/** Nothing is chosen beforehand: a false resumption costs somebody their right. */
export function withdrawPage(around: DeskView, view: WithdrawView): Markup {
  const { person } = view
  const errorOf = (field: string) => view.errors.find((one) => one.field === field)?.text
  return desk(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.withdrawTitle}` : W.withdrawTitle,
    html`<div class="two">
      <div class="two__side">
        ${personCard(person, html`${view.stops.map((line) => html`<p class="state" data-alert>${line}</p>`)}`)}
      </div>
      <div class="two__main">
        <h1>${W.withdrawTitle}</h1>
        ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
        <p>${W.withdrawLead}</p>
        <form method="post" action="/patient/${person.handle}/withdraw">
          ${hiddenField('csrf', around.csrf)}
          ${radios({
            name: 'who',
            label: W.withdrawWho,
            choices: [
              { value: 'person', text: W.withdrawPerson },
              { value: 'other', text: W.withdrawOther },
            ],
            error: errorOf('who'),
          })}
          ${radios({
            name: 'how',
            label: W.howConfirmed,
            inline: true,
            choices: [
              { value: 'card', text: W.how.card },
              { value: 'document', text: W.how.document },
              { value: 'known', text: W.how.known },
            ],
            error: errorOf('how'),
          })}
          <div class="form-row">
            ${button({ text: W.withdrawConfirm })}${linkButton({ text: SHARED_WORDS.back, kind: 'secondary', href: `/patient/${person.handle}` })}
          </div>
        </form>
      </div>
    </div>`,
  )
}
