import type { FieldError } from '@kakehashi/ui/error-summary'
import { textField } from '@kakehashi/ui/field'
import { html, type Markup } from '@kakehashi/ui/markup'
import { W } from '../words.ja.ts'

/** Passphrase and a fresh code, asked again before what cannot be taken back. */
export function stepUpFields(errors: readonly FieldError[]): Markup {
  return html`${textField({
    name: 'passphrase',
    label: W.passphraseAgain,
    hint: W.passphraseWhy,
    type: 'password',
    width: 'short',
    autocomplete: 'current-password',
    error: errors.find((one) => one.field === 'passphrase')?.text,
  })}
  ${codeField()}`
}

export function codeField(): Markup {
  return textField({
    name: 'code',
    label: W.code,
    hint: W.codeHint,
    inputmode: 'text',
    width: 'short',
    maxlength: 40,
    autocomplete: 'one-time-code',
  })
}
