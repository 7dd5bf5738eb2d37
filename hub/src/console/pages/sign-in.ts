import { banner } from '@kakehashi/ui/banner'
import { button } from '@kakehashi/ui/button'
import { errorSummary } from '@kakehashi/ui/error-summary'
import { textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { SHARED_WORDS } from '@kakehashi/ui/words.ja'
import { W } from '../words.ja.ts'
import { codeField } from './step-up.ts'
import { bare } from './room.ts'

export function signInPage(
  operatorName: string,
  view: { why: 'locked' | 'left' | null; error: string | null },
): Markup {
  const { error } = view
  const note = view.why === 'locked' ? W.signInLocked : view.why === 'left' ? W.signInLeft : null
  return bare(
    operatorName,
    error ? `${SHARED_WORDS.errorPrefix}${W.signInTitle}` : W.signInTitle,
    html`<h1>${W.signInTitle}</h1>
      ${error ? errorSummary(SHARED_WORDS.errorTitle, [{ field: 'account', text: error }]) : ''}
      ${note && !error ? banner({ kind: 'note', label: W.noteLabel, text: note }) : ''}
      <form method="post" action="/sign-in">
        ${textField({ name: 'account', label: W.account, width: 'short', maxlength: 64, autofocus: !error, autocomplete: 'username', error: error ?? undefined })}
        ${textField({ name: 'passphrase', label: W.passphrase, type: 'password', autocomplete: 'current-password' })}
        ${codeField()} ${button({ text: W.signIn })}
      </form>`,
  )
}
