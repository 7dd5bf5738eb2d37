import type { Track } from '@kakehashi/protocol/rules/state'
import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import {
  erasureField,
  howField,
  placesField,
  relationField,
  scopeField,
  whoField,
  type Answers,
} from './asking.ts'
import { alikeSection } from './charts.ts'
import { desk, type DeskView } from './desk.ts'
import { personCard } from './patient.ts'
import type { PersonView } from './search.ts'

export interface StopFormView {
  person: PersonView
  answers: Answers
  /** For which there is a notice here. */
  tracks: readonly Track[]
  errors: FieldError[]
}

export function stopPage(around: DeskView, view: StopFormView): Markup {
  const { person, answers, errors, tracks } = view
  return desk(
    around,
    errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.stopTitle}` : W.stopTitle,
    html`<div class="two">
      <div class="two__side">${personCard(person, '')}</div>
      <div class="two__main">
        <h1>${W.stopTitle}</h1>
        ${errorSummary(SHARED_WORDS.errorTitle, errors)}
        <p>${W.stopLead}</p>
        <form method="post" action="/patient/${person.handle}/stop">
          ${hiddenField('csrf', around.csrf)} ${whoField(answers.who, errors)}
          ${relationField(answers.relation)} ${howField(answers.how, errors)}
          ${scopeField(tracks, answers.scope, errors)} ${placesField(answers.places, errors)}
          ${erasureField(answers.erasure, errors)}
          <div class="form-row">
            ${button({ text: W.stopConfirm, key: 'F8', accessKey: 's' })}${linkButton({ text: SHARED_WORDS.back, kind: 'secondary', href: `/patient/${person.handle}` })}
          </div>
        </form>
      </div>
    </div>`,
  )
}

export interface StoppedView {
  person: PersonView
  stop: string
  askedAt: string
  /** Nobody was identified, or nobody with a right of their own asked: it holds, and somebody will look. */
  provisional: boolean
  /** The operator tells the other hospitals. */
  elsewhere: boolean
  undoable: boolean
  alike: PersonView[]
}

/** Sent only after the commit: what it says is already so. */
export function stoppedPage(around: DeskView, view: StoppedView): Markup {
  const { handle } = view.person
  return desk(
    around,
    W.stopInForce,
    html`<div class="two">
      <div class="two__side">${personCard(view.person, '')}</div>
      <div class="two__main">
        <h1>${W.stopInForce}</h1>
        ${banner({ kind: 'done', label: W.doneLabel, text: W.stopInForceMore(view.askedAt), live: true, ...(around.online ? {} : { more: W.stopOffline }) })}
        ${view.elsewhere ? html`<p>${W.stopElsewhere}</p>` : ''}
        ${view.provisional ? html`<p>${W.stopProvisionalMore}</p>` : ''}
        <div class="form-row">
          ${linkButton({ text: W.printSlip, kind: 'primary', href: `/patient/${handle}/slip/${view.stop}`, key: 'F8', accessKey: 'p' })}
          ${view.undoable ? html`<form method="post" action="/patient/${handle}/undo">${hiddenField('csrf', around.csrf)}${hiddenField('kind', 'stop')}${hiddenField('id', view.stop)}${button({ text: W.undoOf(W.act.stop), kind: 'secondary' })}</form>` : ''}
          ${linkButton({ text: W.home, kind: 'secondary', href: '/' })}
        </div>
        ${alikeSection(around.csrf, handle, view.alike)}
      </div>
    </div>`,
  )
}
