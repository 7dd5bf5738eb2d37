import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'

function cookieName(https: boolean): string {
  return https ? '__Host-kakehashi' : 'kakehashi'
}

export function sessionCookie(c: Context, https: boolean): string | undefined {
  return getCookie(c, cookieName(https))
}

/** Opaque, for this host only, never readable by script; `null` takes it back. */
export function giveSessionCookie(c: Context, https: boolean, id: string | null): void {
  setCookie(c, cookieName(https), id ?? '', {
    path: '/',
    httpOnly: true,
    sameSite: 'Strict',
    secure: https,
    ...(id === null ? { maxAge: 0 } : {}),
  })
}
