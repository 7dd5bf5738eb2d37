import { button, linkButton } from '@kakehashi/ui/button'
import { errorSummary, type FieldError } from '@kakehashi/ui/error-summary'
import { hiddenField, textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import { bare } from './desk.ts'

export interface PinView {
  csrf: string
  /** The PIN of before was made by the program and is not asked for again. */
  first: boolean
  errors: FieldError[]
}

export function pinPage(facilityName: string, view: PinView): Markup {
  const errorOf = (field: string) => view.errors.find((one) => one.field === field)?.text
  const field = (name: 'old' | 'pin' | 'again', label: string, hint?: string) =>
    textField({
      name,
      label,
      type: 'password',
      width: 'short',
      maxlength: 12,
      inputmode: 'numeric',
      autocomplete: name === 'old' ? 'current-password' : 'new-password',
      error: errorOf(name),
      ...(hint ? { hint } : {}),
    })
  return bare(
    facilityName,
    view.errors.length > 0 ? `${SHARED_WORDS.errorPrefix}${W.pinTitle}` : W.pinTitle,
    html`<h1>${W.pinTitle}</h1>
      ${errorSummary(SHARED_WORDS.errorTitle, view.errors)}
      <p>${view.first ? W.pinFirstLead : W.pinLead}</p>
      <form method="post" action="/pin">
        ${hiddenField('csrf', view.csrf)} ${view.first ? '' : field('old', W.pinOld)}
        ${field('pin', W.pinNew, W.pinHint)} ${field('again', W.pinAgain)}
        <div class="form-row">
          ${button({ text: W.pinChoose })}${view.first ? '' : linkButton({ text: SHARED_WORDS.back, href: '/' })}
        </div>
      </form>`,
  )
}
