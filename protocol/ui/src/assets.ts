import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Env as HonoEnv, Hono } from 'hono'

export interface Asset {
  /** Names the content's hash, so that it may be cached for good. */
  path: string
  type: string
  body: string
}

/** One asset of one or several files, in this order. */
function asset(name: string, type: string, files: readonly string[] = [name]): Asset {
  const body = files.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('')
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  const dot = name.lastIndexOf('.')
  return { path: `/assets/${name.slice(0, dot)}.${hash}${name.slice(dot)}`, type, body }
}

const CSS = 'text/css; charset=utf-8'
const STYLES = ['ground', 'frame', 'form', 'shown', 'paper']

export const BASE_CSS = asset(
  'base.css',
  CSS,
  STYLES.map((name) => `styles/${name}.css`),
)
export const PRINT_CSS = asset('print.css', CSS, ['styles/print.css'])
/** Papers of A4; only pages that show one carry it. */
export const SHEET_CSS = asset('sheet.css', CSS, ['styles/sheet.css'])
export const ENHANCE_JS = asset('enhance.js', 'text/javascript; charset=utf-8')

export function serveAssets<E extends HonoEnv>(app: Hono<E>, assets: readonly Asset[]): void {
  for (const one of assets)
    app.get(one.path, (c) =>
      c.body(one.body, 200, {
        'content-type': one.type,
        'cache-control': 'public, max-age=31536000, immutable',
      }),
    )
}
