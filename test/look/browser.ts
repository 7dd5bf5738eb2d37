import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium as engine, type Browser, type Page } from 'playwright-core'
import { chromium } from '../machine/parts.ts'
import { keyboardFaults } from './keyboard.ts'

export async function launch(): Promise<Browser> {
  const executablePath = chromium()
  if (!executablePath) throw new Error('no Chromium')
  return engine.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

export interface Findings {
  axe: string[]
  smallTargets: string[]
  keyboard: string[]
  /** How far a narrow screen would have to be moved to see everything. */
  sideways: number
}

export const NARROW_PX = 320
const TARGET_PX_MIN = 24

/** Runs inside the page. */
const SMALL_TARGETS = `
  [...document.querySelectorAll('a, button, input:not([type=hidden]), summary')]
    .filter((element) => !element.closest('.skip'))
    .map((element) => ({
      element,
      box: (element.matches('[type=radio], [type=checkbox]') ? element.closest('label') : element).getBoundingClientRect(),
    }))
    .filter(({ box }) => box.width > 0 && box.height > 0 && (box.width < ${TARGET_PX_MIN} || box.height < ${TARGET_PX_MIN}))
    .map(({ element }) => element.outerHTML.slice(0, 120))`

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** Runs inside the page. What passes is not spelled out: nobody reads it, and that takes half of the time. */
const VIOLATIONS = `
  axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(WCAG)} }, resultTypes: ['violations'] })
    .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`

/** All that a machine can say about how the page in front of it looks. */
export async function inspect(page: Page, name: string): Promise<Findings> {
  await photograph(page, name)
  await page.evaluate(AXE)
  const axe = (await page.evaluate(VIOLATIONS)) as string[]
  const smallTargets = (await page.evaluate(SMALL_TARGETS)) as string[]
  const keyboard = await keyboardFaults(page)
  const sideways = await narrowed(page, async () => {
    await photograph(page, `${name}-narrow`)
    return Number(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'))
  })
  return { axe, smallTargets, keyboard, sideways }
}

/** On a telephone as narrow as they come. */
async function narrowed<T>(page: Page, act: () => Promise<T>): Promise<T> {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
  if (width <= NARROW_PX) return act()
  await page.setViewportSize({ width: NARROW_PX, height })
  const result = await act()
  await page.setViewportSize({ width, height })
  return result
}

const folder = process.env['KAKEHASHI_SHOTS']
if (folder) mkdirSync(folder, { recursive: true })

/** A picture for people to look at, where `KAKEHASHI_SHOTS` names a folder for it. */
export async function photograph(page: Page, name: string): Promise<void> {
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
