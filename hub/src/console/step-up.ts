import type { Attempts } from '@kakehashi/store/attempts'
import type { FieldError } from '@kakehashi/ui/error-summary'
import { bothFactors } from '../accounts/second-factor.ts'
import type { ConsoleParts } from './parts.ts'
import { accountStore } from './stores.ts'
import { W } from './words.ja.ts'

/** Slowed down together with signing in: an open screen gives no free guesses. */
export async function stepUp(
  parts: ConsoleParts,
  attempts: Attempts,
  account: string,
  form: Record<string, unknown>,
): Promise<FieldError[]> {
  const wait = await attempts.begin(account)
  if (wait > 0) return [{ field: 'passphrase', text: W.signInWait(Math.ceil(wait / 1000)) }]
  const passphrase = String(form['passphrase'] ?? '')
  const code = String(form['code'] ?? '')
  if (await bothFactors(accountStore(parts), { account, passphrase, code }, 'account.stepped-up')) {
    await attempts.succeeded(account)
    return []
  }
  return [{ field: 'passphrase', text: W.stepUpWrong }]
}
