import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import { errorOf } from './asking.ts'
import { desk, type DeskView } from './desk.ts'
import { personCard } from './patient.ts'
import type { PersonView } from './search.ts'

export const WITHDRAWERS = ['person', 'guardian', 'other'] as const
/** A face that somebody knows is enough to stop, not to resume. */
export const WITHDRAWAL_CHECKS = ['card', 'document'] as const

export const WITHDRAWN_PLACES = ['keep', 'also'] as const

export interface WithdrawView {
  person: PersonView
  stops: string[]
  /** A guardian may take back what a guardian asked for. */
  child: boolean
  /** Other hospitals were asked to stop, too. */
  elsewhere: boolean
  /** A faulty form comes back as it was sent. */
  given: { who: string; how: string; born: string; places: string; explained: string }
  errors: FieldError[]
}

function placesField(chosen: string, errors: readonly FieldError[]): Markup {
  return radios({
    name: 'places',
    chosen,
    label: W.withdrawPlaces,
    hint: W.withdrawPlacesHint,
    choices: WITHDRAWN_PLACES.map((value) => ({ value, text: W.withdrawPlacesAre[value] })),
    error: errorOf(errors, 'places'),
  })
}

/** Nothing is chosen beforehand: a false resumption costs somebody their right. */
export function withdrawPage(around: DeskView, view: WithdrawView): Markup {
  const { person, errors, given } = view
  const states = view.stops.map((line) => html`<p class="state" data-alert>${line}</p>`)
  return desk(
    around,
    errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.withdrawTitle}` : W.withdrawTitle,
    html`<div class="two">
      <div class="two__side">${personCard(person, html`${states}`, true)}</div>
      <div class="two__main">
        <h1>${W.withdrawTitle}</h1>
        ${errorSummary(SHARED_WORDS.errorTitle, errors)}
        <p>${W.withdrawLead}</p>
        <form method="post" action="/patient/${person.handle}/withdraw">
          ${hiddenField('csrf', around.csrf)}
          ${radios({
            name: 'who',
            chosen: given.who,
            label: W.withdrawWho,
            choices: WITHDRAWERS.filter((value) => view.child || value !== 'guardian').map((value) => ({
              value,
              text: W.withdrawBy[value],
            })),
            error: errorOf(errors, 'who'),
          })}
          ${radios({
            name: 'how',
            chosen: given.how,
            label: W.howConfirmed,
            hint: W.withdrawHowHint,
            inline: true,
            choices: WITHDRAWAL_CHECKS.map((value) => ({ value, text: W.how[value] })),
            error: errorOf(errors, 'how'),
          })}
          ${textField({ name: 'born', label: W.withdrawBorn, hint: W.withdrawBornHint, width: 'short', maxlength: 20, value: given.born, error: errorOf(errors, 'born') })}
          ${view.elsewhere ? placesField(given.places, errors) : ''}
          ${radios({
            name: 'explained',
            chosen: given.explained,
            label: W.withdrawExplained,
            hint: W.withdrawExplainedHint,
            choices: [{ value: 'yes', text: W.withdrawExplainedYes }],
            error: errorOf(errors, 'explained'),
          })}
          <div class="form-row">
            ${button({ text: W.withdrawConfirm })}${linkButton({ text: SHARED_WORDS.back, kind: 'secondary', href: `/patient/${person.handle}` })}
          </div>
        </form>
      </div>
    </div>`,
  )
}
