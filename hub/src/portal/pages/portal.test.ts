import { expect, test } from 'vitest'
import { portalPages, type StopByToken } from './app.ts'
import { LANGUAGES, type Language } from './layout.ts'

const TOKEN = '0123456789ABCDEFGHJKMNPQRS'
const languages = Object.keys(LANGUAGES) as Language[]

function portal() {
  const taken: StopByToken[] = []
  const app = portalPages({
    operator: { name: '試験機構', address: '東京都港区1', phone: '0120-111-222' },
    https: true,
    takeStop: async (asked) => {
      taken.push(asked)
      return { receipt: `R-${taken.length}-AAAA` }
    },
  })
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    app.request(path, { method: 'POST', body: new URLSearchParams(form), headers })
  return { app, post, taken }
}

test.each(languages)('the whole walk in %s: three pages, one stop, a receipt number', async (language) => {
  const { app, post, taken } = portal()
  const start = await (await app.request(`/${language}/q/${TOKEN}`)).text()
  expect(start).toContain(TOKEN)
  expect((await post(`/${language}/number`, { token: TOKEN })).status).toBe(200)
  expect((await post(`/${language}/check`, { token: TOKEN.toLowerCase(), who: 'guardian' })).status).toBe(200)
  expect(taken).toEqual([])
  const done = await post(`/${language}/stop`, { token: TOKEN, who: 'guardian', erasure: 'yes' })
  expect(done.status).toBe(303)
  expect(taken).toEqual([{ token: TOKEN, requester: 'guardian', erasureAsked: true }])
  const page = await (await app.request(done.headers.get('location') ?? '')).text()
  expect(page).toContain('R-1-AAAA')
})

test('R16 a stop needs no account, no reason, no script and no cookie', async () => {
  const { app, post } = portal()
  for (const language of languages) {
    for (const path of ['', '/number', `/q/${TOKEN}`]) {
      const response = await app.request(`/${language}${path}`)
      const page = await response.text()
      expect(page).not.toMatch(/<script| style=| on[a-z]+=/i)
      expect(response.headers.get('set-cookie')).toBeNull()
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('content-security-policy')).not.toContain('script-src')
    }
  }
  expect((await post('/ja/stop', { token: TOKEN, who: 'person', erasure: 'no' })).status).toBe(303)
})

test('R17 T30 every well-formed number gets the same answer, byte for byte but the receipt', async () => {
  const { app, post } = portal()
  const answer = async (token: string) => {
    const done = await post('/ja/stop', { token, who: 'person', erasure: 'no' })
    const page = await (await app.request(done.headers.get('location') ?? '')).text()
    return page.replaceAll(/R-\d+-AAAA/g, 'R')
  }
  expect(await answer(TOKEN)).toBe(await answer('ZZZZZZZZZZZZZZZZZZZZZZZZZZ'))
})

test('wrong answers come back with what to do, and nothing is taken', async () => {
  const { post, taken } = portal()
  for (const language of languages) {
    const bad = await post(`/${language}/check`, { token: 'short', who: 'nobody' })
    expect(bad.status).toBe(422)
    const page = await bad.text()
    expect(page).toContain('href="#token"')
    expect(page).toContain('href="#who"')
    expect(page).toContain('value="short"')
    expect((await post(`/${language}/stop`, { token: TOKEN, who: 'person' })).status).toBe(422)
    expect((await post(`/${language}/stop`, { token: 'x', who: 'person', erasure: 'yes' })).status).toBe(303)
  }
  expect(taken).toEqual([])
})

test('a form of another site is refused; an old browser that tells no origin is served', async () => {
  const { post, taken } = portal()
  const form = { token: TOKEN, who: 'person', erasure: 'no' }
  expect((await post('/ja/stop', form, { origin: 'https://evil.example' })).status).toBe(404)
  expect((await post('/ja/stop', form, { 'sec-fetch-site': 'cross-site' })).status).toBe(404)
  expect(taken).toEqual([])
  expect((await post('/ja/stop', form, { origin: 'http://localhost' })).status).toBe(303)
})

test('XSS: markup typed into any field comes back as text', async () => {
  const { app, post } = portal()
  const nasty = `"><script>alert(1)</script><a href='javascript:alert(1)'>`
  for (const path of ['/ja/number', '/ja/check']) {
    const page = await (await post(path, { token: nasty, who: nasty, erasure: nasty })).text()
    expect(page).not.toContain('<script>')
    expect(page).not.toContain(`<a href='javascript`)
  }
  expect((await app.request('/ja/received/%3Cscript%3E')).status).toBe(404)
  expect(await (await app.request(`/q/${encodeURIComponent(nasty)}`)).text()).not.toContain('<script>')
})

test('first page and its two style sheets stay under 30 KB', async () => {
  const { app } = portal()
  for (const language of languages) {
    const page = await (await app.request(`/${language}`)).text()
    const sheets = [...page.matchAll(/href="(\/assets\/[^"]+)"/g)].map((one) => one[1] ?? '')
    expect(sheets).toHaveLength(2)
    let bytes = page.length
    for (const sheet of sheets) bytes += (await (await app.request(sheet)).arrayBuffer()).byteLength
    expect(bytes).toBeLessThan(30 * 1024)
  }
})

test('when the request cannot be kept the page says it was not received', async () => {
  const { app } = portal()
  const broken = portalPages({
    operator: { name: 'x', address: 'y', phone: null },
    https: false,
    takeStop: () => Promise.reject(new Error('disk')),
  })
  const form = { token: TOKEN, who: 'person', erasure: 'no' }
  const answer = await broken.request('/en/stop', { method: 'POST', body: new URLSearchParams(form) })
  expect(answer.status).toBe(500)
  expect(await answer.text()).toContain('was not received')
  expect((await app.request('/nowhere')).status).toBe(404)
})
