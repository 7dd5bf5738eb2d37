import { Refused } from '@kakehashi/protocol/refusals'
import { secretMatches } from '@kakehashi/protocol/secret-hash'
import { giveSessionCookie } from '@kakehashi/ui/cookie'
import type { FieldError } from '@kakehashi/ui/error-summary'
import type { Hono } from 'hono'
import { pinPage } from './pages/pin.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { Door } from './door.ts'
import { W } from './words.ja.ts'

/** One's own PIN: chosen after the first sign-in, changed whenever one likes. A new session follows. */
export function pinRoutes(app: Hono<CounterEnv>, parts: CounterParts, door: Door): void {
  const { sessions } = door
  const { facilityName, https } = parts.settings

  app.get('/pin', (c) => {
    const { csrf, mustChoosePin } = c.get('session')
    return c.html(pinPage(facilityName, { csrf, first: mustChoosePin, errors: [] }))
  })

  app.post('/pin', async (c) => {
    const session = c.get('session')
    const { csrf, mustChoosePin: first, staff } = session
    const form = await c.req.parseBody()
    const chosen = String(form['pin'] ?? '').normalize('NFKC')
    const errors: FieldError[] = []
    const before = await parts.staff.read(staff.id)
    if (!first) {
      // slowed down together with signing in: an open screen gives no free guesses
      const proof = await door.provePin(staff.id, String(form['old'] ?? ''), 'old-pin')
      const why = proof.is === 'wait' ? W.signInWait(Math.ceil(proof.ms / 1000)) : W.pinOldWrong
      if (proof.is !== 'proven') errors.push({ field: 'old', text: why })
    }
    if (before && (await secretMatches(chosen, before.pin))) errors.push({ field: 'pin', text: W.pinSame })
    if (chosen !== String(form['again'] ?? '').normalize('NFKC'))
      errors.push({ field: 'again', text: W.pinAgainWrong })
    try {
      if (errors.length > 0) return c.html(pinPage(facilityName, { csrf, first, errors }), 422)
      const member = await parts.staff.choosePin(staff.id, chosen)
      sessions.end(session)
      const next = sessions.open(member, 'pin')
      next.message = { kind: 'done', text: W.pinChosen }
      giveSessionCookie(c, https, next.id)
      return c.redirect('/', 303)
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code !== 'REQUEST_MALFORMED') throw error
      const text = error.refusal.place === 'easy' ? W.pinEasy : W.pinForm
      return c.html(pinPage(facilityName, { csrf, first, errors: [{ field: 'pin', text }] }), 422)
    }
  })
}
