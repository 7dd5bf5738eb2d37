import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Random } from './random.ts'

export const FAULTS = ['drop', 'delay', 'truncate', 'html', 'busy', 'expire', 'error'] as const
export type Fault = (typeof FAULTS)[number]

export interface FaultProxy {
  url: string
  /** How often each fault happened. */
  happened: Map<Fault, number>
  /** Of all answers; 0: none. */
  share: number
  close(): Promise<void>
}

export interface FaultProxyOptions {
  to: string
  random: Random
  share: number
  /** The clock that `Date` and `Retry-After` are told by. */
  now: () => number
  /** The token just shown is good no more. */
  expire: (token: string) => void
}

/** Between the agent and a hospital's server: everything that networks, proxies and tired servers do to answers. */
export async function faultProxy({ to, random, share, now, expire }: FaultProxyOptions): Promise<FaultProxy> {
  const happened = new Map<Fault, number>()
  const server = createServer((asked, answer) => {
    const fault = random.chance(proxy.share) ? random.pick([...FAULTS]) : null
    if (fault) happened.set(fault, (happened.get(fault) ?? 0) + 1)
    const date = new Date(now()).toUTCString()
    if (fault === 'drop') return asked.socket.destroy()
    if (fault === 'html') return told(answer, 502, { date }, '<html><h1>Bad Gateway</h1></html>')
    if (fault === 'error') return told(answer, 503, { date, 'retry-after': '-3' }, '')
    if (fault === 'busy') {
      const until = now() + random.int(1, 5) * 1000
      const after = random.pick([
        String(until),
        String(Math.floor(until / 1000)),
        new Date(until).toUTCString(),
      ])
      return told(answer, 429, { date, 'retry-after': after }, '<h1>Too many requests</h1>')
    }
    if (fault === 'expire') expire((asked.headers['authorization'] ?? '').replace(/^Bearer /, ''))
    setTimeout(() => void passOn(asked, answer, to, fault === 'truncate', date), fault === 'delay' ? 20 : 0)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`,
    happened,
    share,
    close: () => closed(server),
  }
  return proxy
}

function told(answer: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  answer.writeHead(status, { 'content-type': 'text/html', ...headers })
  answer.end(body)
}

function passOn(
  asked: IncomingMessage,
  answer: ServerResponse,
  to: string,
  cut: boolean,
  date: string,
): void {
  const { method, headers } = asked
  // the server's links lead back to where it was asked, as behind a well-kept proxy
  const on = request(`${to}${asked.url}`, { method, headers }, (from) => {
    const chunks: Buffer[] = []
    from.on('data', (chunk: Buffer) => chunks.push(chunk))
    from.on('end', () => {
      const body = Buffer.concat(chunks)
      const { 'transfer-encoding': _, ...kept } = from.headers
      answer.writeHead(from.statusCode ?? 502, { ...kept, date, 'content-length': String(body.length) })
      if (!cut || body.length < 2) return answer.end(body)
      answer.write(body.subarray(0, Math.floor(body.length / 2)))
      setTimeout(() => answer.destroy(), 5)
    })
  })
  on.on('error', () => answer.destroy())
  asked.pipe(on)
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((done) => server.close(() => done()))
}
