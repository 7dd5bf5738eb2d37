import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Env as HonoEnv, Hono } from 'hono'

export interface Asset {
  /** Names the content's hash, so that it may be cached for good. */
  path: string
  type: string
  body: string
}

function asset(name: string, type: string): Asset {
  const body = readFileSync(new URL(name, import.meta.url), 'utf8')
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  const dot = name.lastIndexOf('.')
  return { path: `/assets/${name.slice(0, dot)}.${hash}${name.slice(dot)}`, type, body }
}

export const BASE_CSS = asset('base.css', 'text/css; charset=utf-8')
export const PRINT_CSS = asset('print.css', 'text/css; charset=utf-8')
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
