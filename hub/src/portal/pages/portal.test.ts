import { expect, test } from 'vitest'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { portalPages } from './app.ts'
import { LANGUAGES, languageFor, type Language } from './layout.ts'
import { portal, TOKEN } from './pages.fixture.ts'
import { readBirthDate, readPatientNumber } from './typed.ts'

const languages = Object.keys(LANGUAGES) as Language[]

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

test('first page and its style sheet take at most 15 KB compressed, in every language', async () => {
  const { app } = portal()
  for (const language of languages) {
    const page = await (await app.request(`/${language}`)).text()
    const sheets = [...page.matchAll(/href="(\/assets\/[^"]+)"/g)].map((one) => one[1] ?? '')
    expect(sheets).toHaveLength(2)
    const parts = [Buffer.from(page)]
    for (const sheet of sheets) parts.push(Buffer.from(await (await app.request(sheet)).arrayBuffer()))
    const bytes = (squeeze: (one: Buffer) => Buffer) =>
      parts.map((one) => squeeze(one).length).reduce((a, b) => a + b, 0)
    expect(bytes(brotliCompressSync)).toBeLessThan(15 * 1024)
    expect(bytes(gzipSync)).toBeLessThan(15 * 1024)
  }
})

const ASKED = { hospital: 'hospital-a', number: '００１２-３４', birth: '1948/5/3', who: 'family' }

test.each(languages)('R16 R22 without the paper in %s: hospital, number and birth date', async (language) => {
  const { app, post, numbers } = portal()
  expect(await (await app.request(`/${language}`)).text()).toContain(`href="/${language}/nopaper"`)
  expect((await app.request(`/${language}/nopaper`)).status).toBe(200)
  expect((await post(`/${language}/nopaper/check`, ASKED)).status).toBe(200)
  expect((await post(`/${language}/nopaper/stop`, ASKED)).status).toBe(422)
  expect(numbers).toEqual([])
  const done = await post(`/${language}/nopaper/stop`, { ...ASKED, erasure: 'no' })
  expect(numbers).toEqual([
    {
      facility: 'hospital-a',
      number: '001234',
      birthDate: '1948-05-03',
      requester: 'family',
      erasureAsked: false,
    },
  ])
  expect(done.headers.get('location')).toBe(`/${language}/asked/R-1-AAAA`)
  expect(await (await app.request(`/${language}/asked/R-1-AAAA`)).text()).toContain('R-1-AAAA')
})

test.each(languages)(
  'without the paper in %s: each wrong answer is named, nothing is taken',
  async (language) => {
    const { post, numbers } = portal()
    const wrong = await post(`/${language}/nopaper/check`, { hospital: 'x', number: '?', birth: '19480231' })
    expect(wrong.status).toBe(422)
    const page = await wrong.text()
    for (const field of ['hospital', 'number', 'birth', 'who']) expect(page).toContain(`href="#${field}"`)
    expect(numbers).toEqual([])
  },
)

test('ASVS 14.2.1 neither number nor birth date ever stands in an address', async () => {
  const { post } = portal()
  for (const path of ['', '/check', '/stop']) {
    const answer = await post(`/ja/nopaper${path}`, { ...ASKED, erasure: 'no' })
    const page = await answer.text()
    expect(answer.headers.get('location') ?? '').not.toMatch(/1234|1948/)
    for (const [, address] of page.matchAll(/(?:href|action|formaction)="([^"]*)"/g))
      expect(address).not.toMatch(/1234|1948/)
  }
})

test('ASVS 3.5.1 no form of another site is taken without the paper either', async () => {
  const { post, numbers } = portal()
  const form = { ...ASKED, erasure: 'no' }
  expect((await post('/ja/nopaper/stop', form, { origin: 'https://evil.example' })).status).toBe(404)
  expect(numbers).toEqual([])
})

test('ASVS 3.5.3 nothing is asked by looking: every page by GET, with every answer in its address', async () => {
  const { app, taken, numbers } = portal()
  const query = new URLSearchParams({ ...ASKED, token: TOKEN, erasure: 'yes' })
  for (const language of languages)
    for (const path of ['', '/number', '/check', '/stop', '/nopaper', '/nopaper/check', '/nopaper/stop'])
      await app.request(`/${language}${path}?${query}`)
  expect([taken, numbers]).toEqual([[], []])
})

test('R21 a stop is easy and its withdrawal is not offered: no page has a way back but the counter', async () => {
  const { app } = portal()
  for (const language of languages)
    for (const path of ['', '/number', '/nopaper', '/asked/ABCDE-FGHJK']) {
      const page = await (await app.request(`/${language}${path}`)).text()
      expect(page).not.toMatch(/(?:action|href)="[^"]*(?:withdraw|resume)/)
    }
})

test('each browser is met in its language', () => {
  const met = ['', 'ja-JP,en', 'zh-TW', 'zh-CN,zh', 'fil-PH', 'pt-BR', 'ne-NP', 'vi', 'ko', 'de'].map(
    languageFor,
  )
  expect(met).toEqual(['ja', 'ja', 'zh-hant', 'zh-hans', 'tl', 'pt', 'ne', 'vi', 'ko', 'en'])
})

test('numbers and birth dates are read as people write them', () => {
  expect(['19480503', '１９４８年５月３日', '१९४८/०५/०३', '1948-2-30', '480503'].map(readBirthDate)).toEqual([
    '1948-05-03',
    '1948-05-03',
    '1948-05-03',
    null,
    null,
  ])
  expect(['００１２ ３４', 'a-12', '', '<b>'].map(readPatientNumber)).toEqual(['001234', 'A12', null, null])
})

test('when the request cannot be kept the page says it was not received', async () => {
  const { app } = portal()
  const broken = portalPages({
    operator: { name: 'x', address: 'y', phone: null },
    https: false,
    takeStop: () => Promise.reject(new Error('disk')),
    hospitals: async () => [],
    takeNumberStop: async () => null,
    takeQuestion: async () => null,
    stateOf: async () => 'too-often',
    noticeOf: async () => null,
  })
  const form = { token: TOKEN, who: 'person', erasure: 'no' }
  const answer = await broken.request('/en/stop', { method: 'POST', body: new URLSearchParams(form) })
  expect(answer.status).toBe(500)
  expect(await answer.text()).toContain('was not received')
  expect((await app.request('/nowhere')).status).toBe(404)
})
