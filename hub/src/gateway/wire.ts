import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { CONTROL_BYTES_MAX, SOCKET_PING_MS, SOCKET_SILENCE_MS_MAX } from '@kakehashi/protocol/limits'
import { WebSocketServer, type WebSocket } from 'ws'
import { callOf, listen, type Listening, type Place } from '../wire.ts'
import type { Gateway } from './gateway.ts'
import { SESSIONS_PER_AGENT_MAX } from './limits.ts'
import { parseFrame, type Frame } from './session.ts'

const NO_BODY = new Uint8Array(0)

/** The gateway on a port: HTTP for everything, and sessions that push what waits. */
export async function serveGateway(gateway: Gateway, place: Place): Promise<Listening> {
  const sessions = new Map<string, Set<WebSocket>>()
  const listening = await listen(place, (call) => gateway.handle(call))
  const sockets = new WebSocketServer({ noServer: true, maxPayload: CONTROL_BYTES_MAX * 3 })
  const tell = (agent: string): void => {
    for (const socket of sessions.get(agent) ?? []) send(socket, { t: 'hint' })
  }
  const stopListening = gateway.listen(tell)

  const open = async (request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> => {
    const agent = await welcome(gateway, request)
    if (agent === null)
      stream.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    else sockets.handleUpgrade(request, stream, head, (socket) => attend(gateway, sessions, agent, socket))
  }
  listening.server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    open(request, stream, head).catch(() => stream.destroy())
  })

  return {
    ...listening,
    async close() {
      stopListening()
      for (const set of sessions.values()) for (const socket of set) socket.terminate()
      sockets.close()
      await listening.close()
    },
  }
}

async function welcome(gateway: Gateway, request: IncomingMessage): Promise<string | null> {
  if (new URL(request.url ?? '/', 'http://gateway.invalid').pathname !== '/v1/session') return null
  const answer = await gateway.greet(callOf(request, NO_BODY))
  return 'agent' in answer ? answer.agent : null
}

function attend(
  gateway: Gateway,
  sessions: Map<string, Set<WebSocket>>,
  agent: string,
  socket: WebSocket,
): void {
  const mine = sessions.get(agent) ?? new Set()
  sessions.set(agent, mine.add(socket))
  for (const extra of [...mine].slice(0, -SESSIONS_PER_AGENT_MAX)) extra.terminate()
  let heard = performance.now()
  let n = 0
  const beat = setInterval(() => {
    if (performance.now() - heard > SOCKET_SILENCE_MS_MAX) socket.terminate()
    else send(socket, { t: 'ping', n: n++ })
  }, SOCKET_PING_MS)
  socket.on('message', (data) => {
    heard = performance.now()
    const frame = parseFrame(String(data))
    if (!frame) return socket.close(1008)
    gateway.frame(agent, frame).then(
      (answers) => answers.forEach((answer) => send(socket, answer)),
      () => socket.close(1008),
    )
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    clearInterval(beat)
    mine.delete(socket)
    if (mine.size === 0) sessions.delete(agent)
  })
  send(socket, { t: 'hint' })
}

function send(socket: WebSocket, frame: Frame): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame))
}
