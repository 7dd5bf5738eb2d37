import type { Hono } from 'hono'
import { pageCaller } from '../page-caller.ts'
import { listen, type Listening, type Place } from '../wire.ts'
import type { Portal } from './portal.ts'

/** Pages for patients and the vault's door on one port; `/v1/` is never a page. */
export async function servePortal(portal: Portal, pages: Hono, place: Place): Promise<Listening> {
  const page = pageCaller(pages, { https: place.tls !== undefined })
  return listen(place, (call) => (call.path.startsWith('/v1/') ? portal.handle(call) : page(call)))
}
