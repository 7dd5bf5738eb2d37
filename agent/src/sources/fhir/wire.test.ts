import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { TEST_CERT, TEST_KEY } from '@kakehashi/protocol/tls.fixture'
import { expect, test } from 'vitest'
import { httpGet, openHttp } from './wire.ts'

const signal = new AbortController().signal
const asked = (url: string, bytesMax = 1000) => ({ url, headers: {}, bytesMax, signal })

async function serving<T>(server: Server, use: (port: number) => Promise<T>): Promise<T> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  try {
    return await use((server.address() as AddressInfo).port)
  } finally {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
}

const plain = (listener: RequestListener) => createServer(listener)

test('a private authority is trusted when named, and only then; our certificate is shown where it is asked for', async () => {
  const server = createSecure(
    { cert: TEST_CERT, key: TEST_KEY, ca: TEST_CERT, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      response.writeHead((request.socket as TLSSocket).authorized ? 200 : 403)
      response.end('{}')
    },
  )
  await serving(server as unknown as Server, async (port) => {
    const url = `https://localhost:${port}/`
    await expect(httpGet()(asked(url))).rejects.toThrow('SOURCE_UNREACHABLE')
    expect((await httpGet({ ca: TEST_CERT })(asked(url))).status).toBe(403)
    const certificate = { cert: TEST_CERT, key: TEST_KEY }
    expect((await httpGet({ ca: TEST_CERT, certificate })(asked(url))).status).toBe(200)
  })
})

test('through a proxy: HTTPS by CONNECT, with nothing of it for the proxy to read', async () => {
  const secure = createSecure({ cert: TEST_CERT, key: TEST_KEY }, (request, response) =>
    response.end(request.headers['authorization']),
  )
  await serving(secure as unknown as Server, async (port) => {
    const asks: string[] = []
    let passed = ''
    const sockets: Socket[] = []
    const proxy = createServer()
    proxy.on('connect', (request, socket: Socket) => {
      asks.push(String(request.url))
      sockets.push(socket)
      const on = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.on('data', (bytes) => void (passed += bytes.toString('latin1')))
        socket.pipe(on).pipe(socket)
      })
      on.on('error', () => socket.destroy())
      socket.on('error', () => on.destroy())
    })
    await serving(proxy, async (at) => {
      const get = httpGet({ ca: TEST_CERT, proxy: `http://127.0.0.1:${at}` })
      const headers = { authorization: 'Bearer geheim' }
      const answer = await get({ ...asked(`https://localhost:${port}/`), headers })
      expect(Buffer.from(answer.body).toString()).toBe('Bearer geheim')
      for (const socket of sockets) socket.destroy()
    })
    expect(asks).toEqual([`localhost:${port}`])
    expect(passed).not.toContain('geheim')
  })
})

test('DATA T24 T35 what is packed is unpacked; an answer that breaks off is no answer; one too long is refused', async () => {
  const text = 'x'.repeat(800)
  const server = plain((request, response) => {
    if (request.url === '/gzip') {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      return response.end(gzipSync(text))
    }
    if (request.url === '/long') return response.end('x'.repeat(1001))
    if (request.url === '/silent') return
    response.writeHead(
      200,
      request.url === '/cut' ? { 'content-length': '800' } : { 'content-encoding': 'gzip' },
    )
    response.write(request.url === '/cut' ? text.slice(0, 400) : gzipSync(text).subarray(0, 20))
    setTimeout(() => response.destroy(), 20)
  })
  await serving(server, async (port) => {
    const get = httpGet({ timeoutMs: 200 })
    const at = (path: string) => get(asked(`http://127.0.0.1:${port}/${path}`))
    expect(Buffer.from((await at('gzip')).body).toString()).toBe(text)
    for (const path of ['cut', 'packed-cut', 'silent'])
      await expect(at(path)).rejects.toThrow('SOURCE_UNREACHABLE')
    await expect(at('long')).rejects.toThrow('answer too large')
  })
})

test('what was asked for no more is left at once, and a redirect is not followed', async () => {
  let hits = 0
  const server = plain((request, response) => {
    hits++
    if (request.url === '/away') {
      response.writeHead(302, { location: '/else' })
      return response.end()
    }
    response.write('x')
  })
  await serving(server, async (port) => {
    expect((await httpGet()(asked(`http://127.0.0.1:${port}/away`))).status).toBe(302)
    expect(hits).toBe(1)
    const leaving = new AbortController()
    const answer = await openHttp()({ ...asked(`http://127.0.0.1:${port}/`), signal: leaving.signal })
    const reading = (async () => {
      for await (const _ of answer.body) leaving.abort(new Error('left'))
    })()
    await expect(reading).rejects.toThrow('left')
  })
})
