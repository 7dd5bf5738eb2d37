import { createServer, type Server, type Socket } from 'node:net'
import { acknowledge, Frames, type AckCode, type Frame } from './mllp.ts'

const CONNECTIONS_MAX = 16
const SILENCE_MS_MAX = 10 * 60_000
/** Asked but not yet answered, of one connection: more are not read from it until these are done. */
const WAITING_MAX = 8

export interface MllpAnswer {
  code: AckCode
  said: string
}

export interface Mllp {
  port: number
  close(): Promise<void>
}

interface Listening {
  host: string
  port: number
  answer: (message: Uint8Array) => Promise<MllpAnswer>
  text: (message: Uint8Array) => string
  stamp: () => { stamp: string; id: string }
}

/** Listens for HL7 v2 over MLLP; messages of one connection are answered in their order. */
export async function listenMllp(asked: Listening): Promise<Mllp> {
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    serveOne(socket, asked)
  })
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(asked.port, asked.host, listening)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : asked.port,
    close: () =>
      new Promise((done) => {
        for (const socket of open) socket.destroy()
        server.close(() => done())
      }),
  }
}

function serveOne(socket: Socket, asked: Listening): void {
  const frames = new Frames()
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  const one = async (before: Promise<void>, frame: Frame) => {
    await before
    const answer = await answerTo(frame, asked)
    if (!socket.destroyed) socket.write(answer)
    waiting -= 1
    if (waiting < WAITING_MAX) socket.resume()
  }
  socket.setTimeout(SILENCE_MS_MAX, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    for (const frame of frames.feed(Buffer.from(chunk))) {
      waiting += 1
      if (waiting >= WAITING_MAX) socket.pause()
      last = one(last, frame)
    }
  })
}

async function answerTo(frame: Frame, asked: Listening): Promise<Uint8Array> {
  if (frame.t === 'too-long') return acknowledge('', 'AR', 'TOO_LONG', asked.stamp())
  let answer: MllpAnswer
  try {
    answer = await asked.answer(frame.bytes)
  } catch {
    answer = { code: 'AR', said: 'TROUBLE' }
  }
  return acknowledge(asked.text(frame.bytes), answer.code, answer.said, asked.stamp())
}
