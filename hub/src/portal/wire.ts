import type { Hono } from 'hono'
import type { Caller } from '../call.ts'
import { listen, type Listening, type Place } from '../wire.ts'
import type { Portal } from './portal.ts'

/** Pages for patients and the vault's door on one port; `/v1/` is never a page. */
export async function servePortal(portal: Portal, pages: Hono, place: Place): Promise<Listening> {
  const answer: Caller = async (call) => {
    if (call.path.startsWith('/v1/')) return portal.handle(call)
    const url = `${place.tls ? 'https' : 'http'}://${call.headers['host'] ?? 'portal.invalid'}${call.path}`
    const body = call.method === 'GET' || call.method === 'HEAD' ? {} : { body: new Uint8Array(call.body) }
    const response = await pages.fetch(
      new Request(url, { method: call.method, headers: call.headers, ...body }),
    )
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(await response.arrayBuffer()),
    }
  }
  return listen(place, answer)
}
