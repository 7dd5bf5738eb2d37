import { banner } from '@kakehashi/ui/banner'
import { button } from '@kakehashi/ui/button'
import { errorSummary } from '@kakehashi/ui/error-summary'
import { textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import { bare } from './desk.ts'

export interface SignInView {
  facilityName: string
  why: 'locked' | 'left' | null
  error: { field: 'staff'; text: string } | null
  /** What was typed, when only the PIN is missing. */
  staff: string
  pinNext: boolean
}

export function signInPage(view: SignInView): Markup {
  const { error } = view
  const why = view.why === 'locked' ? W.signInLocked : view.why === 'left' ? W.signInLeft : null
  const note = view.pinNext ? W.signInPinNext : why
  const title = error ? `${SHARED_WORDS.errorPrefix}${W.signInTitle}` : W.signInTitle
  return bare(
    view.facilityName,
    title,
    html`<h1>${W.signInTitle}</h1>
      ${error ? errorSummary(SHARED_WORDS.errorTitle, [error]) : ''}
      ${note && !error ? banner({ kind: 'note', label: W.noteLabel, text: note }) : ''}
      <form method="post" action="/sign-in">
        ${textField({ name: 'staff', label: W.staffId, hint: W.staffIdHint, width: 'short', maxlength: 64, value: view.staff, autofocus: !view.pinNext, error: error?.text })}
        ${textField({ name: 'pin', label: W.pin, hint: W.pinOnlyHint, type: 'password', width: 'short', maxlength: 64, inputmode: 'numeric', autofocus: view.pinNext })}
        ${button({ text: W.signIn })}
      </form>`,
  )
}
