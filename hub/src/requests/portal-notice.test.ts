import { filingId } from '@kakehashi/protocol/ids'
import { sha256Hex } from '@kakehashi/protocol/signing'
import { afterEach, expect, test } from 'vitest'
import { json } from '../call.ts'
import type { HospitalHand } from '../hospital.fixture.ts'
import { hubWorld, type HubWorld } from '../hub.fixture.ts'
import { Peer } from '../vault/peer.ts'
import { tellNoticeWords, tellNoticeWordsIfKnown } from './portal-hospitals.ts'

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
  expect(await hub.portal.noticeOf('hospital-a', 'ja')).toEqual({
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
    words: [],
  })
  expect(await hub.portal.noticeOf('hospital-b', 'ja')).toEqual({
    name: '医療法人みなと会',
    notice: null,
    words: [],
  })
  expect(await hub.portal.noticeOf('nowhere', 'ja')).toBeNull()
  await hand.declare({ endedOn: '2026-07-01' })
  await hub.vault.round()
  hub.env.pass(60_000)
  await hub.vault.round()
  expect(await hub.portal.noticeOf('hospital-a', 'ja')).toBeNull()
})

const JAPANESE = '医療情報の提供についてのお知らせ\n\n1　提供する者\n医療法人みなと会'
const ENGLISH = 'A notice about medical information'

async function noticed(): Promise<{ hub: HubWorld; hand: HospitalHand }> {
  const hub = await hubWorld()
  worlds.push(hub)
  const hand = await hub.enrol('hospital-a')
  await hand.declare()
  const [template] = hand.facts.templates
  await hand.declare({ templates: [{ ...template!, hash: sha256Hex(JAPANESE) }] })
  return { hub, hand }
}

const say = (hand: HospitalHand, text: string, change: object = {}) =>
  hand.say({
    type: 'notice-text-declared',
    facility: hand.facility,
    ...{ track: 'ANON', templateVersion: 1, language: 'ja' },
    ...{ hash: sha256Hex(text), text },
    ...change,
  })

async function settled(hub: HubWorld): Promise<void> {
  await hub.vault.round()
  hub.env.pass(60_000)
  await hub.vault.round()
}

const shown = async (hub: HubWorld, language: 'ja' | 'en' | 'ko') =>
  (await hub.portal.noticeOf('hospital-a', language))?.words.map((one) => [one.language, one.text])

test('R1 the portal shows the words of the notice in the languages published, else in Japanese', async () => {
  const { hub, hand } = await noticed()
  await say(hand, ENGLISH, { language: 'en' })
  await settled(hub)
  expect(await shown(hub, 'en')).toEqual([])
  await say(hand, JAPANESE)
  await settled(hub)
  expect(await shown(hub, 'ja')).toEqual([['ja', JAPANESE]])
  expect(await shown(hub, 'en')).toEqual([['en', ENGLISH]])
  expect(await shown(hub, 'ko')).toEqual([['ja', JAPANESE]])
})

test('R1 words that are not those of the hash, of the declared template or of the hospital are shown to nobody', async () => {
  const { hub, hand } = await noticed()
  await say(hand, `${JAPANESE}。`, { hash: sha256Hex(JAPANESE) })
  await settled(hub)
  expect(await shown(hub, 'ja')).toEqual([])
  await say(hand, 'another notice')
  await settled(hub)
  expect(await shown(hub, 'ja')).toEqual([])
  const other = await hub.enrol('hospital-b')
  await say(other, JAPANESE, { facility: 'hospital-a' })
  await settled(hub)
  expect(await shown(hub, 'ja')).toEqual([])
  const kept = await hub.ops.db.selectFrom('notice_text').select('text').execute()
  expect(kept).toEqual([{ text: 'another notice' }])
})

test('R1 a newer version that is filed is shown in its own words, the old ones leave the portal', async () => {
  const { hub, hand } = await noticed()
  await say(hand, JAPANESE)
  await settled(hub)
  const [template] = hand.facts.templates
  const [filing] = hand.facts.filings
  const newer = `${JAPANESE} 改`
  await hand.declare({
    templates: [template!, { ...template!, version: 2, hash: sha256Hex(newer) }],
    filings: [filing!, { ...filing!, filing: filingId('filing-2'), templateVersion: 2 }],
  })
  await settled(hub)
  expect(await shown(hub, 'ja')).toEqual([])
  await say(hand, newer, { templateVersion: 2 })
  await settled(hub)
  expect(await shown(hub, 'ja')).toEqual([['ja', newer]])
  expect(await hub.portalStore.db.selectFrom('portal_words').selectAll().execute()).toHaveLength(1)
})

test('R1 a portal set up anew is told the words again; one of the version before is left alone', async () => {
  const { hub, hand } = await noticed()
  await say(hand, JAPANESE)
  await settled(hub)
  await hub.portalStore.bookkeep(async (tx) => {
    await tx.deleteFrom('portal_notice').execute()
    await tx.deleteFrom('portal_words').execute()
  })
  hub.env.pass(11 * 60_000)
  await hub.vault.round()
  expect(await shown(hub, 'ja')).toEqual([['ja', JAPANESE]])
  const old = new Peer('portal', async () => json({}, 404), hub.parts.keys.signing, hub.env)
  hub.env.pass(11 * 60_000)
  await expect(tellNoticeWords(hub.parts, old)).rejects.toThrow('404')
  await tellNoticeWordsIfKnown(hub.parts, old)
})
