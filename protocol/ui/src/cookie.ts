import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'

/** Browsers keep cookies per host, not per port: two apps on one machine must not take each other's. */
function cookieName(c: Context, https: boolean): string {
  const { port } = new URL(c.req.url)
  const name = port === '' ? 'kakehashi' : `kakehashi-${port}`
  return https ? `__Host-${name}` : name
}

export function sessionCookie(c: Context, https: boolean): string | undefined {
  return getCookie(c, cookieName(c, https))
}

/** Opaque, for this host only, never readable by script; `null` takes it back. */
export function giveSessionCookie(c: Context, https: boolean, id: string | null): void {
  setCookie(c, cookieName(c, https), id ?? '', {
    path: '/',
    httpOnly: true,
    sameSite: 'Strict',
    secure: https,
    ...(id === null ? { maxAge: 0 } : {}),
  })
}
