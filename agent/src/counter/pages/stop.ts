import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import { alikeSection } from './charts.ts'
import { desk, type DeskView } from './desk.ts'
import { personCard } from './patient.ts'
import type { PersonView } from './search.ts'

export const REQUESTERS = ['person', 'guardian', 'family', 'agent'] as const
export const CHECKS = ['card', 'document', 'known', 'none'] as const

export interface StopFormView {
  person: PersonView
  /** A child's or a deceased patient's form starts with another answer. */
  requester: (typeof REQUESTERS)[number]
  errors: FieldError[]
}

function errorOf(errors: readonly FieldError[], field: string) {
  return errors.find((one) => one.field === field)?.text
}

export function stopPage(around: DeskView, view: StopFormView): Markup {
  const { person } = view
  return desk(
    around,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.stopTitle}` : W.stopTitle,
    html`<div class="two">
      <div class="two__side">${personCard(person, '')}</div>
      <div class="two__main">
        <h1>${W.stopTitle}</h1>
        ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
        <p>${W.stopLead}</p>
        <form method="post" action="/patient/${person.handle}/stop">
          ${hiddenField('csrf', around.csrf)}
          ${radios({ name: 'who', label: W.whoAsks, inline: true, chosen: view.requester, choices: REQUESTERS.map((value) => ({ value, text: W.who[value] })), error: errorOf(view.errors, 'who') })}
          ${radios({ name: 'how', label: W.howConfirmed, hint: W.howNoneHint, inline: true, chosen: 'card', choices: CHECKS.map((value) => ({ value, text: W.how[value] })), error: errorOf(view.errors, 'how') })}
          ${radios({
            name: 'erasure',
            label: W.erasure,
            hint: W.erasureHint,
            chosen: 'no',
            choices: [
              { value: 'no', text: W.erasureNo },
              { value: 'yes', text: W.erasureYes },
            ],
            error: errorOf(view.errors, 'erasure'),
          })}
          ${textField({ name: 'relation', label: W.relation, hint: W.relationHint, width: 'short', maxlength: 40 })}
          ${banner({ kind: 'note', label: W.scopeHeading, text: W.scopeText })}
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
