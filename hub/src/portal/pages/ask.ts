import { banner } from '@kakehashi/ui/banner'
import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, radios, textField } from '@kakehashi/ui/field'
import { html, withReadings as r, type Markup } from '@kakehashi/ui/markup'
import { steps } from '@kakehashi/ui/steps'
import { summaryList } from '@kakehashi/ui/summary-list'
import { LANGUAGES, layout, type Around, type OperatorContact } from './layout.ts'
import type { PortalWords } from './words.ja.ts'

export const REQUESTERS = ['person', 'guardian', 'family'] as const
export type Requester = (typeof REQUESTERS)[number]

export function requesterWords(w: PortalWords): Record<Requester, string> {
  return { person: w.requesterPerson, guardian: w.requesterGuardian, family: w.requesterFamily }
}

export function progress(w: PortalWords, at: number): Markup {
  return steps({
    label: w.stepsLabel.replaceAll(/\{([^|]+)\|[^}]+\}/g, '$1'),
    position: r(w.stepOf(at + 1, w.steps.length)),
    names: w.steps.map((name) => r(name)),
    at,
  })
}

export function titled(w: PortalWords, title: string, errors: readonly FieldError[]): string {
  return errors.length > 0 ? `${w.errorPrefix}${title}` : title
}

/** What was wrong, for the summary above, and beside the field it is about. */
export function errorsIn<F extends string>(
  wrong: readonly F[],
  texts: Record<F, string>,
): { errors: FieldError[]; errorOf: (field: F) => FieldError['text'] | undefined } {
  const errors = wrong.map((field) => ({ field, text: r(texts[field]) }))
  return { errors, errorOf: (field) => errors.find((one) => one.field === field)?.text }
}

export function receiptPart(w: PortalWords, receipt: string): Markup {
  return html`<h2>${r(w.receiptLabel)}</h2>
    <p class="receipt">${receipt}</p>
    <p>${r(w.receiptHint)}</p>`
}

/** Whom to ask, by phone and by post. */
export function contactPart(w: PortalWords, operator: OperatorContact): Markup {
  return html`<h2>${r(w.contactTitle)}</h2>
    <ul>
      <li>${operator.name}</li>
      ${operator.phone ? html`<li>${r(w.otherPhone(operator.phone))}</li>` : ''}
      <li>${operator.address}</li>
    </ul>`
}

/** What somebody came for: to stop and be asked about erasing, or to have erased what was provided. */
export type Wish = 'stop' | 'erase'

export function wishOf(typed: string): Wish {
  return typed === 'erase' ? 'erase' : 'stop'
}

/** What erasing means, before the button that asks for it. */
export function eraseTold(w: PortalWords): Markup {
  return html`<ul>
    ${[...w.eraseTold, w.erasureHint].map((line) => html`<li>${r(line)}</li>`)}
  </ul>`
}

export function wishPart(w: PortalWords, wish: Wish, error: Markup | undefined): Markup {
  if (wish === 'erase')
    return html`${hiddenField('erasure', 'yes')}
      <h2>${r(w.eraseToldTitle)}</h2>
      ${eraseTold(w)}`
  return radios({
    name: 'erasure',
    label: r(w.erasureLabel),
    hint: r(w.erasureHint),
    error,
    choices: [
      { value: 'no', text: r(w.erasureNo) },
      { value: 'yes', text: r(w.erasureYes) },
    ],
  })
}

export interface NumberView {
  token: string
  wish: Wish
  requester: string | undefined
  errors: ('token' | 'who')[]
}

export function numberPage(around: Around, view: NumberView): Markup {
  const w = LANGUAGES[around.language]
  const { errors, errorOf } = errorsIn(view.errors, { token: w.tokenError, who: w.requesterError })
  const names = requesterWords(w)
  return layout(
    around,
    titled(w, w.numberTitle, errors),
    html`${progress(w, 0)}${errorSummary(r(w.errorTitle), errors)}
      <h1>${r(w.numberTitle)}</h1>
      <form method="post" action="/${around.language}/check">
        ${hiddenField('wish', view.wish)}
        ${textField({ name: 'token', label: r(w.tokenLabel), hint: r(w.tokenHint), value: view.token, maxlength: 64, error: errorOf('token') })}
        ${radios({ name: 'who', label: r(w.requesterLabel), chosen: view.requester, error: errorOf('who'), choices: REQUESTERS.map((value) => ({ value, text: r(names[value]) })) })}
        ${button({ text: r(w.next) })}
      </form>`,
  )
}

export interface CheckView {
  token: string
  wish: Wish
  requester: Requester
  erasureError: boolean
}

export function checkPage(around: Around, view: CheckView): Markup {
  const w = LANGUAGES[around.language]
  const errors = view.erasureError ? [{ field: 'erasure', text: r(w.erasureError) }] : []
  const carried = html`${hiddenField('token', view.token)}${hiddenField('who', view.requester)}${hiddenField('wish', view.wish)}`
  return layout(
    around,
    titled(w, w.confirmTitle, errors),
    html`${progress(w, 1)}${errorSummary(r(w.errorTitle), errors)}
      <h1>${r(w.confirmTitle)}</h1>
      ${summaryList([
        { term: r(w.requesterLabel), detail: r(requesterWords(w)[view.requester]) },
        { term: r(w.tokenLabel), detail: (view.token.match(/.{1,4}/g) ?? []).join(' ') },
      ])}
      <form method="post" action="/${around.language}/stop">
        ${carried} ${wishPart(w, view.wish, errors[0]?.text)}
        ${banner({ kind: 'note', label: r(w.scopeTitle), text: r(w.scopeText) })}
        ${button({ text: r(view.wish === 'erase' ? w.eraseButton : w.stop) })}
      </form>
      <form method="post" action="/${around.language}/number">
        ${carried}${button({ text: r(w.back), kind: 'secondary' })}
      </form>`,
  )
}

/** The same words for every token that has the form of one: they tell nobody whether it is known. */
export function donePage(around: Around, receipt: string, byNumber = false): Markup {
  const w = LANGUAGES[around.language]
  return layout(
    around,
    w.doneTitle,
    html`${progress(w, 2)}
      <h1>${r(w.doneTitle)}</h1>
      <p>${r(byNumber ? w.noPaperDone : w.doneText)}</p>
      ${receiptPart(w, receipt)}
      <h2>${r(w.nextTitle)}</h2>
      <ul>
        ${(byNumber ? w.nextItems.slice(2) : w.nextItems).map((line) => html`<li>${r(line)}</li>`)}
      </ul>
      ${contactPart(w, around.operator)}
      ${linkButton({ text: r(w.stateTitle), kind: 'secondary', href: `/${around.language}/state` })}`,
  )
}
