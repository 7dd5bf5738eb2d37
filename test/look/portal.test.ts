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
import { closeBrowser, follow, look, LOOK_MS_MAX, openPage, press, unseen, type Opened } from './gallery.ts'
import { pick, toFirstError, write } from './keyboard.ts'
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
    takeQuestion: async ({ text }) => {
      if (text === '8888') throw new Error('out of order')
      return text === '9999' ? null : { receipt: 'ABCDE-FGHJK' }
    },
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

const NEXT = 'main form button'
const STOP = 'form[action$="/stop"] button'

for (const language of Object.keys(LANGUAGES)) {
  test.skipIf(unseen)(
    `portal, ${language}: every page and every error, by keyboard only`,
    { timeout: LOOK_MS_MAX },
    async () => {
      const { page } = phone
      const see = (name: string) => look(page, `portal-${language}-${name}`)
      await page.goto(`${at.url}/${language}/q/${TOKEN}`)
      await see('1-start')
      await press(page, NEXT)
      await see('2-number')
      await press(page, NEXT)
      await see('2-number-error')
      expect(await toFirstError(page)).toEqual(['who'])
      await pick(page, 'who', 'person')
      await press(page, NEXT)
      await see('3-check')
      await press(page, STOP)
      await see('3-check-error')
      expect(await toFirstError(page)).toEqual(['erasure'])
      await pick(page, 'erasure', 'yes')
      await press(page, STOP)
      await see('4-received')
      expect(await printed(page, `portal-${language}-4-print`)).toBe(1)
      await page.goto(`${at.url}/${language}/nowhere`)
      await see('5-not-found')
      expect(phone.faults).toEqual([])
    },
  )
  test.skipIf(unseen)(
    `portal, ${language}: without the paper, every page and every error, by keyboard only`,
    { timeout: LOOK_MS_MAX },
    async () => {
      const { page } = phone
      const see = (name: string) => look(page, `portal-${language}-nopaper-${name}`)
      await page.goto(`${at.url}/${language}/nopaper`)
      await see('1-who')
      await press(page, NEXT)
      await see('1-who-error')
      expect(await toFirstError(page)).toEqual(['hospital', 'number', 'birth', 'who'])
      await pick(page, 'hospital', 'a')
      await write(page, '#number', '9999')
      await write(page, '#birth', '19480503')
      await pick(page, 'who', 'guardian')
      await press(page, NEXT)
      await see('2-check')
      await press(page, STOP)
      expect(await toFirstError(page)).toEqual(['erasure'])
      await pick(page, 'erasure', 'no')
      await press(page, STOP)
      await see('3-too-often')
      await page.goto(`${at.url}/${language}/asked/ABCDE-FGHJK`)
      await see('4-asked')
      expect(phone.faults).toEqual([])
    },
  )
  test.skipIf(unseen)(
    `portal, ${language}: state, question, erasing and the notice, every page and every error, by keyboard only`,
    { timeout: LOOK_MS_MAX },
    async () => {
      const { page } = phone
      const see = (name: string) => look(page, `portal-${language}-more-${name}`)
      const open = (path: string) => page.goto(`${at.url}/${language}/${path}`)
      const askState = async (receipt: string, second: string) => {
        await write(page, '#receipt', receipt)
        await write(page, '#second', second)
        await press(page, NEXT)
      }
      await open('state')
      await see('1-state')
      await press(page, NEXT)
      await see('1-state-error')
      expect(await toFirstError(page)).toEqual(['receipt', 'second'])
      await askState('ABCDE-FGHJK', TOKEN)
      await see('2-state-token')
      await open('state')
      await askState('abcdefghjk', '19480503')
      await see('2-state-number')
      await open('state')
      await askState('22222-22222', '19480503')
      await see('2-state-unknown')
      await open('question')
      await see('3-question')
      await press(page, NEXT)
      await see('3-question-error')
      expect(await toFirstError(page)).toEqual(['text'])
      await write(page, '#text', '9999')
      await press(page, NEXT)
      await see('3-question-too-often')
      await open('question')
      await write(page, '#text', '8888')
      await press(page, NEXT)
      await see('3-question-broken')
      await open('question')
      await write(page, '#text', 'いつ消去されますか')
      await press(page, NEXT)
      await see('4-question-done')
      await open('erase')
      await see('5-erase')
      await press(page, NEXT)
      await see('5-erase-number')
      await press(page, NEXT)
      await see('5-erase-number-error')
      expect(await toFirstError(page)).toEqual(['token', 'who'])
      await write(page, '#token', TOKEN)
      await pick(page, 'who', 'person')
      await press(page, NEXT)
      await see('5-erase-check')
      await open('notice')
      await see('6-notice')
      await press(page, 'main li a')
      await see('6-notice-hospital')
      expect(await printed(page, `portal-${language}-6-notice-print`)).toBeGreaterThan(0)
      await open('notice/b')
      await see('6-notice-none')
      expect(phone.faults).toEqual([])
    },
  )
}

test.skipIf(unseen)(
  'portal: languages change in the middle, by keyboard only, and keep what was entered',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, close } = await openPage(at.url, { ...PHONE, javaScriptEnabled: false })
    await page.goto(`${at.url}/ja/q/${TOKEN}`)
    await follow(page, 'はじめる')
    await follow(page, 'English')
    expect(page.url()).toBe(`${at.url}/en/number`)
    await pick(page, 'who', 'guardian')
    await follow(page, 'Next')
    expect(page.url()).toBe(`${at.url}/en/check`)
    await follow(page, 'やさしい日本語')
    expect(page.url()).toBe(`${at.url}/easy/check`)
    expect(await page.inputValue('[name=who]')).toBe('guardian')
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
      await press(page, NEXT)
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
