import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { readSaid } from './intake.ts'

const worlds: HubWorld[] = []
async function world(): Promise<HubWorld> {
  const hub = await hubWorld()
  worlds.push(hub)
  return hub
}
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

const ASKED = {
  text: 'いつ消去されますか',
  contact: '090-1234-5678',
  language: 'ja',
  address: '192.0.2.7',
}

test('R45 a question at the portal is a ticket of the desk with a day by which it is answered', async () => {
  const hub = await world()
  const taken = await hub.portal.takeQuestion(ASKED)
  await hub.vault.round()
  const [ticket, ...more] = await hub.ops.db.selectFrom('ticket').selectAll().execute()
  expect(more).toEqual([])
  expect(ticket).toMatchObject({
    kind: 'question',
    channel: 'web',
    due_on: '2026-07-15',
    opened_by: 'portal',
  })
  const said = await readSaid<{ name: string; text: string; contact: string }>(
    hub.identity,
    ticket?.ticket ?? '',
  )
  expect(said).toEqual({
    name: '',
    contact: ASKED.contact,
    text: `受付番号 ${taken?.receipt}（ja）：${ASKED.text}`,
  })
})

test('R45 fetched twice, because the acknowledgement was lost, it is one ticket', async () => {
  const hub = await world()
  await hub.portal.takeQuestion(ASKED)
  const row = await hub.portalStore.db.selectFrom('portal_request').selectAll().executeTakeFirstOrThrow()
  await hub.vault.round()
  await hub.portalStore.bookkeep((tx) => tx.insertInto('portal_request').values(row).execute())
  await hub.vault.round()
  expect(await hub.ops.db.selectFrom('ticket').selectAll().execute()).toHaveLength(1)
})

test('ASVS 14.2.7 no store but the identities’, no leaf and no log has the question or how to reach its asker', async () => {
  const hub = await world()
  await hub.portal.takeQuestion(ASKED)
  const portal = JSON.stringify(await hub.portalStore.db.selectFrom('portal_request').selectAll().execute())
  await hub.vault.round()
  const leaves = [
    ...(await hub.portalStore.db.selectFrom('audit_leaf').select('leaf').execute()),
    ...(await hub.ops.db.selectFrom('audit_leaf').select('leaf').execute()),
  ].map(({ leaf }) => new TextDecoder().decode(leaf))
  const tickets = JSON.stringify(await hub.ops.db.selectFrom('ticket').selectAll().execute())
  const all = [portal, tickets, ...leaves, ...hub.logs].join('\n')
  for (const secret of [ASKED.text, ASKED.contact, '192.0.2']) expect(all).not.toContain(secret)
})

test('ASVS 2.4.1 thirty questions an hour from one network, and of a bounded length', async () => {
  const hub = await world()
  const taken = []
  for (let at = 0; at < 31; at += 1) taken.push(await hub.portal.takeQuestion(ASKED))
  expect(taken.filter((one) => one !== null)).toHaveLength(30)
  await expect(hub.portal.takeQuestion({ ...ASKED, text: 'あ'.repeat(1001) })).rejects.toThrow(
    'REQUEST_MALFORMED',
  )
  await expect(hub.portal.takeQuestion({ ...ASKED, text: ' ' })).rejects.toThrow('REQUEST_MALFORMED')
  const lengths = await hub.portalStore.db.selectFrom('portal_request').select('box').execute()
  expect(new Set(lengths.map(({ box }) => box.length)).size).toBe(1)
})
