import { giveSessionCookie } from '@kakehashi/ui/cookie'
import type { Hono } from 'hono'
import { badgeText, isBadge } from '../staff/rules.ts'
import type { Door } from './door.ts'
import { signInPage, type SignInView } from './pages/sign-in.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import { W } from './words.ja.ts'

export function signInRoutes(app: Hono<CounterEnv>, parts: CounterParts, door: Door): void {
  const { settings, staff } = parts
  const page = (view: Partial<SignInView>) =>
    signInPage({
      facilityName: settings.facilityName,
      why: null,
      error: null,
      staff: '',
      pinNext: false,
      ...view,
    })
  const waiting = (ms: number) =>
    page({ error: { field: 'staff', text: W.signInWait(Math.ceil(ms / 1000)) } })

  app.get('/sign-in', (c) => {
    const why = c.req.query('why')
    return c.html(page({ why: why === 'locked' || why === 'left' ? why : null }))
  })

  app.post('/sign-in', async (c) => {
    const form = await c.req.parseBody()
    const typed = badgeText(String(form['staff'] ?? ''))
    const pin = String(form['pin'] ?? '')
    if (pin === '') {
      const known = await staff.read(typed)
      if (isBadge(typed) && !known) {
        const wait = await door.badgeWaitMs()
        if (wait > 0) return c.html(waiting(wait), 429)
        const badge = await door.badge(typed)
        if (badge.is === 'in') {
          await door.begin(c, badge.member, 'badge')
          return c.redirect('/', 303)
        }
        if (badge.is === 'nobody') await door.badgeFailed()
      }
      // The same answer for a known and an unknown name, and for a badge that needs its PIN.
      return c.html(page({ staff: typed, pinNext: true }), 401)
    }
    const proof = await door.provePin(typed, pin, 'pin')
    if (proof.is === 'wait') return c.html(waiting(proof.ms), 429)
    if (proof.is === 'refused') return c.html(page({ error: { field: 'staff', text: W.signInWrong } }), 401)
    await door.begin(c, proof.member, 'pin')
    return c.redirect('/', 303)
  })

  app.post('/sign-out', async (c) => {
    const session = await door.sessionOf(c)
    if (session) await door.end(session)
    giveSessionCookie(c, settings.https, null)
    c.header('clear-site-data', '"cache", "storage"')
    return c.redirect('/sign-in?why=left', 303)
  })
}
