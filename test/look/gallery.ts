import { expect } from 'vitest'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { chromium } from '../machine/parts.ts'
import { inspect, launch } from './browser.ts'
import { reach, tabTo } from './keyboard.ts'

/** Where Chromium is missing the pictures are left out, aloud; in CI that is a failure. */
export const unseen = chromium() === null && process.env['CI'] !== 'true'
if (unseen)
  console.warn(
    'left out: pictures, axe and keyboard walks of all pages; no Chromium (apt-get install chromium)',
  )

/** A page that never comes is a fault of the page. */
export const LOOK_MS_MAX = 300_000

let browser: Promise<Browser> | null = null

export interface Opened {
  page: Page
  /** What the pages did that they may not: ask elsewhere, break their own policy, throw. */
  faults: string[]
  /** Tells the faults. */
  close(): Promise<string[]>
}

export async function openPage(origin: string, options: BrowserContextOptions = {}): Promise<Opened> {
  browser ??= launch()
  const context = await (await browser).newContext({ locale: 'ja-JP', ...options })
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) faults.push(`asked elsewhere: ${request.url()}`)
  })
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(error.message))
  return {
    page,
    faults,
    async close() {
      await context.close()
      return faults
    },
  }
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close()
  browser = null
}

/** Holds the page to the rules that a machine can check, and photographs it for the eyes. */
export async function look(page: Page, name: string): Promise<void> {
  const found = await inspect(page, name)
  expect({ name, ...found }).toEqual({ name, axe: [], smallTargets: [], keyboard: [], sideways: 0 })
  expect(await page.title()).not.toBe('')
  expect(await page.locator('h1').count()).toBe(1)
}

/** Waits for the page that `act` leads to: loaded, and the focus where it wants it. */
export async function go(page: Page, act: () => Promise<unknown>): Promise<void> {
  await Promise.all([page.waitForEvent('load'), act()])
  await focused(page)
}

/** Browsers honour `autofocus` with the first frame they draw, which may be after the load. */
async function focused(page: Page): Promise<void> {
  const arrived = 'document.activeElement !== document.body || !document.querySelector("[autofocus]")'
  await expect.poll(() => page.evaluate(arrived), { interval: 5, timeout: LOOK_MS_MAX }).toBe(true)
}

/** Presses what the selector names, reached without a mouse. */
export async function press(page: Page, selector: string): Promise<void> {
  await reach(page, selector)
  await go(page, () => page.keyboard.press('Enter'))
}

/** Presses what has this text. */
export async function follow(page: Page, text: string): Promise<void> {
  await tabTo(page, text)
  await go(page, () => page.keyboard.press('Enter'))
}
