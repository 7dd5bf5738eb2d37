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
  error: string | null
}

export function signInPage(view: SignInView): Markup {
  const note = view.why === 'locked' ? W.signInLocked : view.why === 'left' ? W.signInLeft : null
  const title = view.error ? `${SHARED_WORDS.errorPrefix}${W.signInTitle}` : W.signInTitle
  return bare(
    view.facilityName,
    title,
    html`<h1>${W.signInTitle}</h1>
      ${view.error ? errorSummary(SHARED_WORDS.errorTitle, [{ field: 'staff', text: view.error }]) : ''}
      ${note && !view.error ? banner({ kind: 'note', label: W.noteLabel, text: note }) : ''}
      <form method="post" action="/sign-in">
        ${textField({ name: 'staff', label: W.staffId, hint: W.staffIdHint, width: 'short', maxlength: 64, autofocus: !view.error, error: view.error ?? undefined })}
        ${textField({ name: 'pin', label: W.pin, type: 'password', width: 'short', maxlength: 64, inputmode: 'numeric' })}
        ${button({ text: W.signIn })}
      </form>`,
  )
}
