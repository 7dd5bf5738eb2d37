import { fromBase64, openSealed } from '@kakehashi/protocol/signing'
import { readPortalRequest, type PortalQuestion, type PortalRequest } from '../portal/sealed-request.ts'
import type { VaultParts } from '../vault/parts.ts'
import { PeerFailed, type Peer } from '../vault/peer.ts'
import { passOnBehind } from './behind.ts'
import { tellHospitals, tellNoticeWordsIfKnown } from './portal-hospitals.ts'
import { tellStates } from './portal-states.ts'
import { takeStop } from './portal-stop.ts'
import { takeQueued } from './queued.ts'
import { openTicketWith } from './tickets.ts'
import { keepUnread, readUnread } from './unread.ts'

function openPortalRequest(parts: VaultParts, box: string): PortalRequest | null {
  for (const key of [parts.keys.box, ...parts.keys.formerBoxes]) {
    const plain = openSealed(fromBase64(box), key)
    if (plain) return readPortalRequest(plain)
  }
  return null
}

/** Fetches what patients asked; each stop holds from the commit of its transaction. */
export async function pullRequests(parts: VaultParts, portal: Peer): Promise<number> {
  let taken = 0
  await readUnread(parts, (request, box) => applyRequest(parts, request, box))
  for (;;) {
    const list = await portal.getJson<{ request: string; box: string }[]>('/v1/vault/requests')
    if (list.length === 0) break
    for (const { request, box } of list)
      if (!(await applyRequest(parts, request, box))) await keepUnread(parts, request, box)
    await portal.post('/v1/vault/requests/acks', { requests: list.map(({ request }) => request) })
    taken += list.length
  }
  await passOnBehind(parts)
  await tellPortal(parts, portal, taken > 0)
  return taken
}

/** Only what was asked must be heard before batches are taken; what the portal shows can wait for the next round. */
async function tellPortal(parts: VaultParts, portal: Peer, atOnce: boolean): Promise<void> {
  try {
    await tellHospitals(parts, portal)
    await tellStates(parts, portal, atOnce)
    await tellNoticeWordsIfKnown(parts, portal)
  } catch (error) {
    if (!(error instanceof PeerFailed)) throw error
    parts.log('portal.not-told')
  }
}

/** `false`: it does not open. */
async function applyRequest(parts: VaultParts, request: string, box: string): Promise<boolean> {
  const said = openPortalRequest(parts, box)
  if (!said) return false
  if (said.version === 3) await takeQuestion(parts, request, said)
  else if (said.version === 2 && said.queued === true) await takeQueued(parts, request, said)
  else await takeStop(parts, parts.rooms.keepSaid, { request, said, patients: [], by: 'portal' })
  return true
}

/** A question becomes a ticket of the desk; what it says lies where identities are. */
async function takeQuestion(parts: VaultParts, request: string, said: PortalQuestion): Promise<void> {
  await openTicketWith(parts, parts.rooms.keepSaid, {
    ticket: `portal:${request}`,
    ...{ kind: 'question', channel: 'web', stop: null, by: 'portal' },
    ...{ name: '', contact: said.contact },
    text: `受付番号 ${said.receipt}（${said.language}）：${said.text}`,
  })
}
