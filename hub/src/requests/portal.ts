import { fromBase64, openSealed } from '@kakehashi/protocol/signing'
import { facilityId, stopHandle, stopId, type PatientKey } from '@kakehashi/protocol/ids'
import {
  readPortalRequest,
  type PortalQuestion,
  type PortalRequest,
  type PortalStop,
} from '../portal/sealed-request.ts'
import type { VaultParts } from '../vault/parts.ts'
import { PeerFailed, type Peer } from '../vault/peer.ts'
import { passOnBehind } from './behind.ts'
import { keepIntake } from './intake.ts'
import { tellHospitals, tellNoticeWordsIfKnown } from './portal-hospitals.ts'
import { keepAsked, tellStates } from './portal-states.ts'
import { enterStop, type StopAsk } from './stop.ts'
import { openTicketWith } from './tickets.ts'
import { keepUnread, readUnread } from './unread.ts'

function openPortalRequest(parts: VaultParts, box: string): PortalRequest | null {
  for (const key of [parts.keys.box, ...parts.keys.formerBoxes]) {
    const plain = openSealed(fromBase64(box), key)
    if (plain) return readPortalRequest(plain)
  }
  return null
}

/** With the paper its handle; without it what the hospital matches: number and birth date, or staff side by side. */
function meantBy(said: PortalStop): Pick<StopAsk, 'handles' | 'named'> {
  if (said.version === 1) return { handles: [stopHandle(said.handle)] }
  const { facility, number, birthDate } = said
  const person = {
    name: `患者番号 ${number}`,
    kana: '',
    birthDate,
    number,
    requesterName: '',
    relation: null,
    contact: null,
  }
  return { handles: [], named: { person, facilities: [facilityId(facility)], names: [] } }
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
  else await takeStop(parts, request, said, [])
  return true
}

async function takeStop(
  parts: VaultParts,
  request: string,
  said: PortalStop,
  patients: PatientKey[],
): Promise<void> {
  const stop = stopId(`portal:${request}`)
  const meant = meantBy(said)
  // an order that was applied is kept nowhere else, and an agent put back needs it again
  if (meant.named) await parts.rooms.keepSaid(stop, meant.named.person)
  await parts.ops.transact(
    (entered: boolean) =>
      entered
        ? {
            act: 'stop.asked',
            actor: 'portal',
            detail: { stop, origin: 'portal', erasure: said.erasureAsked },
          }
        : null,
    async (tx) => {
      const entered = await enterStop(tx, parts, {
        stop,
        origin: 'portal',
        agent: null,
        ...meant,
        patients,
        tracks: null,
        operators: null,
        requester: said.requester,
        standing: 'provisional',
        askedAt: said.askedAt,
        // a number and a birth date are no proof of who asked: nothing is erased before staff have verified it
        erasureAsked: said.erasureAsked && !meant.named,
        receipt: said.receipt,
        queued: said.version === 1 && said.queued === true,
      })
      if (entered && meant.named)
        await keepIntake(
          tx,
          {
            ...{ channel: 'web', by: 'portal', identityCheck: 'none' },
            facilities: meant.named.facilities,
            erasureWanted: said.erasureAsked,
          },
          stop,
          null,
        )
      if (entered && !(said.version === 2 && said.queued === true)) await keepAsked(tx, stop, said)
      return entered
    },
  )
}

/**
 * Asked beyond the hour's budget: who is here by exactly this number and birth date is stopped, and nobody else's hospital
 * is troubled before staff have looked. Its state stays `received`: it must not tell which of both it was.
 */
async function takeQueued(
  parts: VaultParts,
  request: string,
  said: Extract<PortalStop, { version: 2 }>,
): Promise<void> {
  const { facility, number, birthDate, receipt, requester, erasureAsked } = said
  const charts = await parts.rooms.chartsNumbered(facilityId(facility), number, birthDate)
  if (charts.length > 0) await takeStop(parts, request, said, charts)
  const lines = [
    `受付番号 ${receipt}。通知書なしの停止の求めが、1時間の上限を超えて届きました。`,
    `病院 ${facility}、患者番号 ${number}、生年月日 ${birthDate}、申し出た方 ${requester}、消去 ${erasureAsked ? '希望' : 'なし'}。`,
    charts.length > 0
      ? '番号と生年月日が合う記録があり、停止しました。'
      : 'まだ病院へ伝えていません。内容を確かめ、停止の受付から記録してください。',
  ]
  await openTicketWith(parts, parts.rooms.keepSaid, {
    // beside the stop of that number, whose person is kept under it
    ticket: `queued:${request}`,
    ...{ kind: 'stop', channel: 'web', stop: null, by: 'portal' },
    ...{ name: '', contact: '', text: lines.join('') },
  })
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
