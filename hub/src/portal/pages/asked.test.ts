import { withReadings } from '@kakehashi/ui/markup'
import { expect, test } from 'vitest'
import { LANGUAGES, type Language } from './layout.ts'
import { portal, TOKEN } from './pages.fixture.ts'

const languages = Object.keys(LANGUAGES) as Language[]
const shown = (text: string) => String(withReadings(text))

test.each(languages)(
  'R16 in %s a receipt number and its token show how far the request came',
  async (language) => {
    const { app, post } = portal()
    const w = LANGUAGES[language]
    expect(await (await app.request(`/${language}`)).text()).toContain(`href="/${language}/state"`)
    expect((await app.request(`/${language}/state`)).status).toBe(200)
    const wrong = await post(`/${language}/state`, { receipt: 'x', second: '?' })
    expect(wrong.status).toBe(422)
    const refused = await wrong.text()
    for (const field of ['receipt', 'second']) expect(refused).toContain(`href="#${field}"`)
    const answer = await post(`/${language}/state`, { receipt: 'abcde fghjk', second: TOKEN.toLowerCase() })
    const page = await answer.text()
    for (const day of ['2026-07-01', '2026-07-02', '2026-07-03', '2026-07-04']) expect(page).toContain(day)
    for (const text of [w.stateReceived, w.statePassed, w.stateHeld, w.stateErased])
      expect(page).toContain(shown(text))
    // "the contact below" is below
    expect(page).toContain('0120-111-222</li>')
  },
)

test('R17 without the paper the page says what holds whether or not somebody matched', async () => {
  const { post } = portal()
  for (const language of languages) {
    const w = LANGUAGES[language]
    const page = await (
      await post(`/${language}/state`, { receipt: 'ABCDE22222', second: '19480503' })
    ).text()
    expect(page).toContain(shown(w.stateHeldNumber))
    expect(page).toContain(shown(w.stateErasedTold))
    expect(page).not.toContain(`<dt>${shown(w.stateHeld)}</dt>`)
  }
})

test('ASVS 6.3.8 R17 whatever is not found is the same page, byte for byte', async () => {
  const { post } = portal()
  const asked = [
    { receipt: '22222-22222', second: '19480503' },
    { receipt: '33333-33333', second: '19500101' },
    { receipt: '33333-33333', second: TOKEN },
  ]
  const pages = new Set<string>()
  for (const form of asked) {
    const answer = await post('/ja/state', form)
    expect(answer.status).toBe(200)
    pages.add(`${JSON.stringify([...answer.headers])}${await answer.text()}`)
  }
  expect(pages.size).toBe(1)
})

test.each(languages)(
  'R45 in %s a question is asked without a name and answered by its receipt',
  async (language) => {
    const { app, post, questions } = portal()
    expect((await app.request(`/${language}/question`)).status).toBe(200)
    expect((await post(`/${language}/question`, { text: '  ' })).status).toBe(422)
    const long = await post(`/${language}/question`, { text: '問'.repeat(1001), contact: 'a@example.jp' })
    expect(long.status).toBe(422)
    const kept = await long.text()
    expect(kept).toContain('問'.repeat(1000))
    expect(kept).toContain('a@example.jp')
    expect(questions).toEqual([])
    const done = await post(`/${language}/question`, { text: '薬の\r\n情報は？', contact: '' })
    expect(done.status).toBe(303)
    expect(questions).toEqual([{ text: '薬の\n情報は？', contact: '', language }])
    const page = await (await app.request(done.headers.get('location') ?? '')).text()
    expect(page).toContain('ABCDE-FGHJK')
    expect(page).not.toContain('薬の')
  },
)

test('R45 another language in the middle of a question shows it again and sends nothing', async () => {
  const { post, questions } = portal()
  const page = await (await post('/ja/question', { text: '問'.repeat(1001) })).text()
  const others = [...page.matchAll(/formaction="([^"]+)"/g)].map((one) => one[1] ?? '')
  expect(others).toHaveLength(languages.length - 1)
  for (const path of others)
    expect(await (await post(path, { text: 'もう一度', contact: 'x' })).text()).toContain('もう一度')
  expect(questions).toEqual([])
})

test.each(languages)(
  'R20 in %s erasing is asked for alone, with the paper or without, and told what it means',
  async (language) => {
    const { app, post, taken, numbers } = portal()
    const w = LANGUAGES[language]
    const told = [...w.eraseTold, w.erasureHint].map(shown)
    const start = await (await app.request(`/${language}/erase`)).text()
    for (const line of told) expect(start).toContain(line)
    const wish = 'erase'
    expect(await (await post(`/${language}/number`, { wish })).text()).toContain('value="erase"')
    const check = await (await post(`/${language}/check`, { wish, token: TOKEN, who: 'person' })).text()
    for (const line of told) expect(check).toContain(line)
    expect(check).toContain(shown(w.eraseButton))
    expect(check).not.toContain('value="no"')
    const fields = Object.fromEntries(
      [...check.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map((one) => [one[1], one[2] ?? '']),
    )
    await post(`/${language}/stop`, fields)
    expect(taken).toEqual([{ token: TOKEN, requester: 'person', erasureAsked: true }])
    const asked = { hospital: 'hospital-a', number: '12', birth: '19480503', who: 'family', wish }
    const byNumber = await (await post(`/${language}/nopaper/check`, asked)).text()
    for (const line of told) expect(byNumber).toContain(line)
    expect(byNumber).toContain('name="erasure" value="yes"')
    await post(`/${language}/nopaper/stop`, { ...asked, erasure: 'yes' })
    expect(numbers).toMatchObject([{ number: '12', erasureAsked: true }])
  },
)

test('R20 another language in the middle keeps that erasing is asked for', async () => {
  const { post } = portal()
  const paths = [
    await post('/ja/check', { wish: 'erase', token: 'short', who: 'person' }),
    await post('/ja/check', { wish: 'erase', token: TOKEN, who: 'person' }),
    await post('/ja/nopaper/check', { wish: 'erase' }),
  ]
  for (const answer of paths) {
    const [, aside = ''] = /<form class="header__aside"(.*?)<\/form>/s.exec(await answer.text()) ?? []
    expect(aside).toContain('name="wish" value="erase"')
  }
})

test.each(languages)(
  'R1 in %s what a hospital filed can be read, and that the paper governs',
  async (language) => {
    const { app } = portal()
    const w = LANGUAGES[language]
    const list = await (await app.request(`/${language}/notice`)).text()
    expect(list).toContain(`href="/${language}/notice/hospital-a"`)
    const page = await (await app.request(`/${language}/notice/hospital-a`)).text()
    expect(page).toContain(shown(w.noticeLead))
    for (const text of ['医療法人架空会', '東京都港区1', '架空 太郎', '2026-04-10'])
      expect(page).toContain(text)
    expect(page).toContain(`<li>${shown(w.itemClasses[3] ?? '')}</li>`)
    expect(page).not.toContain(`<li>${shown(w.itemClasses[9] ?? '')}</li>`)
    expect((await app.request(`/${language}/notice/nowhere`)).status).toBe(404)
  },
)

test('R1 the words of the notice: in the reader’s language, else in Japanese and said so; Japanese is always linked', async () => {
  const { app } = portal()
  for (const language of languages) {
    const w = LANGUAGES[language]
    const page = await (await app.request(`/${language}/notice/hospital-a`)).text()
    const published = ['ja', 'easy', 'en'].includes(language)
    expect(page).toContain(`<h3>${shown(w.noticeWords)}</h3>`)
    expect(page.includes(shown(w.noticeOnlyJapanese))).toBe(!published)
    expect(page.includes('href="/ja/notice/hospital-a">' + shown(w.noticeJapanese))).toBe(
      language === 'easy' || language === 'en',
    )
    if (!published || language === 'ja') {
      expect(page).toContain('<div class="words" lang="ja">')
      expect(page).toContain('<h4>6　提供の停止</h4>')
      expect(page).toContain('医療法人架空会<br />東京都港区1')
    }
  }
  expect(await (await app.request('/en/notice/hospital-a')).text()).toContain('Medical corporation Kakuu')
  const easy = await (await app.request('/easy/notice/hospital-a')).text()
  expect(easy).toContain('<ruby>病院<rt>びょういん</rt></ruby>からの')
  expect(easy).toContain('&lt;b&gt;いつでも')
})

test('ASVS 14.2.1 neither receipt’s second thing, nor question, nor contact ever stands in an address', async () => {
  const { post } = portal()
  const answers = [
    await post('/ja/state', { receipt: 'ABCDE-FGHJK', second: TOKEN }),
    await post('/ja/state', { receipt: 'ABCDE-22222', second: '19480503' }),
    await post('/ja/question', { text: 'SECRET', contact: 'SECRET' }),
    await post('/ja/question/again', { text: 'SECRET', contact: 'SECRET' }),
  ]
  for (const answer of answers) {
    const page = await answer.text()
    for (const [, address] of page.matchAll(/(?:href|action|formaction)="([^"]*)"/g))
      expect(address).not.toMatch(/0123456789|1948|SECRET/)
    expect(answer.headers.get('location') ?? '').not.toMatch(/SECRET/)
  }
})

test('ASVS 3.5.1 3.5.3 no question and no look by another site’s form, nor by a mere address', async () => {
  const { app, post, questions } = portal()
  const evil = { origin: 'https://evil.example' }
  expect((await post('/ja/question', { text: 'x' }, evil)).status).toBe(404)
  expect((await post('/ja/state', { receipt: 'ABCDE-FGHJK', second: TOKEN }, evil)).status).toBe(404)
  await app.request('/ja/question?text=x')
  expect(await (await app.request(`/ja/state?receipt=ABCDE-FGHJK&second=${TOKEN}`)).text()).not.toContain(
    '2026-07',
  )
  expect(questions).toEqual([])
})

test('XSS: what is typed into the new pages comes back as text', async () => {
  const { post } = portal()
  const nasty = `</textarea>"><script>alert(1)</script>`
  const pages = [
    await post('/ja/question/again', { text: nasty, contact: nasty }),
    await post('/ja/state', { receipt: nasty, second: nasty }),
    await post('/ja/number', { wish: nasty, token: nasty }),
  ]
  for (const answer of pages) {
    const page = await answer.text()
    expect(page).not.toContain('<script>')
    expect(page).not.toContain('</textarea>"')
  }
})
