import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Context, Hono } from 'hono'
import { listen, type Listening, type Place } from '../wire.ts'
import type { Portal } from './portal.ts'

/** Pages for patients and the vault's door on one port; `/v1/` is never a page. */
export function servePortal(portal: Portal, pages: Hono, place: Place): Promise<Listening> {
  return listen(place, (call) => portal.handle(call), pages)
}

/**
 * Whose request it is. What a header claims counts only from a proxy that the configuration names, and of a list of
 * claims only the last, which that proxy wrote itself.
 */
export function addressOf(
  peer: string | undefined,
  forwarded: string | undefined,
  proxies: readonly string[],
): string {
  const near = (peer ?? '').replace(/^::ffff:(?=\d+\.)/, '')
  if (!proxies.includes(near)) return near
  const claims = (forwarded ?? '').split(',').map((one) => one.trim())
  const last = claims.findLast((one) => !proxies.includes(one)) ?? ''
  return isIP(last) === 0 ? near : last
}

export function callerOf(c: Context, proxies: readonly string[]): string {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage }
  return addressOf(incoming?.socket.remoteAddress, c.req.header('x-forwarded-for'), proxies)
}
