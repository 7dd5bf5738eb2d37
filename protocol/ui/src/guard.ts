import { timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'

/**
 * Headers of every page. Referrers stay at home, but as `same-origin`: under `no-referrer` browsers send
 * `Origin: null` with our own forms, and the check below would have nothing to check.
 */
export function pageHeaders(options: { script: boolean; https: boolean }): MiddlewareHandler {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    ...(options.script ? ["script-src 'self'"] : []),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return async (c, next) => {
    await next()
    const set = (name: string, value: string) => c.res.headers.set(name, value)
    set('content-security-policy', policy)
    set('x-content-type-options', 'nosniff')
    set('referrer-policy', 'same-origin')
    set('cross-origin-opener-policy', 'same-origin')
    set('cross-origin-resource-policy', 'same-origin')
    set('permissions-policy', 'camera=(), geolocation=(), microphone=()')
    if (options.https) set('strict-transport-security', 'max-age=63072000')
    if (!c.res.headers.has('cache-control')) set('cache-control', 'no-store')
  }
}

/** Whether a form came from a page of this same host. Old browsers tell no origin: `absent` decides for them. */
export function fromOwnPage(request: Request, absent: 'refuse' | 'accept'): boolean {
  const site = request.headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin') return false
  const origin = request.headers.get('origin')
  if (origin === null) return absent === 'accept'
  return URL.canParse(origin) && new URL(origin).host === new URL(request.url).host
}

/** A page is a page: not a picture, a script or a frame in somebody else's. Old browsers do not say for what they ask. */
export function asPage(request: Request): boolean {
  const wanted = request.headers.get('sec-fetch-dest')
  return wanted === null || wanted === 'document'
}

/** What our own pages send, and nothing else: no files, no JSON. */
export function isForm(request: Request): boolean {
  const type = request.headers.get('content-type') ?? ''
  return type.split(';')[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded'
}

/** Constant-time comparison of two secrets in text. */
export function sameSecret(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
