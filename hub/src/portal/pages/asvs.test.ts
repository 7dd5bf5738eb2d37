import { expect, test } from 'vitest'
import { LANGUAGES, type Language } from './layout.ts'
import { portal, TOKEN } from './pages.fixture.ts'

const languages = Object.keys(LANGUAGES) as Language[]
const PAGES = [
  '',
  `/q/${TOKEN}`,
  '/number',
  '/nopaper',
  '/erase',
  '/state',
  '/question',
  '/notice',
  '/notice/hospital-a',
  '/received/ABCDE-FGHJK',
  '/asked/ABCDE-FGHJK',
  '/question/ABCDE-FGHJK',
  '/nowhere',
]
const BY_NUMBER = { hospital: 'hospital-a', number: '0012', birth: '19480503', who: 'person' }

/** Every page, every answer to a form, and every refusal. */
async function everyAnswer() {
  const world = portal()
  const { app, post } = world
  const answers = await Promise.all(PAGES.map((path) => app.request(`/ja${path}`)))
  answers.push(
    await app.request('/'),
    await post('/ja/check', { token: TOKEN, who: 'person' }),
    await post('/ja/check', { token: 'short' }),
    await post('/ja/stop', { token: TOKEN, who: 'person', erasure: 'no' }),
    await post('/ja/nopaper/check', BY_NUMBER),
    await post('/ja/nopaper/check', {}),
    await post('/ja/state', { receipt: 'ABCDE-FGHJK', second: TOKEN }),
    await post('/ja/question', { text: 'x' }),
    await post('/ja/stop', {}, { origin: 'https://evil.example' }),
  )
  return { ...world, answers }
}

test('ASVS 2.3.1 steps in order: whoever goes to the last step first is sent to the first, and nothing is taken', async () => {
  const { post, taken, numbers } = portal()
  for (const language of languages) {
    const late = await post(`/${language}/stop`, { erasure: 'yes' })
    expect([late.status, late.headers.get('location')]).toEqual([303, `/${language}/number`])
    const byNumber = await post(`/${language}/nopaper/stop`, { erasure: 'yes' })
    expect([byNumber.status, byNumber.headers.get('location')]).toEqual([303, `/${language}/nopaper`])
    // the answer asked for at the last step cannot be left out either
    expect((await post(`/${language}/stop`, { token: TOKEN, who: 'person' })).status).toBe(422)
    expect((await post(`/${language}/nopaper/stop`, BY_NUMBER)).status).toBe(422)
  }
  expect([taken, numbers]).toEqual([[], []])
})

test('ASVS 3.2.1 a page is rendered as a page only', async () => {
  const { app } = portal()
  for (const dest of ['image', 'script', 'style', 'iframe', 'object', 'empty'])
    expect((await app.request('/ja', { headers: { 'sec-fetch-dest': dest } })).status).toBe(404)
  const page = await app.request('/ja', { headers: { 'sec-fetch-dest': 'document' } })
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=UTF-8')
})

test('ASVS 3.3.1 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 no session: no cookie on any answer, and nothing that could be left open', async () => {
  const { answers, app } = await everyAnswer()
  for (const { headers } of answers) expect(headers.getSetCookie()).toEqual([])
  const cookie = { headers: { cookie: '__Host-session=abc; session=abc' } }
  expect(await (await app.request('/ja/state', cookie)).text()).toBe(
    await (await app.request('/ja/state')).text(),
  )
})

test('ASVS 3.4.1 3.4.3 3.4.4 3.4.5 3.4.6 3.4.8 14.3.2 every page and every refusal carries the headers that shut the browser', async () => {
  const { answers } = await everyAnswer()
  for (const { headers } of answers) {
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{8,}/)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|script-src/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    // The address with a token goes to this host again and to no other; without it forms would tell no origin.
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('cache-control')).toBe('no-store')
  }
})

test('ASVS 3.6.1 nothing on any page in any language comes from elsewhere', async () => {
  const { app } = portal()
  for (const language of languages)
    for (const path of PAGES) {
      const page = await (await app.request(`/${language}${path}`)).text()
      expect(page).not.toMatch(/(?:src|href|action)="(?:https?:)?\/\//)
      expect(page).not.toMatch(/<script|<style|<img|<iframe| style=/)
    }
})

test('ASVS 8.2.1 8.2.2 8.2.3 whoever asks: a state to its receipt and second thing alone, days and nothing else', async () => {
  const { post } = portal()
  const page = await (await post('/ja/state', { receipt: 'ABCDE-FGHJK', second: TOKEN })).text()
  const main = /<main[^>]*>([\s\S]*)<\/main>/.exec(page)?.[1] ?? ''
  expect(main).not.toMatch(/架空病院|hospital-a|0123456789ABCDEFGHJKMNPQRS/)
  expect(main.match(/\d{4}-\d\d-\d\d/g)).not.toBeNull()
})
