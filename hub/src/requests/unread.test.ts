import { newBoxKey } from '@kakehashi/protocol/signing'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { createVault } from '../vault/vault.ts'

let hub: HubWorld
afterEach(() => hub.close())

test('R16 requests sealed to a key this vault has not are kept, told once as severity 1, and heard when the key is back', async () => {
  hub = await hubWorld()
  const { box } = hub.parts.keys
  hub.parts.keys.box = newBoxKey(hub.env)
  const ask = {
    token: '0123456789ABCDEFGHJKMNPQRS',
    requester: 'person',
    erasureAsked: false,
    address: '192.0.2.7',
  } as const
  await hub.portal.takeStop(ask)
  await hub.vault.round()
  await hub.portal.takeStop(ask)
  await hub.vault.round()
  expect(await hub.portalStore.db.selectFrom('portal_request').selectAll().execute()).toEqual([])
  const incidents = await hub.ops.db
    .selectFrom('incident')
    .select(['severity', 'kind', 'cleared_at'])
    .execute()
  expect(incidents).toEqual([{ severity: 1, kind: 'request-unread', cleared_at: null }])
  const kept = () => hub.ops.db.selectFrom('portal_unread').select('request').execute()
  expect(await kept()).toHaveLength(2)
  expect(await hub.ops.db.selectFrom('stop').selectAll().execute()).toEqual([])
  // the next start, with the right key
  await createVault({ ...hub.parts, keys: { ...hub.parts.keys, box } }).round()
  expect(await kept()).toEqual([])
  expect(await hub.ops.db.selectFrom('stop').select('origin').execute()).toEqual(
    Array(2).fill({ origin: 'portal' }),
  )
})
