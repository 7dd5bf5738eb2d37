import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { TEST_CERT, TEST_KEY } from '@kakehashi/protocol/tls.fixture'
import { gatewayUrl, PlainHttpRefused, realWire } from './wire.ts'

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

test('plain HTTP goes to this machine only', () => {
  expect(() => gatewayUrl('http://gateway.example.jp')).toThrow(PlainHttpRefused)
  expect(() => gatewayUrl('ftp://localhost')).toThrow(PlainHttpRefused)
  expect(gatewayUrl('http://127.0.0.1:7443').port).toBe('7443')
  expect(gatewayUrl('https://gateway.example.jp').protocol).toBe('https:')
})

test('requests carry method, headers and body; the answer comes back whole; a dead line rejects', async () => {
  const server = createHttp((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      response.writeHead(409)
      response.end(
        `${request.method} ${request.url} ${request.headers['kakehashi-by']} ${Buffer.concat(chunks)}`,
      )
    })
  })
  const wire = realWire(`http://127.0.0.1:${await listening(server)}`)
  const asked = {
    method: 'PUT',
    path: '/v1/x?offset=0',
    headers: { 'kakehashi-by': 'a1' },
    body: Buffer.from('abc'),
  }
  const answer = await wire.request(asked)
  expect(answer.status).toBe(409)
  expect(Buffer.from(answer.body).toString()).toBe('PUT /v1/x?offset=0 a1 abc')
  await closed(server)
  await expect(wire.request(asked)).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN/) })
})

test('an unknown certificate is refused; with its authority named, requests and the socket work over TLS', async () => {
  const server = createHttps({ cert: TEST_CERT, key: TEST_KEY }, (_request, response) => response.end('{}'))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    socket.send(JSON.stringify({ t: 'hint', by: request.headers['kakehashi-by'] }))
    socket.on('message', (data) => socket.close(1000, String(data)))
  })
  const hub = `https://localhost:${await listening(server)}`
  const asked = { method: 'GET', path: '/', headers: {}, body: new Uint8Array() }
  await expect(realWire(hub).request(asked)).rejects.toMatchObject({
    code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
  })

  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-wire-'))
  const caFile = join(dir, 'ca.pem')
  writeFileSync(caFile, TEST_CERT)
  const wire = realWire(hub, { caFile })
  expect((await wire.request(asked)).status).toBe(200)
  const told: string[] = []
  await new Promise<void>((resolve) => {
    const socket = wire.connect(
      { path: '/v1/session', headers: { 'kakehashi-by': 'a1' } },
      {
        opened: () => told.push('opened'),
        heard: (text) => {
          told.push(text)
          socket.send('bye')
        },
        closed: () => {
          told.push('closed')
          resolve()
        },
      },
    )
  })
  expect(told).toEqual(['opened', '{"t":"hint","by":"a1"}', 'closed'])
  sockets.close()
  await closed(server)
  rmSync(dir, { recursive: true })
})

test('a socket that cannot be opened says closed, once', async () => {
  const server = createHttp((_request, response) => response.writeHead(401).end())
  const port = await listening(server)
  const wire = realWire(`http://127.0.0.1:${port}`)
  let closes = 0
  await new Promise<void>((resolve) => {
    wire.connect(
      { path: '/v1/session', headers: {} },
      {
        opened: () => {},
        heard: () => {},
        closed: () => {
          closes += 1
          setTimeout(resolve, 50)
        },
      },
    )
  })
  expect(closes).toBe(1)
  await closed(server)
})
