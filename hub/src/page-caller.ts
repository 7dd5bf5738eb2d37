import type { Caller } from './call.ts'

/** Pages behind a socket: one web request out of a call, and its answer back. */
export function pageCaller(
  pages: { fetch(request: Request): Response | Promise<Response> },
  options: { https: boolean },
): Caller {
  return async (call) => {
    const host = call.headers['host'] ?? 'pages.invalid'
    const bodiless = call.method === 'GET' || call.method === 'HEAD'
    const request = new Request(`${options.https ? 'https' : 'http'}://${host}${call.path}`, {
      method: call.method,
      headers: call.headers,
      ...(bodiless ? {} : { body: new Uint8Array(call.body) }),
    })
    const response = await pages.fetch(request)
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(await response.arrayBuffer()),
    }
  }
}
