import { readFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { UPLOAD_PART_BYTES_MAX } from '@kakehashi/protocol/limits'
import { refusalAnswer, type Answer, type Call, type Caller } from './call.ts'

const BODY_BYTES_MAX = UPLOAD_PART_BYTES_MAX + 64 * 1024

export interface Listening {
  server: Server
  url: string
  port: number
  close(): Promise<void>
}

export interface Place {
  host: string
  port: number
  /** PEM texts; without them plain HTTP, for loopback or behind a proxy that ends TLS. */
  tls?: { cert: string; key: string }
}

/** Pages by web standards: Hono applications are these. */
export interface Pages {
  fetch(request: Request): Response | Promise<Response>
}

/** The network in front of a handler: bounded bodies and times. Pages, if any, get everything outside `/v1/`. */
export async function listen(place: Place, handle: Caller, pages?: Pages): Promise<Listening> {
  const page = pages
    ? getRequestListener(async (request) => pages.fetch(request), { overrideGlobalObjects: false })
    : null
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (page && !request.url?.startsWith('/v1/')) void page(request, response)
    else void serve(request, response, handle)
  }
  const server: Server = place.tls
    ? createHttps({ cert: place.tls.cert, key: place.tls.key, minVersion: 'TLSv1.3' }, answer)
    : createHttp(answer)
  server.requestTimeout = 120_000
  server.headersTimeout = 20_000
  server.keepAliveTimeout = 65_000
  server.maxHeadersCount = 64
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(place.port, place.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    server,
    port,
    url: `${place.tls ? 'https' : 'http'}://${place.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, handle: Caller): Promise<void> {
  try {
    const body = await readBody(request)
    write(
      response,
      body ? await handle(callOf(request, body)) : refusalAnswer({ code: 'ENVELOPE_TOO_LARGE' }),
    )
  } catch {
    if (!response.headersSent) response.writeHead(500)
    response.end()
  }
}

export function callOf(request: IncomingMessage, body: Uint8Array): Call {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers))
    if (typeof value === 'string') headers[name] = value
  return { method: request.method ?? 'GET', path: request.url ?? '/', headers, body }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > BODY_BYTES_MAX) return null
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function write(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length })
  response.end(answer.body)
}

/** A caller over the network; throws when nobody answers. */
export function remote(base: string, timeoutMs = 60_000): Caller {
  return async (call) => {
    const response = await fetch(new URL(call.path, base), {
      method: call.method,
      headers: call.headers,
      ...(call.method === 'GET' ? {} : { body: new Uint8Array(call.body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(await response.arrayBuffer()),
    }
  }
}

/** A configured place, its PEM files read. */
export function placeOf(listen: {
  host: string
  port: number
  tls: { cert: string; key: string } | null
}): Place {
  const { host, port, tls } = listen
  if (tls === null) return { host, port }
  return { host, port, tls: { cert: readFileSync(tls.cert, 'utf8'), key: readFileSync(tls.key, 'utf8') } }
}
