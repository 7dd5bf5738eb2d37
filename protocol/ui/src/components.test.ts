import { decodeQR } from 'qr/decode.js'
import { expect, test } from 'vitest'
import { BASE_CSS, ENHANCE_JS, PRINT_CSS } from './assets.ts'
import { banner } from './banner.ts'
import { button, linkButton } from './button.ts'
import { dayAndTime, dayOf, longDate, longTime, timeOfDay } from './dates.ts'
import { errorSummary } from './error-summary.ts'
import { radios, textField } from './field.ts'
import { frame } from './frame.ts'
import { html, withoutReadings, withReadings } from './markup.ts'
import { qrCode } from './qr-code.ts'
import { safeHref } from './safe-href.ts'
import { slip } from './slip.ts'
import { steps } from './steps.ts'
import { summaryList } from './summary-list.ts'
import { table } from './table.ts'

const NASTY = `"><img src=x onerror=alert(1)>'&`

test('addresses: our own paths, https and telephone numbers pass, everything else becomes #', () => {
  for (const good of ['/', '/patient/aB-_', '#main', 'https://a.example/x?y=1', 'tel:0120-000-000'])
    expect(safeHref(good)).toBe(good)
  for (const bad of [
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    '//evil.example',
    '/\\evil.example',
    'http://plain.example',
    'https://x"onclick=',
    'java\nscript:alert(1)',
    '',
  ])
    expect(safeHref(bad)).toBe('#')
})

test('XSS: every component escapes whatever it is handed', () => {
  const error = { field: 'x', text: NASTY }
  const pages = [
    button({ text: NASTY, name: NASTY, value: NASTY, key: NASTY, accessKey: NASTY }),
    linkButton({ text: NASTY, href: NASTY }),
    textField({ name: NASTY, label: NASTY, hint: NASTY, error: NASTY, value: NASTY }),
    radios({
      name: NASTY,
      label: NASTY,
      error: NASTY,
      choices: [{ value: NASTY, text: NASTY, hint: NASTY }],
    }),
    errorSummary(NASTY, [error]),
    banner({ kind: 'note', label: NASTY, text: NASTY, more: NASTY }),
    summaryList([{ term: NASTY, detail: NASTY }]),
    table({ caption: NASTY, columns: [NASTY], rows: [[NASTY]], none: NASTY }),
    table({ caption: NASTY, columns: [NASTY], rows: [], none: NASTY }),
    steps({ label: NASTY, position: NASTY, names: [NASTY], at: 0 }),
    slip({
      title: NASTY,
      copy: NASTY,
      lead: NASTY,
      rows: [],
      notes: [NASTY],
      from: [NASTY],
      codeText: NASTY,
    }),
    frame({
      lang: NASTY,
      title: NASTY,
      skip: NASTY,
      name: NASTY,
      main: html`${NASTY}`,
      styles: [{ href: NASTY }],
    }),
    withReadings(`{${NASTY}|${NASTY}}`),
    qrCode('x', NASTY),
  ]
  for (const page of pages) {
    const text = String(page)
    expect(text).not.toContain('<img')
    expect(text).not.toMatch(/[^&]"">|='x/)
  }
})

test('readings become ruby, and go away for titles', () => {
  expect(String(withReadings('{病院|びょういん}で'))).toBe('<ruby>病院<rt>びょういん</rt></ruby>で')
  expect(withoutReadings('{病院|びょういん}で{言|い}う')).toBe('病院で言う')
})

test('an error is told above the field and with it, and the summary leads to it', () => {
  const field = String(textField({ name: 'q', label: 'L', hint: 'H', error: 'E' }))
  expect(field).toContain('aria-describedby="q-hint q-error"')
  expect(field).toContain('aria-invalid="true"')
  expect(String(errorSummary('T', [{ field: 'q', text: 'E' }]))).toContain('href="#q"')
  expect(String(errorSummary('T', []))).toBe('')
})

test('a QR code reads back to what went in', () => {
  const said = 'https://stop.kakehashi.example/q/0123456789ABCDEFGHJKMNPQRS'
  const svg = String(qrCode(said, 'x'))
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1])
  const scale = 4
  const data = new Uint8ClampedArray((size * scale) ** 2 * 4).fill(255)
  for (const [, x, y, width] of svg.matchAll(/M(\d+) (\d+)h(\d+)/g))
    for (let dx = 0; dx < Number(width) * scale; dx++)
      for (let dy = 0; dy < scale; dy++) {
        const at = ((Number(y) * scale + dy) * size * scale + Number(x) * scale + dx) * 4
        data.fill(0, at, at + 3)
      }
  expect(decodeQR({ width: size * scale, height: size * scale, data })).toBe(said)
})

test('times are told in Tokyo, whatever the machine thinks', () => {
  const at = Date.parse('2026-03-31T23:30:00Z')
  expect([timeOfDay(at), dayOf(at), dayAndTime(at)]).toEqual(['08:30', '2026-04-01', '2026-04-01 08:30'])
  expect([longDate('2026-04-01'), longTime(at)]).toEqual(['2026年4月1日', '2026年4月1日 8時30分'])
})

test('style sheets and script fetch nothing from anywhere, and their names pin their content', () => {
  for (const asset of [BASE_CSS, PRINT_CSS, ENHANCE_JS]) {
    expect(asset.body).not.toMatch(/url\(|@import|https?:|fetch\(|XMLHttpRequest|import\(|eval/)
    expect(asset.path).toMatch(/^\/assets\/[a-z]+\.[0-9a-f]{12}\.(css|js)$/)
  }
  expect(BASE_CSS.body).toContain('forced-colors')
})
