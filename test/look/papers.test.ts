import { officeOfMidori, PIN } from '@kakehashi/agent/office/world.fixture'
import { PAPER_WORDS } from '@kakehashi/agent/papers/languages'
import { translateNotice } from '@kakehashi/agent/register/flow'
import { NOTICE_LANGUAGES } from '@kakehashi/protocol/notice-content'
import { Personal } from '@kakehashi/protocol/ids'
import { afterAll, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { closeBrowser, go, look, LOOK_MS_MAX, press, unseen } from './gallery.ts'
import { pick, write } from './keyboard.ts'
import { printed, signIn, takeSeat } from './seat.ts'
import { TRANSLATIONS } from './translations.fixture.ts'

afterAll(closeBrowser)

async function privacyDesk() {
  const place = await officeOfMidori({
    more: {
      addressOf: async () => ({
        postalCode: new Personal('460-0008'),
        lines: [new Personal('愛知県名古屋市中区栄1-2-3'), new Personal('みどりマンション 405号室')],
        name: new Personal('山田 花子'),
      }),
    },
  })
  const about = { track: 'ANON', version: 1, by: 'admin' } as const
  for (const [language, text] of Object.entries(TRANSLATIONS))
    await translateNotice(place.context, { ...about, language: language as 'en', text })
  const seat = await takeSeat(place.app)
  await signIn(seat.page, 's-02', PIN)
  return {
    ...place,
    ...seat,
  }
}

async function print(page: Page, url: string, numbers: string, choices: Record<string, string> = {}) {
  await page.goto(`${url}/papers`)
  await write(page, '#patients', numbers)
  for (const [name, value] of Object.entries(choices)) await pick(page, name, value)
  await press(page, 'form[action$="/print"] button')
}

test.skipIf(unseen)(
  'R3 papers: a list is printed in advance, one side of A4 each; a sheet is scanned, handed over, voided',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, leave } = await privacyDesk()
    await page.goto(`${at.url}/papers`)
    await look(page, 'papers-01-menu')
    await press(page, 'form[action$="/print"] button')
    await look(page, 'papers-01-menu-error')
    await print(
      page,
      at.url,
      '予約時刻,患者番号,氏名\n9:00,1001,x\n9:10,1002,x\n9:20,1004,x\n9:30,999,x\n9:40,1001,x',
    )
    await look(page, 'papers-02-run')
    expect(await page.locator('article.sheet').count()).toBe(2)
    expect(await page.locator('.table tbody tr').count()).toBe(3)
    expect(await printed(page, 'papers-02-run-print')).toBe(2)
    expect(await page.locator('.sheet__bearer').first().textContent()).toBe('山田 花子 様　患者番号 00001001')
    const number = (await page.locator('.sheet__own strong').first().textContent()) ?? ''
    await page.goto(`${at.url}/papers`)
    await write(page, '#paper', number.replaceAll('-', '').toLowerCase())
    await go(page, () => page.keyboard.press('Enter'))
    await look(page, 'papers-03-sheet')
    await go(page, () => page.keyboard.press('F2'))
    expect(page.url()).toBe(`${at.url}/`)
    await page.goto(`${at.url}/papers/sheet/${number}`)
    await look(page, 'papers-04-sheet-handed')
    await page.goto(`${at.url}/papers`)
    await write(page, '#paper', 'P-0000-0000')
    await go(page, () => page.keyboard.press('Enter'))
    await look(page, 'papers-05-sheet-none')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'papers: the notice in every language the hospital published, poster, change letter in its envelope',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, leave } = await privacyDesk()
    for (const language of NOTICE_LANGUAGES) {
      await print(page, at.url, '00001001', { language, repeat: 'yes' })
      expect(await page.locator('article.sheet .receipt').count()).toBe(1)
      expect(await page.locator('article.sheet').getAttribute('lang')).toBe(PAPER_WORDS[language].lang)
      expect(await printed(page, `papers-notice-${language}-print`)).toBe(1)
    }
    await look(page, 'papers-06-notice-ne')
    await page.goto(`${at.url}/papers/poster`)
    await look(page, 'papers-07-poster')
    expect(await printed(page, 'papers-07-poster-print')).toBe(1)
    await page.goto(`${at.url}/papers/filing`)
    await look(page, 'papers-09-filing')
    expect(await printed(page, 'papers-09-filing-print')).toBe(1)
    await print(page, at.url, '1001', { kind: 'letter', repeat: 'yes' })
    await look(page, 'papers-08-letter')
    expect(await printed(page, 'papers-08-letter-print')).toBe(2)
    const to = await page.locator('.sheet__to').textContent()
    expect(to).toContain('山田 花子 様')
    expect(await leave()).toEqual([])
  },
)
