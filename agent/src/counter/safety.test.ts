import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { Clerk, hospital } from './world.fixture.ts'

const NASTY = `"><script>alert(1)</script>'`

test('signing in: wrong number, unknown id and growing waits; a new session each time', async () => {
  const { app, clock, context } = await hospital()
  const clerk = new Clerk(app)
  expect((await clerk.signIn('nobody')).status).toBe(401)
  for (let i = 0; i < 5; i++) expect((await clerk.signIn('s-01', '0000')).status).toBe(401)
  expect((await clerk.signIn()).status).toBe(429)
  clock.now += 31_000
  expect((await clerk.signIn()).status).toBe(200)
  const first = clerk.cookie
  await clerk.signIn()
  expect(clerk.cookie).not.toBe(first)
  const leaves = await context.store.db.selectFrom('audit_leaf').select('leaf').execute()
  const acts = leaves.map((one) => JSON.parse(new TextDecoder().decode(one.leaf)).act)
  expect(acts.filter((act) => act === 'staff.refused')).toHaveLength(6)
  expect(acts.filter((act) => act === 'staff.signed-in')).toHaveLength(2)
})

test('the screen locks after two idle minutes and after twelve hours in all', async () => {
  const { app, clock } = await hospital()
  const clerk = new Clerk(app)
  const page = await clerk.signIn()
  expect(page.headers.get('refresh')).toBe('121; url=/sign-in?why=locked')
  clock.now += 119_000
  expect((await clerk.get('/')).text).toContain('患者をさがす')
  clock.now += 120_000
  expect((await clerk.get('/')).text).toContain('2分間操作がなかったため')
  await clerk.signIn()
  for (let minutes = 1; minutes < 12 * 60; minutes++) {
    clock.now += 60_000
    await app.request('/sign-in', { headers: { cookie: clerk.cookie } })
    if (minutes % 60 === 0) await clerk.get('/')
  }
  expect((await clerk.get('/')).text).toContain('受付をはじめる')
}, 30_000)

test('signing out ends the session now', async () => {
  const { app } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  const { cookie } = clerk
  await clerk.post('/sign-out', {})
  clerk.cookie = cookie
  expect((await clerk.get(path)).text).toContain('受付をはじめる')
})

test('CSRF: a form without its token, or of another origin, changes nothing', async () => {
  const { app, context } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  const events = async () =>
    (await context.store.db.selectFrom('register_event').select('seq').execute()).length
  const before = await events()
  const form = { to: 'person' }
  expect((await clerk.post(`${path}/notice`, { ...form, csrf: 'x' })).status).toBe(403)
  expect((await clerk.post(`${path}/notice`, form, { origin: 'https://evil.example' })).status).toBe(403)
  expect((await clerk.post(`${path}/notice`, form, { origin: 'null' })).status).toBe(403)
  expect((await clerk.post(`${path}/notice`, form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect(
    (await clerk.post('/sign-in', { staff: 's-01', pin: '493158' }, { origin: 'http://x' })).status,
  ).toBe(403)
  expect(await events()).toBe(before)
})

test('the cookie is HttpOnly and SameSite=Strict, over TLS also Secure and __Host-', async () => {
  for (const https of [false, true]) {
    const { app } = await hospital({ https })
    const response = await app.request('/sign-in', {
      method: 'POST',
      body: new URLSearchParams({ staff: 's-01', pin: '493158' }),
      headers: { origin: 'http://localhost' },
    })
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toContain('HttpOnly')
    expect(cookie).toContain('SameSite=Strict')
    expect(cookie).toMatch(https ? /^__Host-kakehashi=[\w-]{32};.*Secure/ : /^kakehashi=[\w-]{32};/)
    expect(response.headers.has('strict-transport-security')).toBe(https)
  }
})

test('every page: no-store, strict policy, no inline script or style; addresses name no patient', async () => {
  const { app } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })
  const stopped = clerk.path
  for (const one of [
    '/',
    '/tasks',
    '/sign-in',
    path,
    `${path}/stop`,
    stopped,
    `${path}/withdraw`,
    '/nowhere',
  ]) {
    const page = await clerk.get(one)
    expect(page.headers.get('cache-control')).toBe('no-store')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect(page.text).not.toMatch(/ style="| on[a-z]+="|<script(?! src="\/assets\/enhance)/)
    const addresses = [...page.text.matchAll(/(?:href|action)="([^"]+)"/g)].map((match) => match[1] ?? '')
    for (const address of [...addresses, clerk.path])
      expect(address).not.toMatch(/123456|%E3|midori|19480503/)
  }
})

test('a handle of another session opens nothing', async () => {
  const { app } = await hospital()
  const one = new Clerk(app)
  const two = new Clerk(app)
  await one.signIn()
  await two.signIn()
  const path = await one.open('123456')
  expect((await two.get(path)).status).toBe(404)
  expect((await one.get(path)).status).toBe(200)
})

test('no page without signing in, and no change by GET', async () => {
  const { app, context } = await hospital()
  const stranger = new Clerk(app)
  for (const path of ['/', '/tasks', '/patient/x', '/patient/x/stop', '/paper/x'])
    expect((await stranger.get(path)).text).toContain('受付をはじめる')
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  const events = async () =>
    (await context.store.db.selectFrom('register_event').select('seq').execute()).length
  const before = await events()
  for (const verb of ['notice', 'undo', 'confirm-notice', 'stop', 'withdraw'])
    await clerk.get(`${path}/${verb}`)
  expect(await events()).toBe(before)
})

test('XSS: markup in every field and in every name of a patient stays text', async () => {
  const { app } = await hospital({ facilityName: NASTY, operatorPhone: NASTY }, [
    { number: '00999999', kana: NASTY, kanji: NASTY, birthDate: '1980-01-01', sex: 'male' },
  ])
  const clerk = new Clerk(app)
  const pages: string[] = []
  pages.push((await clerk.signIn(NASTY, NASTY)).text, (await clerk.signIn()).text)
  pages.push((await clerk.post('/search', { q: NASTY })).text)
  const path = await clerk.open('00999999')
  pages.push((await clerk.get(path)).text, (await clerk.post(`${path}/notice`, { to: 'person' })).text)
  pages.push((await clerk.post(`${path}/notice`, { to: NASTY })).text)
  pages.push((await clerk.post(`${path}/stop`, { who: NASTY, how: NASTY, erasure: NASTY })).text)
  await clerk.post(`${path}/stop`, { who: 'guardian', how: 'card', relation: NASTY })
  const stop = clerk.path.split('/').at(-1)
  pages.push((await clerk.get(`${path}/slip/${stop}`)).text, (await clerk.get('/tasks')).text)
  pages.push((await clerk.get('/')).text, (await clerk.post(`${path}/undo`, { kind: NASTY, id: NASTY })).text)
  for (const page of pages) {
    expect(page).not.toContain('<script>alert')
    expect(page).not.toMatch(/="">/)
  }
})

test('who looked at whom is in the audit log, by keyed hash only', async () => {
  const { app, context } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  await clerk.get(path)
  const leaves = await context.store.db.selectFrom('audit_leaf').select('leaf').execute()
  const text = leaves.map((one) => new TextDecoder().decode(one.leaf)).join('\n')
  expect(text.match(/patient\.opened/g)).toHaveLength(1)
  expect(text).toContain('counter.searched')
  expect(text).not.toMatch(/123456|ヤマダ|山田/)
})

test('only small forms are read: no files, no JSON, no megabytes', async () => {
  const { app } = await hospital()
  const post = (body: string | FormData | URLSearchParams, type?: string) =>
    app.request('/sign-in', {
      method: 'POST',
      body,
      headers: { origin: 'http://localhost', ...(type ? { 'content-type': type } : {}) },
    })
  expect((await post('{}', 'application/json')).status).toBe(415)
  expect((await post(new FormData())).status).toBe(415)
  expect((await post(new URLSearchParams({ staff: 'x'.repeat(20_000) }))).status).toBe(413)
})

test('a full disk has its name: what was pressed is said not to be recorded', async () => {
  const { app, store } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const path = await clerk.open('123456')
  await sql`PRAGMA max_page_count = 1`.execute(store.db)
  const pages = []
  for (let i = 0; i < 40; i++) pages.push(await clerk.post(`${path}/notice`, { to: 'person' }))
  const full = pages.find((page) => page.status === 503)
  expect(full?.text).toContain('保存先の空きがありません。操作は記録されていません。')
  await sql`PRAGMA max_page_count = 1000000`.execute(store.db)
  expect((await clerk.post(`${path}/stop`, { who: 'person', how: 'card' })).text).toContain('停止しました。')
})
