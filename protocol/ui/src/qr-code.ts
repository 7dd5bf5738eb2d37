import { html, raw } from 'hono/html'
import encodeQR from 'qr'
import type { Markup } from './markup.ts'

const QUIET_MODULES = 4

/** QR code as one SVG path, dark modules run by run; no inline style, so it passes a strict CSP. */
export function qrCode(text: string, label: string): Markup {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_MODULES })
  const size = modules.length
  let path = ''
  for (const [y, row] of modules.entries()) {
    for (let x = 0; x < size; x++) {
      if (!row[x]) continue
      const from = x
      while (row[x + 1]) x++
      path += `M${from} ${y}h${x - from + 1}v1H${from}z`
    }
  }
  return html`<svg
    class="qr"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${size} ${size}"
    shape-rendering="crispEdges"
  >
    <rect width="${size}" height="${size}" fill="#fff" />
    <path fill="#000" d="${raw(path)}" />
  </svg>`
}

/** The same for a terminal: two modules in one letter. */
export function qrText(text: string): string {
  return encodeQR(text, 'ascii', { ecc: 'medium', border: 2 })
}
