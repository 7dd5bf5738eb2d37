import { NOBODYS_SECRET, SECRET_COST } from '@kakehashi/protocol/secret-hash'
import { expect, test } from 'vitest'
import { choosePin, keepStaff } from '../staff/flow.ts'
import { ROLES, type Role } from '../staff/rules.ts'
import { ACCESS, accessOf, mayOpen } from './access.ts'
import { addressOf, ask, busyCounter, digestOf, everyPage, leavesOf, POSTS } from './crawl.fixture.ts'
import { BADGE, Clerk, hospital, PEOPLE, PIN, STAFF } from './world.fixture.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const STAFF_OF: Record<Role, string> = { desk: 's-01', privacy: 's-02', it: 's-03' }
const CLOSED = 'この画面は開けません'

async function door() {
  const place = await hospital()
  const clerk = new Clerk(place.app)
  const acts = async () => (await leavesOf(place)).map((one) => one.act)
  return { ...place, clerk, acts }
}

test('ASVS 6.3.1 brute force: four tries are free, then the wait doubles from 30 seconds to 15 minutes', async () => {
  const { clerk, clock, acts } = await door()
  for (let tries = 0; tries < 4; tries++) expect((await clerk.signIn('s-01', '111222')).status).toBe(401)
  for (let wait = 30; wait < 15 * 60; wait *= 2) {
    expect((await clerk.signIn('s-01', '111222')).status).toBe(401)
    clock.now += (wait - 1) * SECOND
    expect((await clerk.signIn('s-01', PIN)).text).toContain('お待ちください')
    clock.now += SECOND
  }
  expect((await clerk.signIn('s-01', '111222')).status).toBe(401)
  clock.now += 15 * MINUTE
  expect((await clerk.signIn('s-01')).text).toContain('患者をさがす')
  expect((await acts()).filter((act) => act === 'staff.refused').length).toBeGreaterThanOrEqual(9)
})

test('ASVS 6.3.1 brute force: forty guesses at once are five', async () => {
  const { app } = await door()
  const guess = () => new Clerk(app).signIn('s-01', '111222')
  const answers = await Promise.all(Array.from({ length: 40 }, guess))
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(35)
})

test('ASVS 6.3.1 brute force: guessing badges slows badges, at the door and in the search field, and no PIN', async () => {
  const { clerk, app } = await door()
  for (let n = 0; n < 5; n++) await clerk.post('/sign-in', { staff: `GUESS-00000${n}`, pin: '' })
  expect((await clerk.post('/sign-in', { staff: BADGE, pin: '' })).status).toBe(429)
  expect((await clerk.signIn()).text).toContain('患者をさがす')
  expect((await clerk.post('/search', { q: STAFF[3].badge })).text).toContain('佐藤')
  const two = new Clerk(app)
  expect((await two.signIn('s-02')).text).toContain('患者をさがす')
})

test('ASVS 6.3.4 no weaker path: what a badge alone opens, by role and by place', async () => {
  for (const [staff, opens] of [
    [STAFF[0].badge, true],
    [STAFF[1].badge, false],
  ] as const) {
    const { clerk } = await door()
    const page = await clerk.post('/sign-in', { staff, pin: '' })
    expect(page.text.includes('患者をさがす')).toBe(opens)
    expect(page.text.includes('続けて暗証番号を入れてください')).toBe(!opens)
    await clerk.signIn('s-04')
    const scanned = await clerk.post('/search', { q: `${staff}\r` })
    expect(scanned.text.includes('続けて暗証番号を入れてください')).toBe(!opens)
    expect(scanned.text.includes('佐藤')).toBe(opens)
  }
})

test('ASVS 6.3.4 the badge of a privacy officer with their PIN; of a disabled person nothing at all', async () => {
  const { clerk, house } = await door()
  expect((await clerk.signIn(STAFF[1].badge)).text).toContain('高橋')
  await keepStaff(house, { id: 's-01', by: 'admin', disabled: true })
  for (const pin of ['', PIN])
    expect((await clerk.post('/sign-in', { staff: BADGE, pin })).text).not.toContain('佐藤')
})

test('ASVS 6.3.8 a name that exists and one that does not: the same bytes, the same work', async () => {
  const { clerk } = await door()
  const known = await clerk.signIn('s-01', '111222')
  const unknown = await clerk.signIn('s-99', '111222')
  expect(unknown.text).toBe(known.text)
  const half = async (staff: string) =>
    (await clerk.post('/sign-in', { staff, pin: '' })).text.replace(staff, '')
  expect(await half('s-99')).toBe(await half('s-01'))
  expect(NOBODYS_SECRET).toMatch(
    new RegExp(`^scrypt\\$${SECRET_COST.N}\\$${SECRET_COST.r}\\$${SECRET_COST.p}\\$`),
  )
})

test('ASVS 6.4.1 a PIN that was printed opens one page: to choose one’s own, in three days', async () => {
  const { clerk, house, clock } = await door()
  const made = await keepStaff(house, { id: 's-05', name: '新人', by: 'admin' })
  expect(made.firstPin).toMatch(/^\d{8}$/)
  await clerk.signIn('s-05', made.firstPin ?? '')
  for (const path of ['/', '/today', '/tasks'])
    expect((await clerk.get(path)).text).toContain('暗証番号を決める')
  expect((await clerk.post('/search', { q: '123456' })).text).toContain('暗証番号を決める')
  for (const pin of ['123456', '777777', '12345', 'abcdef', made.firstPin ?? ''])
    expect([pin, (await clerk.post('/pin', { pin, again: pin })).status]).toEqual([pin, 422])
  expect((await clerk.post('/pin', { pin: '582914', again: '582915' })).status).toBe(422)
  const own = await clerk.post('/pin', { pin: '582914', again: '582914' })
  expect(own.text).toContain('暗証番号を決めました。')
  expect((await clerk.signIn('s-05', made.firstPin ?? '')).status).toBe(401)
  const again = await keepStaff(house, { id: 's-05', pin: 'new', by: 'admin' })
  clock.now += 72 * 60 * MINUTE
  expect((await clerk.signIn('s-05', again.firstPin ?? '')).status).toBe(401)
})

test('ASVS 6.3.1 brute force: the old PIN is guessed on an open screen no faster than at the door', async () => {
  const { clerk } = await door()
  await clerk.signIn()
  const change = (old: string) => clerk.post('/pin', { old, pin: '480251', again: '480251' })
  for (let tries = 0; tries < 5; tries++) await change('111222')
  expect((await change(PIN)).text).toContain('お待ちください')
})

test('ASVS 6.2.3 whoever changes their PIN says the old one', async () => {
  const { clerk } = await door()
  await clerk.signIn()
  const pins = { pin: '582914', again: '582914' }
  expect((await clerk.post('/pin', { ...pins, old: '000000' })).status).toBe(422)
  expect((await clerk.post('/pin', { ...pins, old: PIN })).text).toContain('暗証番号を決めました。')
  expect((await clerk.signIn('s-01', '582914')).text).toContain('患者をさがす')
})

test('ASVS 7.2.3 7.2.4 a session is 192 random bits, new at every sign-in; the one before is over', async () => {
  const { clerk } = await door()
  const seen = new Set<string>()
  for (let n = 0; n < 20; n++) {
    const before = clerk.cookie
    await clerk.signIn()
    const value = clerk.cookie.split('=')[1] ?? ''
    expect(value).toMatch(/^[\w-]{32}$/)
    seen.add(value)
    const after = clerk.cookie
    clerk.cookie = before
    expect((await clerk.get('/')).text).toContain('受付をはじめる')
    clerk.cookie = after
  }
  expect(seen.size).toBe(20)
})

test('ASVS 7.3.1 two minutes idle lock the screen, and the browser leaves it by itself', async () => {
  const { clerk, clock } = await door()
  const page = await clerk.signIn()
  expect(page.headers.get('refresh')).toBe('121; url=/sign-in?why=locked')
  clock.now += 119 * SECOND
  expect((await clerk.get('/')).text).toContain('患者をさがす')
  clock.now += 120 * SECOND
  expect((await clerk.get('/')).text).toContain('2分間操作がなかったため')
})

test('ASVS 7.3.2 after twelve hours in all, busy or not', async () => {
  const { app, clerk, clock } = await door()
  await clerk.signIn()
  for (let minutes = 0; minutes < 12 * 60 - 1; minutes++) {
    clock.now += MINUTE
    expect((await ask({ clerk, app }, 'GET', '/pin')).status).toBe(200)
  }
  clock.now += MINUTE
  expect((await clerk.get('/')).text).toContain('受付をはじめる')
})

test('ASVS 7.4.1 signing out ends the session now', async () => {
  const { clerk, acts } = await door()
  await clerk.signIn()
  const { cookie } = clerk
  await clerk.post('/sign-out', {})
  clerk.cookie = cookie
  expect((await clerk.get('/')).text).toContain('受付をはじめる')
  expect(await acts()).toContain('staff.signed-out')
})

test('ASVS 7.4.2 8.3.2 disabled, another role, another PIN: the open session ends with the next request', async () => {
  for (const change of [{ disabled: true }, { role: 'it' }, { pin: '582914' }, { badge: null }] as const) {
    const { clerk, house } = await door()
    await clerk.signIn()
    const path = await clerk.open('123456')
    await keepStaff(house, { id: 's-01', by: 'admin', ...change })
    expect((await clerk.post(`${path}/notice`, { to: 'person' })).text).toContain('受付をはじめる')
  }
  const { clerk, house } = await door()
  await clerk.signIn()
  await choosePin(house, { id: 's-01', pin: '582914' })
  expect((await clerk.get('/')).text).toContain('受付をはじめる')
})

test('ASVS 8.2.1 every route of the application is in the table, and the table names no other', async () => {
  const { app } = await hospital()
  const real = new Set(
    app.routes
      .filter((one) => one.method !== 'ALL' && !one.path.startsWith('/assets/'))
      .map((one) => `${one.method} ${one.path}`),
  )
  expect([...real].toSorted()).toEqual(ACCESS.map((one) => `${one.method} ${one.path}`).toSorted())
})

for (const role of ROLES)
  test(`ASVS 8.2.1 role × route: what ${role} may open, and nothing else`, async () => {
    const busy = await busyCounter('s-02')
    const visitor = new Clerk(busy.app)
    await visitor.signIn(STAFF_OF[role])
    // The same table of handles: an open route must be able to answer.
    const asked = { app: busy.app, clerk: visitor }
    let denied = 0
    for (const route of ACCESS.filter((one) => one.roles !== 'anybody')) {
      const before = await digestOf(busy)
      const answer = await ask(asked, route.method, addressOf(route, busy.ids), {})
      const closed = answer.status === 403 && answer.text.includes(CLOSED)
      expect([`${role} ${route.method} ${route.path}`, closed]).toEqual([
        `${role} ${route.method} ${route.path}`,
        !mayOpen(route, role),
      ])
      if (!closed) continue
      denied += 1
      expect(await digestOf(busy)).toBe(before)
    }
    const leaves = (await leavesOf(busy)).filter((one) => one.act === 'staff.denied')
    expect(leaves).toHaveLength(denied)
    expect(denied > 0).toBe(ACCESS.some((one) => !mayOpen(one, role)))
  })

test('ASVS 8.2.1 without a session no route but the door answers', async () => {
  const busy = await busyCounter()
  busy.clerk.cookie = ''
  for (const route of ACCESS.filter((one) => one.roles !== 'anybody')) {
    const answer = await ask(busy, route.method, addressOf(route, busy.ids))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/sign-in'])
  }
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
    expect(accessOf(method, '/')).toBeNull()
})

test('ASVS 8.2.2 object by object: another session’s handle, another patient’s stop or notice', async () => {
  const busy = await busyCounter('s-01')
  const other = new Clerk(busy.app)
  await other.signIn('s-02')
  const own = await other.open('00123458')
  const before = await digestOf(busy)
  for (const route of ACCESS.filter((one) => one.path.includes(':handle'))) {
    const foreign = await ask({ app: busy.app, clerk: other }, route.method, addressOf(route, busy.ids), {})
    expect([route.path, foreign.status]).toEqual([route.path, 404])
    const crossed = addressOf(route, { ...busy.ids, handle: own.split('/').at(-1) ?? '' })
    if (!route.path.includes(':stop')) continue
    const status = (await ask({ app: busy.app, clerk: other }, route.method, crossed, {})).status
    expect([route.path, status]).toEqual([route.path, 404])
  }
  expect((await other.get(`/paper/${busy.ids.paper}`)).text).toContain('もう表示できません')
  for (const kind of ['stop', 'notice'])
    expect((await other.post(`${own}/undo`, { kind, id: busy.ids.stop })).status).toBe(404)
  for (const verb of ['confirm-stop', 'erasure'])
    expect((await other.post(`${own}/${verb}`, { stop: busy.ids.stop })).status).toBe(404)
  expect(await digestOf(busy)).toBe(before)
})

test('ASVS 8.2.3 field by field: IT sees no patient on any page', async () => {
  const busy = await busyCounter('s-02')
  await busy.clerk.signIn('s-03')
  for (const { text } of await everyPage(busy))
    for (const one of PEOPLE)
      for (const part of [one.kana, one.kanji, one.number, one.birthDate ?? '?'])
        expect(text).not.toContain(part)
  expect(POSTS.length).toBeGreaterThan(10)
})
