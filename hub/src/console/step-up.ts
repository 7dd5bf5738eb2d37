import type { FieldError } from '@kakehashi/ui/error-summary'
import type { SignInThrottle } from '@kakehashi/ui/throttle'
import { bothFactors } from '../accounts/second-factor.ts'
import type { ConsoleParts } from './parts.ts'
import { accountStore } from './stores.ts'
import { W } from './words.ja.ts'

/** Slowed down together with signing in: an open screen gives no free guesses. */
export async function stepUp(
  parts: ConsoleParts,
  throttle: SignInThrottle,
  account: string,
  form: Record<string, unknown>,
): Promise<FieldError[]> {
  const now = parts.env.now()
  const wait = throttle.waitMs(account, now)
  if (wait > 0) return [{ field: 'passphrase', text: W.signInWait(Math.ceil(wait / 1000)) }]
  // counted before it is checked, so that a hundred guesses at once are not all the first
  throttle.failed(account, now)
  const passphrase = String(form['passphrase'] ?? '')
  const code = String(form['code'] ?? '')
  if (await bothFactors(accountStore(parts), { account, passphrase, code }, 'account.stepped-up')) {
    throttle.succeeded(account)
    return []
  }
  return [{ field: 'passphrase', text: W.stepUpWrong }]
}
