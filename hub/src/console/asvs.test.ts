import { NOBODYS_SECRET, SECRET_COST } from '@kakehashi/protocol/secret-hash'
import { expect, test } from 'vitest'
import { openTicket } from '../requests/tickets.ts'
import { disableAccount } from '../accounts/flow.ts'
import { ROLES, type Role } from '../accounts/rules.ts'
import { consoleApp } from './app.ts'
import { OPEN_ROUTES, ROUTES } from './access.ts'
import { mayEnter } from './rules.ts'
import { accountStore } from './stores.ts'
import { operatorRoom, PASSPHRASE, Visitor } from './world.fixture.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const STAFF: Record<Role, string> = {
  author: 'author',
  reviewer: 'one',
  auditor: 'auditor',
  privacy: 'privacy',
  desk: 'desk',
}
const ALSO: Partial<Record<Role, Role[]>> = { author: ['author', 'reviewer'] }
const GETS = Object.keys(ROUTES).flatMap((line) => (line.startsWith('GET ') ? [line.slice(4)] : []))

async function door(account = 'one') {
  const place = await operatorRoom()
  const visitor = new Visitor(place.app)
  await visitor.signIn(account)
  const acts = async () => {
    const rows = await place.ops.db.selectFrom('audit_leaf').select('leaf').orderBy('seq').execute()
    return rows.map(({ leaf }) => (JSON.parse(new TextDecoder().decode(leaf)) as { act: string }).act)
  }
  return { ...place, visitor, acts }
}

const filled = (path: string, release: string) =>
  path
    .replace(':release', release)
    .replace(':erasure', 'e-0')
    .replaceAll(/:[a-z]+/g, 'nothing')

test('ASVS 8.2.1 R46 every route of the application is in the table, and opens to its roles only, for every role', async () => {
  const place = await operatorRoom()
  const own = consoleApp(place.parts).routes.flatMap(({ method, path }) =>
    path.startsWith('/*') || path.startsWith('/assets') || method === 'ALL' ? [] : [`${method} ${path}`],
  )
  const pages = [...new Set(own)].filter((line) => !/\.(css|js)$/.test(line))
  expect(pages.toSorted()).toEqual([...Object.keys(ROUTES), ...OPEN_ROUTES].toSorted())
  const found: string[] = []
  const expected: string[] = []
  for (const role of ROLES) {
    const visitor = new Visitor(place.app)
    await visitor.signIn(STAFF[role])
    for (const [line, room] of Object.entries(ROUTES)) {
      const [method, path = ''] = line.split(' ')
      const address = filled(path, place.release)
      const answer = method === 'GET' ? await visitor.get(address) : await visitor.post(address, {})
      const closed = answer.text.includes('この画面は見られません')
      found.push(`${role} ${line} ${closed ? 'closed' : 'open'}`)
      expected.push(`${role} ${line} ${mayEnter(ALSO[role] ?? [role], room) ? 'open' : 'closed'}`)
    }
  }
  expect(found).toEqual(expected)
})

test('ASVS 6.3.1, 6.6.3 brute force: four tries are free, then the wait doubles from 30 seconds to 15 minutes, for codes too', async () => {
  const { visitor, clock, acts } = await door('two')
  const guess = () => visitor.post('/sign-in', { account: 'one', passphrase: PASSPHRASE, code: '000000' })
  for (let tries = 0; tries < 4; tries++) expect((await guess()).status).toBe(401)
  for (let wait = 30; wait < 15 * 60; wait *= 2) {
    expect((await guess()).status).toBe(401)
    clock.now += (wait - 1) * SECOND
    expect((await guess()).status).toBe(429)
    clock.now += SECOND
  }
  expect((await acts()).filter((act) => act === 'account.refused').length).toBe(9)
})

test('ASVS 6.3.1 brute force: forty guesses at once are five', async () => {
  const { visitor } = await door('two')
  const guess = () => visitor.post('/sign-in', { account: 'one', passphrase: 'wrong', code: '000000' })
  const answers = await Promise.all(Array.from({ length: 40 }, guess))
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(5)
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(35)
})

test('ASVS 6.3.3, 6.3.4 no account comes in by its passphrase alone; a used code is no code', async () => {
  const { visitor, codeOf, clock } = await door('two')
  const enter = (code: string) => visitor.post('/sign-in', { account: 'one', passphrase: PASSPHRASE, code })
  expect((await enter('')).status).toBe(401)
  const code = codeOf('one')
  expect((await enter(code)).text).toContain('今日すること')
  expect((await enter(code)).status).toBe(401)
  clock.now += HOUR
})

test('ASVS 7.2.3, 7.2.4 a session is 128 bits at least and new at every sign-in; the old one is over', async () => {
  const { visitor, app } = await door()
  const before = visitor.cookie
  expect(Buffer.from(before.split('=')[1] ?? '', 'base64url').length).toBeGreaterThanOrEqual(16)
  await visitor.signIn('one')
  expect(visitor.cookie).not.toBe(before)
  const old = new Visitor(app)
  old.cookie = before
  expect((await old.get('/')).text).toContain('運営コンソールに入る')
})

test('ASVS 7.3.1, 7.3.2 over after 15 idle minutes and after 12 hours whatever one does', async () => {
  const idle = await door()
  idle.clock.now += 15 * MINUTE
  expect((await idle.visitor.get('/')).text).toContain('運営コンソールに入る')
  const busy = await door()
  for (let passed = 10; passed < 12 * 60; passed += 10) {
    busy.clock.now += 10 * MINUTE
    expect((await busy.visitor.get('/')).text).toContain('今日すること')
  }
  busy.clock.now += 10 * MINUTE
  expect((await busy.visitor.get('/')).text).toContain('運営コンソールに入る')
})

test('ASVS 7.4.1, 7.4.2, 14.3.1 signing out and disabling end the session now', async () => {
  const { visitor, parts, app } = await door()
  const copy = new Visitor(app)
  copy.cookie = visitor.cookie
  await disableAccount(accountStore(parts), { account: 'one', by: 'init' })
  expect((await copy.get('/')).text).toContain('運営コンソールに入る')
  const other = new Visitor(app)
  await other.signIn('two')
  copy.cookie = other.cookie
  const out = await app.request('/sign-out', {
    method: 'POST',
    headers: {
      cookie: other.cookie,
      origin: 'http://localhost',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: '',
  })
  expect(out.headers.get('clear-site-data')).toContain('cache')
  expect((await copy.get('/')).text).toContain('運営コンソールに入る')
})

test('ASVS 7.5.3 step-up: verifying, erasing and voting take both factors again, and failing counts', async () => {
  const { visitor, release, acts } = await door()
  const page = await visitor.get(`/releases/${release}`)
  const digest = /name="digest" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const vote = { conflict: 'no', answer: 'approve', reason: '', digest }
  const without = await visitor.post(`/releases/${release}/vote`, vote)
  expect(without.status).toBe(422)
  for (let tries = 0; tries < 5; tries++)
    await visitor.post(`/releases/${release}/vote`, { ...vote, passphrase: PASSPHRASE, code: '000000' })
  const right = { ...vote, passphrase: PASSPHRASE, code: '000000' }
  expect((await visitor.post(`/releases/${release}/vote`, right)).text).toContain('お待ちください')
  expect(await acts()).toContain('account.refused')
  expect(await acts()).not.toContain('account.stepped-up')
})

test('ASVS 6.3.1 step-up: forty guesses at once on an open screen are five', async () => {
  const { visitor, release, acts } = await door()
  const page = await visitor.get(`/releases/${release}`)
  const digest = /name="digest" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const vote = { conflict: 'no', answer: 'approve', reason: '', digest, passphrase: 'wrong', code: '000000' }
  const guess = () => visitor.post(`/releases/${release}/vote`, vote)
  const answers = await Promise.all(Array.from({ length: 40 }, guess))
  expect(answers.filter(({ text }) => text.includes('お待ちください'))).toHaveLength(35)
  expect((await acts()).filter((act) => act === 'account.refused')).toHaveLength(5)
})

test('ASVS 8.3.2 a role taken away works at the next request', async () => {
  const { visitor, parts } = await door('desk')
  expect((await visitor.get('/stops/new')).status).toBe(200)
  await parts.ops.bookkeep((tx) =>
    tx
      .updateTable('account' as never)
      .set({ roles: 'auditor' } as never)
      .where('account' as never, '=', 'desk' as never)
      .execute(),
  )
  expect((await visitor.get('/stops/new')).status).toBe(403)
})

test('ASVS 3.3.1, 3.3.3, 3.3.4, 3.4.1, 3.4.3, 3.4.4, 3.4.5, 3.4.6, 3.4.8, 3.6.1, 14.3.2 headers, cookie and sources of every page', async () => {
  const { visitor, release, parts } = await door('privacy')
  for (const path of GETS) {
    const page = await visitor.get(filled(path, release))
    const head = (name: string) => page.headers.get(name)
    expect(head('content-security-policy')).toContain("default-src 'none'")
    expect(head('content-security-policy')).not.toContain('unsafe')
    expect(head('content-security-policy')).toContain("frame-ancestors 'none'")
    expect([
      head('x-content-type-options'),
      head('referrer-policy'),
      head('cross-origin-opener-policy'),
      head('cache-control'),
    ]).toEqual(['nosniff', 'same-origin', 'same-origin', 'no-store'])
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(page.text).not.toMatch(/<style|style=|onclick=/)
  }
  const safe = consoleApp({ ...parts, https: true })
  const page = await safe.request('https://console.example/sign-in')
  expect(page.headers.get('strict-transport-security')).toBe('max-age=63072000')
  const out = await safe.request('https://console.example/sign-out', {
    method: 'POST',
    headers: { origin: 'https://console.example', 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  })
  expect(out.headers.get('set-cookie')).toMatch(/^__Host-.*HttpOnly.*Secure.*SameSite=Strict/i)
})

test('ASVS 3.2.1 a page is rendered as a page only; the certificate is a download', async () => {
  const { app, visitor } = await door('privacy')
  const as = (dest: string) =>
    app.request('/', { headers: { cookie: visitor.cookie, 'sec-fetch-dest': dest } })
  for (const dest of ['image', 'script', 'style', 'iframe', 'object', 'empty'])
    expect((await as(dest)).status).toBe(403)
  expect((await as('document')).status).toBe(200)
  const file = await visitor.get('/erasures/e-0/certificate.json')
  expect(file.headers.get('content-disposition')).toContain('attachment')
})

test('ASVS 6.3.8 an account that exists and one that does not: the same bytes, the same work', async () => {
  const { visitor } = await door('two')
  const enter = (account: string) =>
    visitor.post('/sign-in', { account, passphrase: 'wrong', code: '000000' })
  const [known, unknown] = [await enter('one'), await enter('nobody')]
  expect([unknown.status, unknown.text]).toEqual([known.status, known.text])
  // nobody's secret costs as much to compare as anybody's
  const { N, r, p } = SECRET_COST
  expect(NOBODYS_SECRET.startsWith(`scrypt$${N}$${r}$${p}$`)).toBe(true)
})

test('ASVS 8.2.2, 8.2.3 object by object and field by field: nothing of what was not asked for, and no name to an auditor', async () => {
  const { visitor, release, app, parts } = await door('auditor')
  for (const path of GETS.filter((one) => one.includes('/:')))
    expect((await visitor.get(path.replaceAll(/:[a-z]+/g, 'nothing'))).status).toBeGreaterThanOrEqual(403)
  const said = { name: '山田', contact: '横浜市', text: '山田の質問' }
  const about = { ticket: 'q-1', kind: 'question', channel: 'phone', stop: null, by: 'desk' } as const
  await openTicket(parts, parts.identity, { ...about, ...said })
  expect((await visitor.get('/tickets/q-1')).text).not.toMatch(/山田|横浜/)
  const clerk = new Visitor(app)
  await clerk.signIn('desk')
  expect((await clerk.get('/tickets/q-1')).text).toContain('山田の質問')
  expect((await clerk.get(`/releases/${release}`)).status).toBe(403)
})

test('ASVS 2.3.1 steps in order: no vote on what was not shown, and none twice', async () => {
  const { visitor, release, codeOf } = await door()
  const path = `/releases/${release}/vote`
  const vote = () => ({
    conflict: 'no',
    answer: 'approve',
    reason: '',
    passphrase: PASSPHRASE,
    code: codeOf('one'),
  })
  const page = await visitor.get(`/releases/${release}`)
  expect((await visitor.post(path, { ...vote(), digest: 'f'.repeat(64) })).status).toBe(403)
  const digest = /name="digest" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  expect((await visitor.post(path, { ...vote(), digest })).status).toBe(200)
  expect((await visitor.post(path, { ...vote(), digest })).status).toBeGreaterThanOrEqual(403)
})

test('ASVS 3.5.1, 3.5.3 a look changes nothing; no form works without its session’s secret', async () => {
  const { visitor, release, ops } = await door('privacy')
  const tables = ['stop', 'stop_intake', 'ticket', 'erasure', 'tombstone', 'release', 'outbox'] as const
  const digest = async () => {
    const rows = []
    for (const table of tables) rows.push(await ops.db.selectFrom(table).selectAll().execute())
    return JSON.stringify(rows)
  }
  const before = await digest()
  for (const path of GETS) await visitor.get(filled(path, release))
  for (const line of Object.keys(ROUTES).filter((one) => one.startsWith('POST ')))
    expect((await visitor.post(filled(line.slice(5), release), { csrf: 'x' })).status).toBe(403)
  expect(await digest()).toBe(before)
})
