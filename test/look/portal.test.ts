import { portalPages } from '@kakehashi/hub/portal/pages/app'
import { LANGUAGES } from '@kakehashi/hub/portal/pages/layout'
import type { NoticeWords } from '@kakehashi/hub/portal/notice-words'
import type { Listening } from '@kakehashi/hub/wire'
import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'
import { operatorId } from '@kakehashi/protocol/ids'
import { noticeText } from '@kakehashi/protocol/notice-text'
import { ITEM_CLASSES } from '@kakehashi/protocol/rules/state'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { noticeNaming } from '../law/notice.fixture.ts'
import { NARROW_PX, photograph } from './browser.ts'
import { closeBrowser, go, look, LOOK_MS_MAX, openPage, unseen, type Opened } from './gallery.ts'
import { printed } from './seat.ts'
import { serve } from './serve.ts'

const TOKEN = '0123456789ABCDEFGHJKMNPQRS'
/** The oldest that is still about. */
const PHONE = { viewport: { width: NARROW_PX, height: 640 } }

/** As a hospital publishes it: in Japanese, and in English. */
function wordsIn(asked: NoticeLanguage): NoticeWords {
  const text = noticeText(noticeNaming(operatorId('operator')))
  return asked === 'en'
    ? { track: 'ANON', language: 'en', text: 'Notice\n\n1. Who provides\nMedical Corporation Kakuu' }
    : { track: 'ANON', language: 'ja', text }
}

const pages = () =>
  portalPages({
    operator: { name: '一般財団法人 架け橋', address: '東京都千代田区1-1', phone: '0120-000-000' },
    https: false,
    takeStop: async () => ({ receipt: 'ABCDE-FGHJK' }),
    hospitals: async () => [
      { facility: 'a', name: '医療法人架空会 架空中央病院' },
      { facility: 'b', name: '架空市立病院' },
    ],
    takeNumberStop: async ({ number }) => (number === '9999' ? null : { receipt: 'ABCDE-FGHJK' }),
    takeQuestion: async ({ text }) => (text === '9999' ? null : { receipt: 'ABCDE-FGHJK' }),
    stateOf: async ({ receipt, second }) =>
      receipt === 'ABCDE-FGHJK'
        ? {
            byToken: 'handle' in second,
            erasureAsked: true,
            ...{ asked: '2026-07-01', passed: '2026-07-01', held: '2026-07-02' },
            ...{ erased: null, lifted: 'handle' in second ? '2026-08-03' : null },
          }
        : 'unknown',
    noticeOf: async (facility, asked) => ({
      name: '医療法人架空会 架空中央病院',
      words: facility === 'b' ? [] : [wordsIn(asked)],
      notice:
        facility === 'b'
          ? null
          : {
              provider: {
                name: '医療法人架空会',
                address: '東京都千代田区架空町1丁目2番3号',
                representative: '理事長 架空 太郎',
              },
              waitDays: 30,
              tracks: [
                { track: 'ANON', items: [...ITEM_CLASSES], filedOn: '2026-04-10' },
                { track: 'PSEUDO', items: ['diagnosis'], filedOn: '2026-04-10' },
              ],
            },
    }),
  })
const portal = () => serve(pages())

let at: Listening
/** One for all languages: what is slow about a browser is opening it. */
let phone: Opened

beforeAll(async () => {
  if (unseen) return
  at = await portal()
  phone = await openPage(at.url, PHONE)
})
beforeEach(() => phone?.page.context().clearCookies())
afterAll(async () => {
  await phone?.close()
  await closeBrowser()
  await at?.close()
})

for (const language of Object.keys(LANGUAGES)) {
  test.skipIf(unseen)(
    `portal, ${language}: every page and every error, without a script`,
    { timeout: LOOK_MS_MAX },
    async () => {
      const { page } = phone
      const see = (name: string) => look(page, `portal-${language}-${name}`)
      await page.goto(`${at.url}/${language}/q/${TOKEN}`)
      await see('1-start')
      await go(page, () => page.click('main button'))
      await see('2-number')
      await go(page, () => page.click('main button'))
      await see('2-number-error')
      await page.check('input[value=person]')
      await go(page, () => page.click('main button'))
      await see('3-check')
      await go(page, () => page.click('form[action$="/stop"] button'))
      await see('3-check-error')
      await page.check('input[value=yes]')
      await go(page, () => page.click('form[action$="/stop"] button'))
      await see('4-received')
      expect(await printed(page, `portal-${language}-4-print`)).toBe(1)
      await page.goto(`${at.url}/${language}/nowhere`)
      await see('5-not-found')
      expect(phone.faults).toEqual([])
    },
  )
  test.skipIf(unseen)(
    `portal, ${language}: without the paper, every page and every error`,
    { timeout: LOOK_MS_MAX },
    async () => {
      const { page } = phone
      const see = (name: string) => look(page, `portal-${language}-nopaper-${name}`)
      await page.goto(`${at.url}/${language}/nopaper`)
      await see('1-who')
      await go(page, () => page.click('main button'))
      await see('1-who-error')
      await page.check('input[value=a]')
      await page.fill('#number', '9999')
      await page.fill('#birth', '19480503')
      await page.check('input[value=guardian]')
      await go(page, () => page.click('main button'))
      await see('2-check')
      await page.check('input[value=no]')
      await go(page, () => page.click('form[action$="/stop"] button'))
      await see('3-too-often')
      await page.goto(`${at.url}/${language}/asked/ABCDE-FGHJK`)
      await see('4-asked')
      expect(phone.faults).toEqual([])
    },
  )
  test.skipIf(unseen)(
    `portal, ${language}: state, question, erasing and the notice, every page and every error`,
    { timeout: LOOK_MS_MAX },
    async () => {
      const { page } = phone
      const see = (name: string) => look(page, `portal-${language}-more-${name}`)
      const submit = () => go(page, () => page.click('main form button'))
      await page.goto(`${at.url}/${language}/state`)
      await see('1-state')
      await submit()
      await see('1-state-error')
      await page.fill('#receipt', 'ABCDE-FGHJK')
      await page.fill('#second', TOKEN)
      await submit()
      await see('2-state-token')
      await page.goto(`${at.url}/${language}/state`)
      await page.fill('#receipt', 'abcdefghjk')
      await page.fill('#second', '19480503')
      await submit()
      await see('2-state-number')
      await page.goto(`${at.url}/${language}/state`)
      await page.fill('#receipt', '22222-22222')
      await page.fill('#second', '19480503')
      await submit()
      await see('2-state-unknown')
      await page.goto(`${at.url}/${language}/question`)
      await see('3-question')
      await submit()
      await see('3-question-error')
      await page.fill('#text', '9999')
      await submit()
      await see('3-question-too-often')
      await page.goto(`${at.url}/${language}/question`)
      await page.fill('#text', 'いつ消去されますか')
      await submit()
      await see('4-question-done')
      await page.goto(`${at.url}/${language}/erase`)
      await see('5-erase')
      await submit()
      await see('5-erase-number')
      await page.fill('#token', TOKEN)
      await page.check('input[value=person]')
      await submit()
      await see('5-erase-check')
      await page.goto(`${at.url}/${language}/notice`)
      await see('6-notice')
      await go(page, () => page.click('main li a'))
      await see('6-notice-hospital')
      expect(await printed(page, `portal-${language}-6-notice-print`)).toBeGreaterThan(0)
      await page.goto(`${at.url}/${language}/notice/b`)
      await see('6-notice-none')
      expect(phone.faults).toEqual([])
    },
  )
}

test.skipIf(unseen)(
  'portal: languages change in the middle and keep what was entered',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, close } = await openPage(at.url, { ...PHONE, javaScriptEnabled: false })
    await page.goto(`${at.url}/ja/q/${TOKEN}`)
    await page.click('text=はじめる')
    await page.click('text=English')
    await page.waitForURL(/\/en\/number/)
    await page.check('input[value=guardian]')
    await page.click('text=Next')
    await page.waitForURL(/\/en\/check/)
    await page.click('text=やさしい日本語')
    await page.waitForURL(/\/easy\/check/)
    await photograph(page, 'portal-language-changed')
    expect(await close()).toEqual([])
  },
)

test.skipIf(unseen)(
  'portal: forced colours, and 320 px with text at twice its size',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page } = phone
    await page.goto(`${at.url}/ja/number`)
    await page.emulateMedia({ forcedColors: 'active' })
    await look(page, 'portal-forced-colours')
    await page.emulateMedia({ forcedColors: 'none' })
    // A phone of 320 px with doubled text shows as much as one of 160 px.
    await page.setViewportSize({ width: 180, height: 640 })
    await photograph(page, 'portal-large-text')
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true)
    await page.setViewportSize(PHONE.viewport)
    expect(phone.faults).toEqual([])
  },
)

/** The portal, what came with each request, and in place of its own policy on referrers perhaps another. */
async function watched(policy: string | null) {
  const seen: { method: string; origin: string | null; referer: string | null }[] = []
  const app = pages()
  const at = await serve({
    async fetch(request, env) {
      const { headers, method } = request
      seen.push({ method, origin: headers.get('origin'), referer: headers.get('referer') })
      const answer = await app.fetch(request, env as never)
      if (policy !== null) answer.headers.set('referrer-policy', policy)
      return answer
    },
  })
  return { ...at, seen }
}

test.skipIf(unseen)(
  'ASVS 3.4.5 our addresses reach no other site; under no-referrer our own forms come as of nobody, and are refused',
  { timeout: LOOK_MS_MAX },
  async () => {
    const [ours, silent, stranger] = [await watched(null), await watched('no-referrer'), await watched(null)]
    const titles = []
    for (const { url } of [ours, silent]) {
      const { page, close } = await openPage(url, PHONE)
      await page.goto(`${url}/ja/q/${TOKEN}`)
      await go(page, () => page.click('main button'))
      titles.push(await page.title())
      await close()
    }
    const posted = [ours, silent].map(({ seen }) => seen.find((one) => one.method === 'POST')?.origin)
    expect(posted).toEqual([ours.url, 'null'])
    expect(titles).toEqual([LANGUAGES.ja.numberTitle, LANGUAGES.ja.notFoundTitle])
    const { page, close } = await openPage(ours.url, PHONE)
    await page.goto(`${ours.url}/ja/q/${TOKEN}`)
    await page.evaluate(`location.href = '${stranger.url}/ja'`)
    await page.waitForURL(`${stranger.url}/ja`)
    expect(stranger.seen[0]).toEqual({ method: 'GET', origin: null, referer: null })
    await close()
    await Promise.all([ours, silent, stranger].map((one) => one.close()))
  },
)
