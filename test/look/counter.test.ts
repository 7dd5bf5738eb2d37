import { hospital, PIN } from '@kakehashi/agent/counter/world.fixture'
import { afterAll, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { closeBrowser, follow, go, look, LOOK_MS_MAX, press, unseen } from './gallery.ts'
import { pick, reach, tabTo, toFirstError, write } from './keyboard.ts'
import { printed, signIn, takeSeat } from './seat.ts'

afterAll(closeBrowser)

const DOUBLE = {
  number: '99123456',
  kana: 'ヤマダ ハナコ',
  kanji: '山田 花子',
  birthDate: '1948-05-03',
  sex: 'female',
} as const

async function atTheDesk(
  options: { javaScriptEnabled?: boolean } = {},
  others: Parameters<typeof hospital>[1] = [],
) {
  const place = await hospital({}, others)
  return {
    ...place,
    ...(await takeSeat(place.app, options)),
  }
}

async function scan(page: Page, typed: string): Promise<void> {
  await write(page, '#q', typed)
  await go(page, () => page.keyboard.press('Enter'))
}

test.skipIf(unseen)(
  'counter: signing in, searching, and what can go wrong there',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, leave } = await atTheDesk()
    await look(page, 'counter-01-sign-in')
    await write(page, '#staff', 's-01')
    await write(page, '#pin', '0000')
    await go(page, () => page.keyboard.press('Enter'))
    await look(page, 'counter-01-sign-in-error')
    await toFirstError(page)
    await write(page, '#staff', 's-02')
    await go(page, () => page.keyboard.press('Enter'))
    await look(page, 'counter-01-sign-in-pin-next')
    await signIn(page, 's-01', PIN)
    await look(page, 'counter-02-home')
    await scan(page, ' ')
    await look(page, 'counter-02-home-error')
    await toFirstError(page)
    await scan(page, 'ナイ')
    await look(page, 'counter-03-found-none')
    await scan(page, 'やまだ')
    await look(page, 'counter-03-found')
    await go(page, () => page.keyboard.press('1'))
    await look(page, 'counter-04-child')
    for (const language of ['ja-easy', 'en', 'zh-Hans', 'ne']) {
      await page.goto(`${page.url().split('?')[0]}?lang=${language}`)
      await look(page, `counter-04-script-${language}`)
    }
    await go(page, () => page.keyboard.press('F4'))
    await look(page, 'counter-04-child-stop')
    await go(page, () => page.keyboard.press('F8'))
    await look(page, 'counter-04-child-stop-error')
    await toFirstError(page)
    await follow(page, '戻る')
    await scan(page, '123459')
    await look(page, 'counter-04-deceased')
    await scan(page, '123460')
    await look(page, 'counter-04-birth-unknown')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'counter: scan, Enter, F2 records a notice; the paper fits one A4',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, leave } = await atTheDesk()
    await signIn(page, 's-01', PIN)
    await scan(page, '123456')
    await look(page, 'counter-05-patient')
    await go(page, () => page.keyboard.press('F2'))
    await look(page, 'counter-06-paper')
    expect(await printed(page, 'counter-06-paper-print')).toBe(1)
    await go(page, () => page.keyboard.press('F2'))
    expect(page.url()).toBe(`${at.url}/`)
    await look(page, 'counter-07-today')
    await follow(page, 'きょうの記録の一覧')
    await look(page, 'counter-07-today-list')
    await page.goto(at.url)
    await scan(page, '123456')
    await look(page, 'counter-08-notified')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'counter: F4, F8 stops; two slips on one A4; offline; withdrawal',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, state, leave } = await atTheDesk()
    await signIn(page, 's-01', PIN)
    await scan(page, '123456')
    await go(page, () => page.keyboard.press('F4'))
    // the longest paper there is
    await page.keyboard.press('h')
    await look(page, 'counter-10-stop')
    await go(page, () => page.keyboard.press('F8'))
    await look(page, 'counter-11-stopped')
    await go(page, () => page.keyboard.press('F8'))
    await look(page, 'counter-12-slip')
    expect(await printed(page, 'counter-12-slip-print')).toBe(1)
    await page.emulateMedia({ forcedColors: 'active' })
    await look(page, 'counter-12-slip-forced-colours')
    await page.emulateMedia({ forcedColors: 'none' })
    await reach(page, 'summary')
    await page.keyboard.press('Enter')
    await follow(page, '同意された')
    await look(page, 'counter-12-slip-agreed')
    await follow(page, '電子の確認書を出す')
    await look(page, 'counter-12-slip-electronic')
    state.online = false
    await page.goto(`${at.url}/tasks`)
    await look(page, 'counter-13-tasks-offline')
    await page.goto(at.url)
    await scan(page, '123456')
    await look(page, 'counter-14-stopped-patient')
    await follow(page, '停止をやめたい')
    await look(page, 'counter-15-withdraw')
    await press(page, 'main form button')
    await look(page, 'counter-15-withdraw-error')
    await toFirstError(page)
    await page.goto(`${at.url}/nowhere`)
    await look(page, 'counter-16-not-found')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'counter: a second chart of the same person, more found than fit, faulty answers',
  { timeout: LOOK_MS_MAX },
  async () => {
    const many = Array.from({ length: 10 }, (_, i) => ({ ...DOUBLE, number: `9912345${i}` }))
    const { page, leave } = await atTheDesk({}, many)
    await signIn(page, 's-01', PIN)
    await scan(page, '1948-05-03')
    await look(page, 'counter-20-found-more')
    await scan(page, '123456')
    await go(page, () => page.keyboard.press('F4'))
    await pick(page, 'who', 'guardian')
    await pick(page, 'erasure', 'yes')
    await write(page, '#relation', '長女')
    await go(page, () => page.keyboard.press('F8'))
    await look(page, 'counter-21-alike')
    await press(page, 'main button[value=unsure]')
    await look(page, 'counter-22-held')
    await page.evaluate('for (const field of document.querySelectorAll("[name=csrf]")) field.value = "x"')
    await write(page, '#q', '1')
    await go(page, () => page.keyboard.press('Enter'))
    await look(page, 'counter-23-refused-form')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'counter: by keyboard alone and without a script, a notice and a stop',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, leave } = await atTheDesk({ javaScriptEnabled: false })
    await tabTo(page, '職員番号')
    await page.keyboard.type('s-01')
    await page.keyboard.press('Tab')
    await page.keyboard.type('493158')
    await go(page, () => page.keyboard.press('Enter'))
    await tabTo(page, '患者番号・カナ')
    await page.keyboard.type('123456')
    await go(page, () => page.keyboard.press('Enter'))
    await follow(page, '通知した')
    expect(await page.locator('h1').textContent()).toBe('通知書の印刷')
    expect(await page.locator('text=Ctrl と P').count()).toBe(1)
    await follow(page, '次の方へ')
    await tabTo(page, '患者番号・カナ')
    await page.keyboard.type('123456')
    await go(page, () => page.keyboard.press('Enter'))
    await follow(page, '止めたい')
    await follow(page, '停止を確定する')
    expect(await page.locator('h1').textContent()).toBe('停止しました。')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'counter: stops by name, side by side; namesakes; what each role may not open; a PIN of one’s own',
  { timeout: LOOK_MS_MAX },
  async () => {
    const other = { ...DOUBLE, number: '99120001', kanji: '山田 華子', birthDate: '1950-01-01' }
    const { page, at, leave } = await atTheDesk({}, [other])
    await signIn(page, 's-01', PIN)
    await scan(page, 'ヤマダ ハナコ')
    await look(page, 'counter-30-namesakes')
    await go(page, () => page.keyboard.press('1'))
    await look(page, 'counter-31-ask')
    await go(page, () => page.keyboard.press('Enter'))
    await look(page, 'counter-32-namesake-open')
    await page.goto(`${at.url}/named/new`)
    await look(page, 'counter-33-by-name')
    await go(page, () => page.keyboard.press('F8'))
    await look(page, 'counter-33-by-name-error')
    await toFirstError(page)
    await write(page, '#kana', 'ヤマダ ハナコ')
    await write(page, '#name', '山田 華子')
    await write(page, '#born', 'S25.1.1')
    await write(page, '#contact', '090-0000-0000')
    await go(page, () => page.keyboard.press('F8'))
    await look(page, 'counter-34-by-name-slip')
    await page.goto(`${at.url}/tasks`)
    await look(page, 'counter-35-tasks')
    await page.goto(`${at.url}/named`)
    await look(page, 'counter-36-named')
    await reach(page, 'summary')
    await page.keyboard.press('Enter')
    await pick(page, 'chosen', 'nobody')
    await press(page, 'main form button')
    await look(page, 'counter-36-named-error')
    await toFirstError(page)
    await page.goto(`${at.url}/pin`)
    await look(page, 'counter-37-pin')
    await press(page, 'main form button')
    await look(page, 'counter-37-pin-error')
    await toFirstError(page)
    await page.goto(at.url)
    await go(page, () => page.keyboard.press('F9'))
    await look(page, 'counter-38-signed-out')
    await signIn(page, 's-03', PIN)
    await look(page, 'counter-39-it')
    await page.goto(`${at.url}/tasks`)
    await look(page, 'counter-39-it-refused')
    expect(await leave()).toEqual([])
  },
)
