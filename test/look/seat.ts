import type { BrowserContextOptions, Page } from 'playwright-core'
import type { Listening, Pages } from '@kakehashi/hub/wire'
import { photograph } from './browser.ts'
import { go, openPage } from './gallery.ts'
import { write } from './keyboard.ts'
import { serve } from './serve.ts'

const DESK = { viewport: { width: 1280, height: 800 } }
/** A4 at 96 px an inch, without the margins the print stylesheet sets. */
const A4 = { width: 703, height: 1031 }

export interface Seat {
  at: Listening
  page: Page
  /** Tells what the pages did that they may not. */
  leave(): Promise<string[]>
}

/** Pages served, and a browser in front of them. */
export async function takeSeat(pages: Pages, options: BrowserContextOptions = {}): Promise<Seat> {
  const at = await serve(pages)
  const { page, close } = await openPage(at.url, { ...DESK, ...options })
  await page.goto(at.url)
  return {
    at,
    page,
    async leave() {
      const faults = await close()
      await at.close()
      return faults
    },
  }
}

export async function signIn(page: Page, staff: string, pin: string): Promise<void> {
  await write(page, '#staff', staff)
  await write(page, '#pin', pin)
  await go(page, () => page.keyboard.press('Enter'))
}

/** As a printer without colours, or an eye without them, shows it. */
async function inGrey(page: Page, act: () => Promise<unknown>): Promise<void> {
  const seeing = await page.context().newCDPSession(page)
  await seeing.send('Emulation.setEmulatedVisionDeficiency', { type: 'achromatopsia' })
  await act()
  await seeing.send('Emulation.setEmulatedVisionDeficiency', { type: 'none' })
  await seeing.detach()
}

/** Sheets of A4 the page prints on. */
async function sheetsOf(page: Page): Promise<number> {
  const pdf = await page.pdf({ preferCSSPageSize: true })
  return pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0
}

/** Photographed as it comes out of a printer without colours; how many sides it takes. */
export async function printed(page: Page, name: string): Promise<number> {
  const screen = page.viewportSize() ?? DESK.viewport
  await page.emulateMedia({ media: 'print' })
  await page.setViewportSize(A4)
  await inGrey(page, () => photograph(page, name))
  const sheets = await sheetsOf(page)
  await page.setViewportSize(screen)
  await page.emulateMedia({ media: 'screen' })
  return sheets
}
