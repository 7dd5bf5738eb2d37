import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium as engine, type Browser, type Page } from 'playwright-core'
import { chromium } from '../machine/parts.ts'

export async function launch(): Promise<Browser> {
  const executablePath = chromium()
  if (!executablePath) throw new Error('no Chromium')
  return engine.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

const keep = process.env['KAKEHASHI_SHOTS']
export const shotFolder = keep ?? mkdtempSync(join(tmpdir(), 'kakehashi-shots-'))
if (keep) mkdirSync(keep, { recursive: true })

export function shotPath(name: string): string {
  return join(shotFolder, `${name}.png`)
}

export interface Findings {
  axe: string[]
  smallTargets: string[]
  sideways: number
  elsewhere: string[]
  policy: string[]
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

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** All that a machine can say about how the page in front of it looks. */
export async function inspect(page: Page): Promise<Omit<Findings, 'elsewhere' | 'policy'>> {
  const axe = await new AxeBuilder({ page }).setLegacyMode(true).withTags(WCAG).analyze()
  const smallTargets = (await page.evaluate(SMALL_TARGETS)) as string[]
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
  await page.setViewportSize({ width: NARROW_PX, height })
  const sideways = Number(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'))
  await page.setViewportSize({ width, height })
  return {
    axe: axe.violations.map((one) => `${one.id}: ${one.nodes[0]?.html ?? ''}`),
    smallTargets,
    sideways,
  }
}
