import { built, operatorRoom, PASSPHRASE } from '@kakehashi/hub/console/world.fixture'
import { afterAll, expect, test } from 'vitest'
import { shotPath } from './browser.ts'
import { closeBrowser, go, look, LOOK_MS_MAX, openPage, unseen } from './gallery.ts'
import { serve } from './serve.ts'

afterAll(closeBrowser)

async function room(account: string) {
  const { app, parts, release } = await operatorRoom()
  const at = await serve(app)
  const { page, close } = await openPage(at.url, { viewport: { width: 1280, height: 800 } })
  const signIn = async (passphrase: string) => {
    await page.fill('#account', account)
    await page.fill('#passphrase', passphrase)
    await go(page, () => page.keyboard.press('Enter'))
  }
  await page.goto(at.url)
  return {
    page,
    at,
    path: `${at.url}/releases/${release}`,
    build: () => built(parts, release),
    signIn,
    async leave() {
      const faults = await close()
      await at.close()
      return faults
    },
  }
}

test.skipIf(unseen)(
  'console: a reviewer signs in, reads the risk report and votes',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, path, build, signIn, leave } = await room('one')
    await look(page, 'console-1-sign-in')
    await signIn('wrong')
    await look(page, 'console-1-sign-in-error')
    await signIn(PASSPHRASE)
    await look(page, 'console-2-home')
    await page.goto(`${at.url}/releases`)
    await look(page, 'console-3-releases')
    await page.goto(path)
    await look(page, 'console-4-release')
    await go(page, () => page.click('main form button'))
    await look(page, 'console-4-release-error')
    await page.check('input[name=conflict][value=no]')
    await page.check('input[value=approve]')
    await page.fill('#passphrase', PASSPHRASE)
    await go(page, () => page.click('main form button'))
    await look(page, 'console-5-voted')
    await build()
    await page.goto(path)
    await look(page, 'console-5-risk-report')
    await page.emulateMedia({ media: 'print' })
    await page.screenshot({ path: shotPath('console-5-risk-report-print'), fullPage: true })
    await page.emulateMedia({ media: 'screen' })
    await page.goto(`${at.url}/erasures`)
    await look(page, 'console-6-not-allowed')
    expect(await leave()).toEqual([])
  },
)

test.skipIf(unseen)(
  'console: the privacy officer sees erasures, certificate, linkage and agents',
  { timeout: LOOK_MS_MAX },
  async () => {
    const { page, at, signIn, leave } = await room('privacy')
    await signIn(PASSPHRASE)
    for (const [path, name] of [
      ['/', '2-home-privacy'],
      ['/erasures', '7-erasures'],
      ['/erasures/e-0', '8-certificate'],
      ['/linkage', '9-linkage'],
      ['/agents', '10-agents'],
    ] as const) {
      await page.goto(`${at.url}${path}`)
      await look(page, `console-${name}`)
    }
    expect(await leave()).toEqual([])
  },
)
