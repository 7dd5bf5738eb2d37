import { hospital, PIN, type Somebody } from '@kakehashi/agent/counter/world.fixture'
import { patientStateOf } from '@kakehashi/agent/register/read'
import { openSlips } from '@kakehashi/agent/register/slip'
import { facilityId, patientKey } from '@kakehashi/protocol/ids'
import { personOf } from '@kakehashi/test/hospital/people'
import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { closeBrowser, go, LOOK_MS_MAX, unseen } from './gallery.ts'
import { takeSeat } from './seat.ts'

afterAll(closeBrowser)

const NOTICES = 100
const STOPS = 5
const KEYS_MAX = 3

const queue: Somebody[] = Array.from({ length: NOTICES }, (_, n) => {
  const { family, given, sex, birthDate } = personOf('queue', String(n), '2026-11-25')
  return {
    number: String(30_000_001 + n),
    kana: `${family.kana} ${given.kana}`,
    kanji: `${family.kanji} ${given.kanji}`,
    birthDate,
    sex,
  }
})

/** Hands that count: what a scanner types costs nothing, every key of the clerk's costs one. */
class Hands {
  keys = 0
  readonly #page: Page
  constructor(page: Page) {
    this.#page = page
  }

  /** A card under the scanner, where nothing has the focus: as when a page has just come, or somebody clicked beside. */
  async scanUnfocused(code: string): Promise<void> {
    await this.#page.evaluate('document.activeElement.blur()')
    await this.scan(code)
  }

  /** A card under the scanner: its number and the end sign. */
  scan(code: string): Promise<void> {
    return go(this.#page, async () => {
      await this.#page.keyboard.type(code)
      await this.#page.keyboard.press('Enter')
    })
  }

  async press(key: string): Promise<void> {
    this.keys += 1
    await this.#page.keyboard.press(key)
  }

  async pressAndGo(key: string): Promise<void> {
    await go(this.#page, () => this.press(key))
  }
}

async function atTheDesk() {
  const place = await hospital({}, queue)
  const seat = await takeSeat(place.app)
  const { page } = seat
  await page.addInitScript('window.print = () => { document.title = "printed" }')
  await page.reload()
  const stateOf = (one: Somebody) =>
    patientStateOf(place.context.store.db, patientKey(facilityId('midori'), one.number))
  return {
    ...place,
    ...seat,
    stateOf,
    hands: new Hands(page),
  }
}

test.skipIf(unseen)(
  `R3 R12 a clerk with nothing but a keyboard and a scanner: ${NOTICES} notices, ${STOPS} stops, every key counted`,
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, hands, stateOf, store, clock, leave } = await atTheDesk()
    await page.keyboard.type('s-01')
    await page.keyboard.press('Tab')
    await page.keyboard.type(PIN)
    await go(page, () => page.keyboard.press('Enter'))

    const perNotice: number[] = []
    for (const one of queue) {
      hands.keys = 0
      await hands.scan(one.number)
      await hands.pressAndGo('F2')
      expect((await stateOf(one)).notices.length).toBeGreaterThan(0)
      await hands.press('F8')
      expect(await page.title()).toBe('printed')
      await hands.pressAndGo('F2')
      perNotice.push(hands.keys)
    }
    expect(Math.max(...perNotice)).toBeLessThanOrEqual(KEYS_MAX)

    const perStop: number[] = []
    const grown = queue.filter((one) => (one.birthDate ?? '9') < '2008')
    for (const one of grown.slice(0, STOPS)) {
      hands.keys = 0
      await hands.scan(one.number)
      await hands.pressAndGo('F4')
      await hands.press('1')
      await hands.press('6')
      await hands.press(perStop.length % 2 === 0 ? '0' : 'h')
      await hands.pressAndGo('F8')
      expect((await stateOf(one)).stops[0]).toMatchObject({ standing: 'confirmed', requester: 'person' })
      expect(await page.locator('h1').textContent()).toBe('停止しました。')
      await hands.pressAndGo('F8')
      await hands.press('F8')
      expect(await openSlips(store.db, clock.now)).toHaveLength(1)
      await hands.pressAndGo('F2')
      expect(await openSlips(store.db, clock.now)).toEqual([])
      perStop.push(hands.keys)
    }
    console.log(
      `keys after the scan: notice ${Math.max(...perNotice)}, stop ${Math.max(...perStop)} with every question answered`,
    )
    expect(Math.max(...perStop)).toBeLessThanOrEqual(8)
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'R12 by keyboard alone: a namesake asked for, a stop by name, the next person by badge',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, hands, leave } = await atTheDesk()
    await page.keyboard.type('s-01')
    await page.keyboard.press('Tab')
    await page.keyboard.type('0000')
    await hands.pressAndGo('Enter')
    expect(await page.title()).toContain('エラー')
    await hands.scan('MIDORI-0001-7Q2X')
    expect(await page.locator('header').textContent()).toContain('佐藤')
    await hands.scan('ナナシノ ゴンベエ')
    await hands.pressAndGo('F4')
    await page.keyboard.type('ナナシノ ゴンベエ')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.type('S30.1.1')
    await hands.pressAndGo('F8')
    expect(await page.locator('h1').textContent()).toBe('確認書')
    await hands.pressAndGo('F2')
    await hands.scan('カトウ')
    expect(await page.locator('ol.rows a').count()).toBeGreaterThan(1)
    await hands.scan('30000007')
    expect(await page.locator('.card').textContent()).toContain('30000007')
    await page.goto(new URL('/', page.url()).href)
    await hands.scanUnfocused('MIDORI-0004-1M8C')
    expect(await page.locator('header').textContent()).toContain('中村')
    await hands.pressAndGo('F9')
    expect(await page.locator('h1').textContent()).toBe('受付をはじめる')
    await hands.scanUnfocused('MIDORI-0001-7Q2X')
    expect(await page.locator('header').textContent()).toContain('佐藤')
    expect(await leave()).toEqual([])
  },
)
