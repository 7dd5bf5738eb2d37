import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { WebSocket } from 'ws'
import { CONTROL_BYTES_MAX } from '@kakehashi/protocol/limits'
import type { Wire, WireAnswer, WireRequest } from './wire-shape.ts'

const REQUEST_MS_MAX = 60_000
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

export class PlainHttpRefused extends Error {
  override name = 'PlainHttpRefused'
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** The gateway's address; plain HTTP only to this machine itself. */
export function gatewayUrl(text: string): URL {
  const url = new URL(text)
  if (url.protocol === 'https:') return url
  if (url.protocol === 'http:' && LOOPBACK.has(url.hostname)) return url
  throw new PlainHttpRefused('the gateway must be reached over https')
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    size += (chunk as Buffer).length
    if (size > ANSWER_BYTES_MAX) throw new Error('the answer is too large')
    chunks.push(chunk as Buffer)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

interface Line {
  base: URL
  ca: string | undefined
  agent: HttpsAgent | undefined
}

function requestOver({ base, agent }: Line): Wire['request'] {
  const send = agent ? httpsRequest : httpRequest
  return (asked: WireRequest) =>
    new Promise<WireAnswer>((resolve, reject) => {
      const outgoing = send(
        new URL(asked.path, base),
        {
          method: asked.method,
          headers: { ...asked.headers, 'content-length': asked.body.length },
          signal: AbortSignal.timeout(REQUEST_MS_MAX),
          ...(agent ? { agent } : {}),
        },
        (response) => {
          readAll(response).then((body) => resolve({ status: response.statusCode ?? 500, body }), reject)
        },
      )
      outgoing.on('error', reject)
      outgoing.end(asked.body)
    })
}

function connectOver({ base, ca, agent }: Line): Wire['connect'] {
  return ({ path, headers }, events) => {
    const url = new URL(path, base)
    url.protocol = agent ? 'wss:' : 'ws:'
    const socket = new WebSocket(url, {
      headers,
      maxPayload: CONTROL_BYTES_MAX * 2,
      handshakeTimeout: 20_000,
      ...(agent ? { agent } : {}),
      ...(ca === undefined ? {} : { ca }),
    })
    let closed = false
    const close = (): void => {
      if (closed) return
      closed = true
      events.closed()
    }
    socket.on('open', () => events.opened())
    socket.on('message', (data) => events.heard(String(data)))
    socket.on('close', close)
    socket.on('error', () => {
      socket.terminate()
      close()
    })
    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text)
      },
      close: () => {
        closed = true
        socket.terminate()
      },
    }
  }
}

/** The real line: HTTPS requests and a WebSocket, to one gateway, with its certificate checked. */
export function realWire(hub: string, options: { caFile?: string | null } = {}): Wire {
  const base = gatewayUrl(hub)
  const ca = options.caFile ? readFileSync(options.caFile, 'utf8') : undefined
  const agent =
    base.protocol === 'https:'
      ? new HttpsAgent({
          keepAlive: true,
          minVersion: 'TLSv1.2',
          // HTTPS_PROXY and NO_PROXY, as the hospital's network asks for
          proxyEnv: process.env,
          ...(ca === undefined ? {} : { ca }),
        })
      : undefined
  const line = { base, ca, agent }
  return { request: requestOver(line), connect: connectOver(line) }
}
