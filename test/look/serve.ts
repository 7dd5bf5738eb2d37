import { listen, type Listening } from '@kakehashi/hub/wire'

/** Anything that answers web requests, on a free port of this machine. */
export function serve(app: { fetch(request: Request): Response | Promise<Response> }): Promise<Listening> {
  return listen({ host: '127.0.0.1', port: 0 }, async (call) => {
    const host = call.headers['host'] ?? '127.0.0.1'
    const bodiless = call.method === 'GET' || call.method === 'HEAD'
    const response = await app.fetch(
      new Request(`http://${host}${call.path}`, {
        method: call.method,
        headers: call.headers,
        ...(bodiless ? {} : { body: new Uint8Array(call.body) }),
      }),
    )
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(await response.arrayBuffer()),
    }
  })
}
