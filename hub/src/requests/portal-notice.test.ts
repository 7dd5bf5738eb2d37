import { filingId } from '@kakehashi/protocol/ids'
import { afterEach, expect, test } from 'vitest'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'

const worlds: HubWorld[] = []
afterEach(async () => {
  for (const made of worlds.splice(0)) await made.close()
})

test('R1 R2 the portal tells what a hospital filed, and nothing while it has filed nothing', async () => {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const other = await hub.enrol('hospital-b')
  await other.declare({
    filings: [
      {
        filing: filingId('filing-1'),
        track: 'ANON',
        templateVersion: 1,
        acceptedOn: '2026-04-10',
        endedOn: '2026-06-30',
      },
    ],
  })
  await hub.vault.round()
  hub.env.pass(60_000)
  await hub.vault.round()
  expect(await hub.portal.noticeOf('hospital-a')).toEqual({
    name: '医療法人みなと会',
    notice: {
      provider: {
        name: '医療法人みなと会',
        address: '神奈川県横浜市中区海岸通1',
        representative: '港 一郎',
      },
      waitDays: 30,
      tracks: [
        {
          track: 'ANON',
          items: ['identity', 'insurance', 'encounter', 'diagnosis', 'laboratory', 'medication'],
          filedOn: '2026-04-10',
        },
      ],
    },
  })
  expect(await hub.portal.noticeOf('hospital-b')).toEqual({ name: '医療法人みなと会', notice: null })
  expect(await hub.portal.noticeOf('nowhere')).toBeNull()
  await hand.declare({ endedOn: '2026-07-01' })
  await hub.vault.round()
  hub.env.pass(60_000)
  await hub.vault.round()
  expect(await hub.portal.noticeOf('hospital-a')).toBeNull()
})
