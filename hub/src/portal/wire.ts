import type { IncomingMessage } from 'node:http'
import type { Context, Hono } from 'hono'
import { listen, type Listening, type Place } from '../wire.ts'
import { addressOf } from './budget.ts'
import type { Portal } from './portal.ts'

/** Pages for patients and the vault's door on one port; `/v1/` is never a page. */
export function servePortal(portal: Portal, pages: Hono, place: Place): Promise<Listening> {
  return listen(place, (call) => portal.handle(call), pages)
}

export function callerOf(c: Context, proxies: readonly string[]): string {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage }
  return addressOf(incoming?.socket.remoteAddress, c.req.header('x-forwarded-for'), proxies)
}
