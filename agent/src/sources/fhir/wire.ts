import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { pipeline } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { Refused } from '@kakehashi/protocol/refusals'

export interface HttpRequest {
  url: string
  method?: 'GET' | 'POST' | 'DELETE'
  headers: Record<string, string>
  body?: string
  /** Longer answers are refused, not truncated. */
  bytesMax: number
  signal: AbortSignal
}

export interface HttpAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: Uint8Array
}

/** An answer whose body is read as it comes; reading throws {@link Refused} when it ends before its end. */
export interface HttpStream extends Omit<HttpAnswer, 'body'> {
  body: AsyncIterable<Uint8Array>
}

/** The only way a FHIR source reaches the network. Throws {@link Refused} when no whole answer came. */
export type HttpGet = (request: HttpRequest) => Promise<HttpAnswer>
export type HttpOpen = (request: HttpRequest) => Promise<HttpStream>

export interface WireOptions {
  /** Without a byte for so long, the answer is given up. */
  timeoutMs?: number
  /** PEM of a private certificate authority, trusted instead of the public ones. */
  ca?: string
  /** mTLS: our certificate and its key, PEM. */
  certificate?: { cert: string; key: string }
  /** `http://proxy.example:3128` */
  proxy?: string
}

const TIMEOUT_MS = 120_000
const SOCKETS_MAX = 8

/** HTTP by Node's own client. Redirects are not followed: they could carry the token to another host. */
export function openHttp(options: WireOptions = {}): HttpOpen {
  const { timeoutMs = TIMEOUT_MS, ca, certificate, proxy } = options
  const shared = {
    keepAlive: true,
    maxSockets: SOCKETS_MAX,
    ...(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
  }
  const plain = new PlainAgent(shared)
  const secure = new SecureAgent({ ...shared, ...(ca === undefined ? {} : { ca }), ...certificate })
  return ({ url, method = 'GET', headers, body, bytesMax, signal }) =>
    new Promise((resolve, reject) => {
      const to = new URL(url)
      const https = to.protocol === 'https:'
      const agent = https ? secure : plain
      const sent = { 'accept-encoding': 'gzip, br', ...headers }
      const asked = (https ? secureRequest : plainRequest)(to, { method, headers: sent, agent, signal })
      const failed = () => {
        if (signal.aborted) reject(signal.reason)
        else reject(new Refused('SOURCE_UNREACHABLE'))
      }
      asked.setTimeout(timeoutMs, () => asked.destroy(new Error('timeout')))
      asked.on('error', failed)
      asked.on('response', (response) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: headersOf(response),
          body: bodyOf(response, bytesMax, signal),
        }),
      )
      asked.end(body)
    })
}

/** The same, with the whole body in memory. */
export function wholeBy(open: HttpOpen): HttpGet {
  return async (request) => {
    const { status, headers, body } = await open(request)
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return { status, headers, body: Buffer.concat(chunks) }
  }
}

export function httpGet(options: WireOptions = {}): HttpGet {
  return wholeBy(openHttp(options))
}

/** A whole answer as one that is read in pieces: for what has no sockets. */
export function openBy(get: HttpGet): HttpOpen {
  return async (request) => {
    const { status, headers, body } = await get(request)
    return { status, headers, body: once(body) }
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  if (body.length > 0) yield body
}

function headersOf(response: IncomingMessage): Record<string, string> {
  const told: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers))
    if (value !== undefined) told[name] = Array.isArray(value) ? value.join(', ') : value
  return told
}

const DECODERS: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  deflate: createInflate,
}

async function* bodyOf(
  response: IncomingMessage,
  bytesMax: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const decoder = DECODERS[response.headers['content-encoding'] ?? '']?.()
  const body = decoder === undefined ? response : pipeline(response, decoder, () => {})
  let bytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > bytesMax) throw new Refused('SOURCE_ANSWER_BAD', 'answer too large')
      yield chunk
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof Refused ? error : new Refused('SOURCE_UNREACHABLE')
  } finally {
    response.destroy()
  }
}
