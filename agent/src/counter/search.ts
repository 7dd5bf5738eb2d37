import type { Context, Hono } from 'hono'
import { aboutPatient } from '../context.ts'
import { itPage } from './pages/it.ts'
import { searchPage } from './pages/search.ts'
import { badgeText, isBadge } from '../staff/rules.ts'
import type { IndexedPatient } from '../patients/store.ts'
import type { CounterEnv, CounterParts } from './parts.ts'
import type { Door } from './door.ts'
import { signInPage } from './pages/sign-in.ts'
import type { CounterViews } from './views.ts'
import { W } from './words.ja.ts'

const ROWS_MAX = 8

export function searchRoutes(
  app: Hono<CounterEnv>,
  parts: CounterParts,
  door: Door,
  views: CounterViews,
): void {
  const { context, people } = parts
  const { sessions } = door

  app.get('/', async (c) => {
    const session = c.get('session')
    if (session.staff.role === 'it') return c.html(itPage(await views.desk(session)))
    const { found } = session
    session.found = null
    const shown: IndexedPatient[] = []
    for (const patient of found?.patients ?? []) {
      const person = await people.read(patient)
      if (person) shown.push(person)
    }
    return c.html(
      searchPage(await views.desk(session), {
        error: null,
        found: found ? { people: shown.map((one) => views.person(session, one)), more: found.more } : null,
        today: await views.today(session),
      }),
    )
  })

  app.post('/search', async (c) => {
    const session = c.get('session')
    const form = await c.req.parseBody()
    const typed = String(form['q'] ?? '').trim()
    if (typed === '') {
      const today = await views.today(session)
      return c.html(searchPage(await views.desk(session), { error: W.searchEmpty, found: null, today }), 422)
    }
    const switched = await switchPerson(c, parts, door, typed)
    if (switched) return switched
    const found = await people.search(typed, ROWS_MAX)
    if (found.people.length === 0 && isBadge(badgeText(typed))) await door.badgeFailed()
    // Who was shown to whom, by keyed hash only.
    const shown = found.people.map((one) => aboutPatient(context, one.patient)).join(' ')
    await context.store.transact(
      { act: 'counter.searched', actor: session.staff.id, detail: { found: found.people.length, shown } },
      async () => {},
    )
    const [first] = found.people
    if (first && found.exact) {
      session.unasked.delete(first.patient)
      return c.redirect(`/patient/${sessions.handleOf(session, first.patient)}`, 303)
    }
    for (const one of found.people) if (await people.hasNamesake(one)) session.unasked.add(one.patient)
    session.found = { patients: found.people.map((one) => one.patient), more: found.more }
    return c.redirect('/', 303)
  })
}

/** A badge scanned where a patient's card would be: the next person takes over, in one step. */
async function switchPerson(
  c: Context<CounterEnv>,
  parts: CounterParts,
  door: Door,
  typed: string,
): Promise<Response | null> {
  const badge = await door.badge(typed)
  if (badge.is === 'nobody') return null
  const session = c.get('session')
  if (badge.is === 'in') {
    if (badge.member.id !== session.staff.id) await door.begin(c, badge.member, 'badge')
    return c.redirect('/', 303)
  }
  await door.end(session)
  const { facilityName } = parts.settings
  return c.html(signInPage({ facilityName, why: null, error: null, staff: badgeText(typed), pinNext: true }))
}
