import type { Hono } from 'hono'
import { listen, type Listening, type Place } from '../wire.ts'
import type { Portal } from './portal.ts'

/** Pages for patients and the vault's door on one port; `/v1/` is never a page. */
export function servePortal(portal: Portal, pages: Hono, place: Place): Promise<Listening> {
  return listen(place, (call) => portal.handle(call), pages)
}
