import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Context } from 'hono'

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
