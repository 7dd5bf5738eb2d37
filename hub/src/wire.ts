import { readFileSync } from 'node:fs'
import {
  Agent as HttpAgent,
  createServer as createHttp,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { Agent as HttpsAgent, createServer as createHttps, request as httpsRequest } from 'node:https'
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
  fetch(request: Request, env?: unknown): Response | Promise<Response>
}

/**
 * The network in front of a handler: bounded bodies and times. Pages, if any, get everything outside `/v1/`, and let in
 * the old telephones that speak no TLS 1.3.
 */
export async function listen(place: Place, handle: Caller, pages?: Pages): Promise<Listening> {
  const page = pages
    ? getRequestListener(async (request, env) => pages.fetch(request, env), { overrideGlobalObjects: false })
    : null
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (page && !request.url?.startsWith('/v1/')) void page(request, response)
    else void serve(request, response, handle)
  }
  const server: Server = place.tls
    ? createHttps(
        { cert: place.tls.cert, key: place.tls.key, minVersion: pages ? 'TLSv1.2' : 'TLSv1.3' },
        answer,
      )
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
  const { method = 'GET', url: path = '/', socket } = request
  const call: Call = { method, path, headers: headersOf(request), body }
  return socket.remoteAddress === undefined ? call : { ...call, peer: socket.remoteAddress }
}

function headersOf(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers))
    if (typeof value === 'string') headers[name] = value
  return headers
}

async function readBody(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<Uint8Array | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > bytesMax) return null
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function write(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length })
  response.end(answer.body)
}

const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** A caller over the network; throws when nobody answers. `ca`: PEM of a certificate authority of one's own. */
export function remote(base: string, timeoutMs = 60_000, ca?: string): Caller {
  const tls = new URL(base).protocol === 'https:'
  const agent = tls
    ? new HttpsAgent({ keepAlive: true, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent({ keepAlive: true })
  const send = tls ? httpsRequest : httpRequest
  return (call) =>
    new Promise((resolve, reject) => {
      const outgoing = send(new URL(call.path, base), {
        agent,
        method: call.method,
        headers: { ...call.headers, 'content-length': call.body.length },
        signal: AbortSignal.timeout(timeoutMs),
      })
      outgoing.on('error', reject)
      outgoing.on('response', (response) => {
        readAnswer(response).then(resolve, reject)
      })
      outgoing.end(call.body)
    })
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const body = await readBody(response, ANSWER_BYTES_MAX)
  if (!body) throw new Error('the answer is too large')
  // its socket may be in another's hands already
  return { status: response.statusCode ?? 500, headers: headersOf(response), body }
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
