import { expect } from 'vitest'
import type { Page } from 'playwright-core'

/** What Tab stops at, in the order of the page: of a group of radios the chosen one, or else the first. */
const STOPS = `
  [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    .filter((element) => !element.disabled && element.checkVisibility({ visibilityProperty: true }))
    .filter((element, _, all) => {
      if (element.type !== 'radio') return true
      const group = all.filter(({ type, name, form }) => type === 'radio' && name === element.name && form === element.form)
      return element === (group.find(({ checked }) => checked) ?? group[0])
    })`

/** Runs inside the page: whether anybody can see that this has the focus. */
const SHOWN = `((element) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(element)
  const box = element.getBoundingClientRect()
  return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && box.width > 0 && box.right > 0
})`

/**
 * Runs inside the page: notes where the focus goes. Tells how often Tab leads to the end of the page, never past it to
 * the browser's own, and how often Shift+Tab leads back: to what lies before the place it began at, or else one step.
 */
const BEGIN = `
  (() => {
    const stops = ${STOPS}
    const start = document.activeElement
    const named = (element) => element?.outerHTML.slice(0, 80) ?? 'nowhere'
    const next = stops.findIndex((stop) => start.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING)
    const forth = next < 0 ? [] : stops.slice(next)
    const last = forth.at(-1) ?? start
    const before = stops.filter((stop) => stop !== last).reverse()
    // what lies before the list of errors is as on the page without them
    const back = next === 0 || start.matches('.error-summary') ? before.slice(0, 1) : before
    const came = []
    const unseen = []
    const note = ({ target }) => {
      came.push(target)
      if (!${SHOWN}(target)) unseen.push('focus not seen: ' + named(target))
    }
    addEventListener('focusin', note)
    globalThis.endOfRound = () => {
      removeEventListener('focusin', note)
      // what was focused at the top and is gone leaves the first Tab where a new page has it
      const top = document.createElement('a')
      top.tabIndex = -1
      if (start === document.body) document.body.prepend(top)
      const place = start === document.body ? top : start
      place.focus({ preventScroll: true })
      top.remove()
      const meant = [...forth, ...back]
      const wrong = meant.findIndex((stop, i) => stop !== came[i])
      const lost = wrong < 0 ? [] : ['instead of ' + named(meant[wrong]) + ' the focus went to ' + named(came[wrong])]
      return [...lost, ...(came.length > meant.length ? ['too many stops'] : []), ...new Set(unseen)]
    }
    return { forth: forth.length, back: back.length }
  })()`

/**
 * Through the page by Tab and back: everything is reached in the order in which it is read, nothing keeps the focus,
 * and what has it can be seen to. The focus is then where it was.
 */
export async function keyboardFaults(page: Page): Promise<string[]> {
  const { forth, back } = (await page.evaluate(BEGIN)) as { forth: number; back: number }
  await holdTab(page, forth)
  await page.keyboard.down('Shift')
  await holdTab(page, back)
  await page.keyboard.up('Shift')
  return (await page.evaluate('endOfRound()')) as string[]
}

/** Held down, and not waited for at every stop: a third of the time. */
async function holdTab(page: Page, stops: number): Promise<void> {
  await Promise.all(Array.from({ length: stops }, () => page.keyboard.down('Tab')))
  await page.keyboard.up('Tab')
}

const TABS_MAX = 60

async function tabUntil(page: Page, arrived: string, told: string): Promise<void> {
  for (let i = 0; i < TABS_MAX; i++) {
    if (await page.evaluate(arrived)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`no way by keyboard to ${told}`)
}

/** Tabs until the element with this text is focused, as somebody without a mouse would. */
export async function tabTo(page: Page, text: string): Promise<void> {
  const here =
    '((e) => e.tabIndex < 0 ? "" : (e.labels?.[0]?.textContent ?? "") + e.textContent)(document.activeElement)'
  await tabUntil(page, `${here}.includes(${JSON.stringify(text)})`, text)
}

const focusIs = (selector: string) => `document.activeElement.matches(${JSON.stringify(selector)})`

async function arrives(page: Page, selector: string): Promise<void> {
  await expect.poll(() => page.evaluate(focusIs(selector)), { interval: 5, timeout: 60_000 }).toBe(true)
}

/** Tabs to what the selector names; from the top of a page by the link that leads past its head. */
export async function reach(page: Page, selector: string): Promise<void> {
  if (await page.evaluate(focusIs('body'))) {
    await page.keyboard.press('Tab')
    await arrives(page, '.skip')
    await page.keyboard.press('Enter')
    await arrives(page, '#main')
  }
  await tabUntil(page, focusIs(selector), selector)
}

/** Written over what was there, all at once as an input method hands it over. */
export async function write(page: Page, selector: string, text: string): Promise<void> {
  await reach(page, selector)
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.insertText(text)
}

/** Tab leads to the first of its radios; arrows go on from there. */
export async function pick(page: Page, group: string, value: string): Promise<void> {
  await reach(page, `input[type=radio][name=${group}]`)
  await page.keyboard.press('Space')
  const picked = `${focusIs(`[value=${value}]`)} && document.activeElement.checked`
  for (let i = 0; i < TABS_MAX; i++) {
    if (await page.evaluate(picked)) return
    await page.keyboard.press('ArrowDown')
  }
  throw new Error(`no way by keyboard to ${group}=${value}`)
}

/**
 * The list of what is wrong has the focus and is read out; each of its lines names a field that is there, and the first
 * leads to it. Tells which they are.
 */
export async function toFirstError(page: Page): Promise<string[]> {
  await arrives(page, '.error-summary[role=alert]')
  const fields = (await page.evaluate(
    "[...document.activeElement.querySelectorAll('a')].map((link) => document.getElementById(link.hash.slice(1))?.id ?? '')",
  )) as string[]
  expect(fields).not.toContain('')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await arrives(page, `[id="${fields[0]}"]`)
  expect(await page.evaluate(`${SHOWN}(document.activeElement)`)).toBe(true)
  return fields
}
