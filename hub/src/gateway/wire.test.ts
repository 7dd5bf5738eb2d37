import { once } from 'node:events'
import { sealControl } from '@kakehashi/protocol/control'
import { messageId } from '@kakehashi/protocol/ids'
import { CONTROL_VERSION } from '@kakehashi/protocol/messages'
import { signRequest } from '@kakehashi/protocol/requests'
import { fromBase64, keyIdOf } from '@kakehashi/protocol/signing'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import type { HospitalHand } from '../hospital.fixture.ts'
import { stopByStaff } from '../requests/stop.ts'
import { remote, type Listening } from '../wire.ts'
import type { Frame } from './session.ts'
import { TEST_CERT, TEST_KEY } from '@kakehashi/protocol/tls.fixture'
import { serveGateway } from './wire.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function served(): Promise<{ hub: HubWorld; hand: HospitalHand; listening: Listening }> {
  const hub = await hubWorld()
  closing.push(() => hub.close())
  const hand = await hub.enrol('hospital-a')
  await hub.vault.round()
  const listening = await serveGateway(hub.gateway, { host: '127.0.0.1', port: 0 })
  closing.push(() => listening.close())
  return { hub, hand, listening }
}

/** An agent's session: frames heard so far, and a wait for the next that fits. */
async function session(hub: HubWorld, hand: HospitalHand, listening: Listening) {
  const path = '/v1/session'
  const headers = signRequest(
    { method: 'GET', path, body: new Uint8Array(0) },
    hand.agent,
    hand.signing,
    hub.env,
  )
  const socket = new WebSocket(`ws://127.0.0.1:${listening.port}${path}`, { headers })
  closing.push(() => socket.terminate())
  const heard: Frame[] = []
  socket.on('message', (data) => heard.push(JSON.parse(String(data))))
  await once(socket, 'open')
  return {
    socket,
    send: (frame: unknown) => socket.send(JSON.stringify(frame)),
    async next(fits: (frame: Frame) => boolean): Promise<Frame> {
      for (;;) {
        const at = heard.findIndex(fits)
        if (at >= 0) return heard.splice(0, at + 1).at(-1)!
        await once(socket, 'message')
      }
    },
  }
}

test('a session: greeted with a hint, pings answered, up messages stored and acknowledged, a new order hinted at once', async () => {
  const { hub, hand, listening } = await served()
  const line = await session(hub, hand, listening)
  expect(await line.next((frame) => frame.t === 'hint')).toEqual({ t: 'hint' })
  line.send({ t: 'ping', n: 7 })
  expect(await line.next((frame) => frame.t === 'pong')).toEqual({ t: 'pong', n: 7 })
  const vault = fromBase64(hand.hub.vaultKey)
  const message = messageId(hub.env.id())
  const envelope = sealControl(
    {
      version: CONTROL_VERSION,
      message,
      at: hub.env.now(),
      type: 'heartbeat',
      software: '0.1.0',
      pendingBatches: 3,
      oldestPendingAt: null,
      checkpoint: null,
    },
    { agent: hand.agent, direction: 'up', recipient: { id: keyIdOf(vault), public: vault } },
    hand.signing,
  )
  line.send({ t: 'control', envelope })
  expect(await line.next((frame) => frame.t === 'ack')).toEqual({ t: 'ack', messages: [message] })
  await stopByStaff(hub.parts, {
    patients: ['hospital-a/1' as never],
    handles: [],
    requester: 'person',
    standing: 'confirmed',
    erasureAsked: false,
    by: 'staff',
  })
  await hub.vault.push()
  await line.next((frame) => frame.t === 'hint')
  line.send({ t: 'hint' })
  const down = await line.next((frame) => frame.t === 'control')
  expect(down).toMatchObject({ t: 'control', envelope: { direction: 'down', agent: hand.agent } })
  await hub.vault.round()
  const row = await hub.ops.db.selectFrom('agent').selectAll().executeTakeFirst()
  expect(row).toMatchObject({ software: '0.1.0', pending_batches: 3 })
})

test('a session without a signature is not opened; one that talks nonsense is closed', async () => {
  const { hub, hand, listening } = await served()
  const stranger = new WebSocket(`ws://127.0.0.1:${listening.port}/v1/session`)
  const [error] = (await once(stranger, 'error')) as [Error]
  expect(error.message).toContain('401')
  const line = await session(hub, hand, listening)
  line.socket.send('nonsense')
  const [code] = (await once(line.socket, 'close')) as [number]
  expect(code).toBe(1008)
})

test('over the network the handler answers the same, and a body over the limit is refused', async () => {
  const { hub, hand, listening } = await served()
  const caller = remote(listening.url)
  const path = '/v1/control?after=0'
  const body = new Uint8Array(0)
  const headers = signRequest({ method: 'GET', path, body }, hand.agent, hand.signing, hub.env)
  expect((await caller({ method: 'GET', path, headers, body })).status).toBe(200)
  const big = await caller({
    method: 'POST',
    path: '/v1/control',
    headers: {},
    body: new Uint8Array(2 << 20),
  })
  expect(big.status).toBe(413)
})

test('over TLS with an authority of one’s own; without it the caller does not go on', async () => {
  const hub = await hubWorld()
  closing.push(() => hub.close())
  const tls = { cert: TEST_CERT, key: TEST_KEY }
  const listening = await serveGateway(hub.gateway, { host: '127.0.0.1', port: 0, tls })
  closing.push(() => listening.close())
  const ask = { method: 'GET', path: '/v1/health', headers: {}, body: new Uint8Array(0) }
  expect(listening.url).toMatch(/^https:/)
  expect((await remote(listening.url, 5000, TEST_CERT)(ask)).status).toBe(200)
  await expect(remote(listening.url, 5000)(ask)).rejects.toThrow(/self-signed certificate/)
})
