import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import type { StopOrdered } from '@kakehashi/protocol/messages'
import { silentLog } from '@kakehashi/protocol/log'
import { afterEach, expect, test } from 'vitest'
import { readJson } from '../call.ts'
import { patientState, type HospitalHand } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { PORTAL_LIMITS } from '../portal/limits.ts'
import { createPortal, type Portal } from '../portal/portal.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

const FLOOD = '203.0.113.5'
/** The operator's own, so small that a flood is short: three at once, four more in their turn. */
const SMALL = {
  ...PORTAL_LIMITS[0]!,
  ...{ from: '2026-04-02' as const, tokens: { about: 2, prefix: 3, all: 5 }, tokensBehind: { prefix: 4 } },
}

async function world() {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await hub.vault.round()
  const { box, signing } = hub.parts.keys
  const vault = { box: box.public, signing: signing.public }
  const portal = createPortal({
    ...{ env: hub.env, store: hub.portalStore, vault, log: silentLog },
    ...{ limits: [SMALL], proxies: ['10.0.0.2'] },
  })
  const flood = async (times: number) => {
    const answers = []
    for (let at = 0; at < times; at += 1) answers.push(await ask(portal, newStopToken(hub.env), FLOOD))
    return answers
  }
  return { hub, hand, portal, flood }
}

async function ask(portal: Portal, token: string, peer: string, headers: Record<string, string> = {}) {
  const body = new TextEncoder().encode(JSON.stringify({ token }))
  const answer = await portal.handle({ method: 'POST', path: '/v1/stops', headers, body, peer })
  return { status: answer.status, headers: answer.headers, said: readJson(answer) as { receipt?: string } }
}

const ordered = async (hand: HospitalHand) =>
  (await hand.mail()).filter((one): one is StopOrdered => one.type === 'stop-ordered')

test('ASVS 2.4.1 6.3.8 made-up tokens: counted by network; beyond the budget the same answer, beyond both none', async () => {
  const { hub, flood } = await world()
  const answers = await flood(9)
  const shape = ({ status, headers, said }: (typeof answers)[number]) =>
    JSON.stringify([status, headers, Object.keys(said), said.receipt?.length])
  expect(answers[0]?.status).toBe(200)
  expect(new Set(answers.slice(0, 7).map(shape)).size).toBe(1)
  expect(answers.slice(7).map(({ status, said }) => [status, said.receipt])).toEqual([
    [429, undefined],
    [429, undefined],
  ])
  // nothing of the refused is kept, and each of the taken is one sealed box of one length
  const boxes = await hub.portalStore.db.selectFrom('portal_request').select('box').execute()
  expect(boxes).toHaveLength(7)
  expect(new Set(boxes.map(({ box }) => box.length)).size).toBe(1)
  hub.env.pass(60 * 60_000)
  expect((await flood(1))[0]?.status).toBe(200)
})

test('ASVS 2.4.1 SECURITY 13 a flood keeps no patient out: from another network the stop is taken and told at once', async () => {
  const { hub, hand, portal, flood } = await world()
  await flood(9)
  const own = newStopToken(hub.env)
  // beyond what one paper, and then what all together are allowed, it is still taken: nobody uses up another's token
  for (let at = 0; at < 12; at += 1) expect((await ask(portal, own, `192.0.${at}.1`)).status).toBe(200)
  await hub.vault.round()
  const handles = (await ordered(hand)).map((one) => one.handle)
  expect(handles.filter((one) => one === handleOf(own))).toHaveLength(2)
  expect(handles).toHaveLength(5)
})

test('S2 R16 a patient whom the vault knows is stopped at once, however many were made up in the same network', async () => {
  const { hub, hand, portal, flood } = await world()
  const token = newStopToken(hub.env)
  const chart = patientState(hand.facility, '0001', { handles: [handleOf(token)] })
  await hand.send(hand.content(chart))
  await hub.vault.round()
  await flood(5)
  expect((await ask(portal, token, FLOOD)).status).toBe(200)
  await hub.vault.round()
  const charts = await hub.ops.db.selectFrom('stop_chart').select('patient').execute()
  expect(charts).toEqual([{ patient: chart.patient }])
  expect((await ordered(hand)).flatMap((one) => one.patients)).toEqual([chart.patient])
})

test('S2 R16 one whom it does not know holds at the second gate at once, and is told to the hospitals in its turn', async () => {
  const { hub, hand, portal, flood } = await world()
  await flood(5)
  const token = newStopToken(hub.env)
  await ask(portal, token, FLOOD)
  await hub.vault.round()
  const orders = await ordered(hand)
  expect(orders).toHaveLength(3)
  await hand.acknowledge(orders.map((one) => one.message))
  const chart = patientState(hand.facility, '0001', { handles: [handleOf(token)] })
  const sent = await hand.send(hand.content(chart))
  await hub.vault.round()
  expect((await hand.receiptOf(sent.header.batch))?.refusals).toMatchObject([{ code: 'STOPPED' }])
  hub.env.pass(61_000)
  await hub.vault.round()
  expect((await ordered(hand)).map((one) => one.handle)).toContain(handleOf(token))
})

test('ASVS 4.1.3 2.4.1 what a header claims of an address counts from nobody but a proxy of the configuration', async () => {
  const { hub, portal } = await world()
  const from = async (peer: string) => {
    const statuses = []
    for (let at = 0; at < 9; at += 1) {
      const headers = { 'x-forwarded-for': `198.51.${at}.1` }
      statuses.push((await ask(portal, newStopToken(hub.env), peer, headers)).status)
    }
    return statuses.filter((one) => one === 429).length
  }
  expect(await from(FLOOD)).toBe(2)
  expect(await from('10.0.0.2')).toBe(0)
})
