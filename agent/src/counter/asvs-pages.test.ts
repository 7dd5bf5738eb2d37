import { expect, test } from 'vitest'
import { addressOf, ask, busyCounter, digestOf, everyPage, GETS, POSTS } from './crawl.fixture.ts'
import { Clerk, hospital, PEOPLE, PIN } from './world.fixture.ts'

const TWIN = {
  number: '00555555',
  kana: 'ヤマダ ハナコ',
  kanji: '山田 華子',
  birthDate: '1950-01-01',
  sex: 'female',
} as const

test('ASVS 2.3.1 steps in order: a namesake is asked for the birth date before anything is recorded', async () => {
  const place = await hospital({}, [TWIN])
  const clerk = new Clerk(place.app)
  await clerk.signIn()
  const list = await clerk.post('/search', { q: 'ヤマダ ハナコ' })
  expect(list.text.match(/同じ名前の方がいます/g)).toHaveLength(2)
  const path = /href="(\/patient\/[^"]+)"/.exec(list.text)?.[1] ?? ''
  const before = await digestOf(place)
  expect((await clerk.get(path)).text).toContain('1948年5月3日')
  for (const [step, form] of [
    ['notice', { to: 'person' }],
    ['stop', { who: 'person', how: 'card' }],
  ] as const)
    expect((await clerk.post(`${path}/${step}`, form)).text).toContain('生年月日をうかがってください')
  expect(await digestOf(place)).toBe(before)
  const opened = await clerk.post(`${path}/ask`, {})
  expect(opened.text).toContain('同じ名前の方がほかにいます。')
  await clerk.post(`${path}/notice`, { to: 'person' })
  expect(await digestOf(place)).not.toBe(before)
})

test('ASVS 2.3.1 steps in order: no slip without a stop, no hand-over twice, no withdrawal of nothing', async () => {
  const { clerk, ids } = await busyCounter()
  const other = await clerk.open('00123458')
  for (const path of [`${other}/slip/${ids.stop}`, `${other}/stopped/${ids.stop}`, `${other}/withdraw`])
    expect((await clerk.get(path)).status).toBe(404)
  expect((await clerk.post(`${other}/slip/${ids.stop}/handed`, {})).status).toBe(404)
  const slip = `/patient/${ids.handle}/slip/${ids.stop}`
  expect((await clerk.post(`${slip}/handed`, {})).status).toBe(200)
  expect((await clerk.post(`${slip}/handed`, {})).status).toBe(404)
  expect((await clerk.post(`/patient/${ids.handle}/withdraw`, { who: 'person' })).status).toBe(422)
})

test('ASVS 3.2.1 a page is rendered as a page only; the one file is a download', async () => {
  const busy = await busyCounter()
  for (const dest of ['image', 'script', 'style', 'iframe', 'object', 'empty'])
    expect((await ask(busy, 'GET', '/', {}, { 'sec-fetch-dest': dest })).status).toBe(403)
  expect((await ask(busy, 'GET', '/', {}, { 'sec-fetch-dest': 'document' })).status).toBe(200)
  for (const page of await everyPage(busy)) {
    if (page.status === 303) continue
    expect(page.headers.get('content-type')).toBe('text/html; charset=UTF-8')
  }
})

test('ASVS 3.3.1 3.3.3 3.3.4 every cookie on every route: __Host-, Secure, HttpOnly, SameSite=Strict', async () => {
  const busy = await busyCounter('s-02', { https: true })
  busy.clerk.cookie = ''
  const cookies: string[] = []
  for (const route of [...GETS, ...POSTS]) {
    const form: Record<string, string> = route.path === '/sign-in' ? { staff: 's-02', pin: '493158' } : {}
    const answer = await ask(busy, route.method, addressOf(route, busy.ids), form)
    cookies.push(...answer.headers.getSetCookie())
  }
  expect(cookies.length).toBeGreaterThan(0)
  for (const cookie of cookies) {
    expect(cookie).toMatch(/^__Host-/)
    for (const part of ['Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(part)
    expect(cookie).not.toMatch(/Domain=/i)
  }
})

test('ASVS 3.4.1 3.4.3 3.4.4 3.4.5 3.4.6 3.4.8 headers of every page', async () => {
  const busy = await busyCounter('s-02', { https: true })
  const pages = [...(await everyPage(busy)), await ask(busy, 'GET', '/nowhere')]
  expect(pages.filter((one) => one.status === 200).length).toBeGreaterThan(12)
  for (const { headers } of pages) {
    const has = (name: string) => headers.get(name) ?? ''
    expect(Number(/max-age=(\d+)/.exec(has('strict-transport-security'))?.[1])).toBeGreaterThanOrEqual(
      31_536_000,
    )
    expect(has('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(has('content-security-policy')).not.toMatch(/unsafe|\*|data:/)
    expect(has('x-content-type-options')).toBe('nosniff')
    // `no-referrer` would make browsers send `Origin: null` with our own forms; nothing leaves the house either way
    expect(has('referrer-policy')).toBe('same-origin')
    expect(has('cross-origin-opener-policy')).toBe('same-origin')
    expect(has('access-control-allow-origin')).toBe('')
  }
})

test('ASVS 3.5.1 CSRF: every form without its token, with another’s, or from elsewhere changes nothing', async () => {
  const busy = await busyCounter()
  const before = await digestOf(busy)
  for (const route of POSTS) {
    const path = addressOf(route, busy.ids)
    const form = { to: 'person', who: 'person', how: 'card', agreed: 'yes', answer: 'same', chosen: 'nobody' }
    const foreign = { origin: 'https://evil.example' }
    expect([path, (await ask(busy, 'POST', path, form, foreign)).status]).toEqual([path, 403])
    expect((await ask(busy, 'POST', path, form, { 'sec-fetch-site': 'same-site' })).status).toBe(403)
    if (route.roles === 'anybody') continue
    for (const csrf of ['', 'x'.repeat(32)])
      expect([path, (await ask(busy, 'POST', path, { ...form, csrf })).status]).toEqual([path, 403])
  }
  expect(await digestOf(busy)).toBe(before)
})

test('ASVS 3.5.3 no GET and no HEAD changes anything', async () => {
  const busy = await busyCounter()
  const before = await digestOf(busy)
  await everyPage(busy)
  for (const route of [...GETS, ...POSTS])
    for (const method of ['GET', 'HEAD'])
      if (route.path !== '/sign-out')
        await ask(busy, method, `${addressOf(route, busy.ids)}?to=person&who=person&how=card`)
  expect(await digestOf(busy)).toBe(before)
})

test('ASVS 3.6.1 nothing on any page comes from elsewhere', async () => {
  const busy = await busyCounter()
  for (const { text } of await everyPage(busy)) {
    const addresses = [...text.matchAll(/(?:href|src|action|srcset|poster|data)="([^"]*)"/g)].map(
      (found) => found[1],
    )
    for (const address of addresses) expect(address).toMatch(/^(\/(?!\/)|#)/)
    expect(text).not.toMatch(/@import|url\(/)
  }
})

test('ASVS 14.2.1 no name and no number of a patient in an address or a log', async () => {
  const busy = await busyCounter()
  const secrets = new RegExp(
    [
      ...PEOPLE.flatMap((one) => [one.number, one.kana.split(' ')[0], one.birthDate ?? one.number]),
      'ナナシ',
      '493158',
    ]
      .map((text) => `${text}|${encodeURIComponent(text ?? '-')}`)
      .join('|'),
  )
  for (const q of ['00123456', 'ヤマダ', '19480503']) await busy.clerk.post('/search', { q })
  for (const { text, path } of await everyPage(busy)) {
    const addresses = [...text.matchAll(/(?:href|action)="([^"]*)"/g)].map((found) => found[1] ?? '')
    for (const address of [path, ...addresses]) expect(address).not.toMatch(secrets)
  }
  const leaves = await busy.store.db.selectFrom('audit_leaf').select('leaf').execute()
  const said = leaves.map((one) => new TextDecoder().decode(one.leaf)).join('\n')
  expect(said + JSON.stringify(busy.state.log)).not.toMatch(secrets)
})

test('ASVS 14.2.6 a search shows what tells people apart, and no more', async () => {
  const { app } = await hospital()
  const clerk = new Clerk(app)
  await clerk.signIn()
  const page = (await clerk.post('/search', { q: 'スズキ' })).text
  const row = /<ol class="rows">([\s\S]*?)<\/ol>/.exec(page)?.[1] ?? ''
  const text = row
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  expect(text).toBe('1 スズキ イチロウ 1971-11-20（55歳） 鈴木 一郎 ・ 男 ・ 番号 00123457')
})

test('ASVS 14.3.1 14.3.2 nothing is stored in the browser, and signing out clears what was', async () => {
  const busy = await busyCounter()
  for (const { headers } of await everyPage(busy)) expect(headers.get('cache-control')).toBe('no-store')
  const out = await ask(busy, 'POST', '/sign-out')
  expect(out.headers.get('clear-site-data')).toContain('"storage"')
})

test('ASVS 3.5.4 two applications on one machine do not read each other’s cookies', async () => {
  const { app } = await hospital()
  const signIn = (origin: string) =>
    app.request(`${origin}/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ staff: 's-01', pin: PIN }),
      headers: { origin },
    })
  const one = (await signIn('http://desk.example:8410')).headers.get('set-cookie')?.split(';')[0] ?? ''
  expect(one).toMatch(/^kakehashi-8410=/)
  const asked = (origin: string) => app.request(`${origin}/`, { headers: { cookie: one } })
  expect((await asked('http://desk.example:8410')).status).toBe(200)
  expect((await asked('http://desk.example:8411')).status).toBe(303)
})
