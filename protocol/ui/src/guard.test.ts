import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { giveSessionCookie, sessionCookie } from './cookie.ts'
import { fromOwnPage, pageHeaders, sameSecret } from './guard.ts'
import { Sessions, type BaseSession } from './sessions.ts'

const request = (headers: Record<string, string>) =>
  new Request('https://desk.example:8410/x', { method: 'POST', headers })

test('a form counts as our own only from our own origin; the old browsers’ silence is for the app to judge', () => {
  expect(fromOwnPage(request({ origin: 'https://desk.example:8410' }), 'refuse')).toBe(true)
  for (const origin of ['https://evil.example', 'null', 'https://desk.example', 'nonsense'])
    expect(fromOwnPage(request({ origin }), 'accept')).toBe(false)
  expect(fromOwnPage(request({ 'sec-fetch-site': 'cross-site' }), 'accept')).toBe(false)
  expect(fromOwnPage(request({ 'sec-fetch-site': 'same-site' }), 'accept')).toBe(false)
  expect(fromOwnPage(request({}), 'refuse')).toBe(false)
  expect(fromOwnPage(request({}), 'accept')).toBe(true)
})

test('headers: a page with a script may load only its own, one without none at all', async () => {
  for (const script of [true, false]) {
    const app = new Hono()
    app.use(pageHeaders({ script, https: true }))
    app.get('/', (c) => c.html('x'))
    const { headers } = await app.request('/')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy.includes("script-src 'self'")).toBe(script)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('strict-transport-security')).toContain('max-age=63072000')
  }
})

test('two apps on two ports of one machine keep their own cookies', async () => {
  const app = new Hono()
  app.get('/give', (c) => {
    giveSessionCookie(c, false, 'one')
    return c.text('')
  })
  app.get('/read', (c) => c.text(sessionCookie(c, false) ?? 'none'))
  const given = (await app.request('http://localhost:8410/give')).headers.get('set-cookie') ?? ''
  const headers = { cookie: given.split(';')[0] ?? '' }
  expect(await (await app.request('http://localhost:8410/read', { headers })).text()).toBe('one')
  expect(await (await app.request('http://localhost:8411/read', { headers })).text()).toBe('none')
})

test('secrets compare by content, of any length', () => {
  expect(sameSecret('abc', 'abc')).toBe(true)
  expect(sameSecret('abc', 'abd')).toBe(false)
  expect(sameSecret('abc', 'abcd')).toBe(false)
  expect(sameSecret('', 'x')).toBe(false)
})

test('sessions: 192 bits, idle and total limits, the oldest goes when there are too many', () => {
  const clock = { now: 0, random: 0 }
  const source = { now: () => clock.now, random: (n: number) => new Uint8Array(n).fill((clock.random += 1)) }
  const sessions = new Sessions<BaseSession & { who: string }>(source, { idleMs: 10, totalMs: 25, most: 2 })
  const first = sessions.start({ who: 'a' })
  expect(Buffer.from(first.id, 'base64url')).toHaveLength(24)
  expect(first.csrf).not.toBe(first.id)
  clock.now = 9
  expect(sessions.read(first.id)).toBe(first)
  clock.now = 18
  expect(sessions.read(first.id)).toBe(first)
  clock.now = 25
  expect(sessions.read(first.id)).toBeNull()
  const ids = ['b', 'c', 'd'].map((who) => sessions.start({ who }).id)
  expect(ids.map((id) => sessions.read(id) !== null)).toEqual([false, true, true])
  expect(sessions.read(undefined)).toBeNull()
})
