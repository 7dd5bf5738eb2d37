import { afterEach, expect, test } from 'vitest'
import { readJson } from '../call.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { patientState } from '../hospital.fixture.ts'

let hub: HubWorld
afterEach(() => hub.close())

interface Page {
  messages: { message: string }[]
  next: number
}

test('T25 a message that comes after others were applied and forgotten is never behind the reader’s place', async () => {
  hub = await hubWorld()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  let after = 0
  const read = async (): Promise<Page> => {
    const page = readJson(await hand.call('GET', `/v1/control?after=${after}`)) as Page
    after = page.next
    return page
  }
  const apply = async ({ messages }: Page): Promise<void> => {
    const body = JSON.stringify({ messages: messages.map((one) => one.message) })
    await hand.call('POST', '/v1/control/acks', new TextEncoder().encode(body))
    await hub.vault.round()
  }
  for (const chart of ['0001', '0002', '0003']) {
    await hand.send(hand.content(patientState(hand.facility, chart)))
    await hub.vault.round()
    const page = await read()
    expect(page.messages.length).toBeGreaterThan(0)
    await apply(page)
  }
})

test('what was acknowledged meanwhile is not offered again, even when the line breaks before the end of the round', async () => {
  hub = await hubWorld()
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  await hub.vault.round()
  const { messages } = readJson(await hand.call('GET', '/v1/control?after=0')) as Page
  const body = JSON.stringify({ messages: messages.map((one) => one.message) })
  await hand.call('POST', '/v1/control/acks', new TextEncoder().encode(body))
  const before = await pushes()
  hub.env.pass(31 * 60_000)
  await hub.vault.round()
  expect(messages.length).toBeGreaterThan(0)
  expect(await pushes()).toEqual(before)

  function pushes() {
    return hub.ops.db
      .selectFrom('outbox')
      .select(['message', 'pushed_at'])
      .where(
        'message',
        'in',
        messages.map((one) => one.message),
      )
      .orderBy('message')
      .execute()
  }
})
