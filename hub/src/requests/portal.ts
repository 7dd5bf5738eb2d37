import { fromBase64, openSealed } from '@kakehashi/protocol/signing'
import { stopHandle, stopId } from '@kakehashi/protocol/ids'
import { readPortalStop, type PortalStop } from '../portal/sealed-stop.ts'
import type { VaultParts } from '../vault/parts.ts'
import type { Peer } from '../vault/peer.ts'
import { enterStop } from './stop.ts'

function openPortalStop(parts: VaultParts, box: string): PortalStop | null {
  for (const key of [parts.keys.box, ...parts.keys.formerBoxes]) {
    const plain = openSealed(fromBase64(box), key)
    if (plain) return readPortalStop(plain)
  }
  return null
}

/** Fetches what patients asked; each stop holds from the commit of its transaction. */
export async function pullRequests(parts: VaultParts, portal: Peer): Promise<number> {
  let taken = 0
  for (;;) {
    const list = await portal.getJson<{ request: string; box: string }[]>('/v1/vault/requests')
    if (list.length === 0) return taken
    for (const { request, box } of list) await applyRequest(parts, request, box)
    await portal.post('/v1/vault/requests/acks', { requests: list.map(({ request }) => request) })
    taken += list.length
  }
}

async function applyRequest(parts: VaultParts, request: string, box: string): Promise<void> {
  const said = openPortalStop(parts, box)
  if (!said) {
    parts.log('portal.request-unreadable')
    return
  }
  const stop = stopId(`portal:${request}`)
  await parts.ops.transact(
    (entered: boolean) =>
      entered
        ? {
            act: 'stop.asked',
            actor: 'portal',
            detail: { stop, origin: 'portal', erasure: said.erasureAsked },
          }
        : null,
    (tx) =>
      enterStop(tx, parts, {
        stop,
        origin: 'portal',
        agent: null,
        handles: [stopHandle(said.handle)],
        patients: [],
        tracks: null,
        operators: null,
        requester: said.requester,
        standing: 'provisional',
        askedAt: said.askedAt,
        erasureAsked: said.erasureAsked,
        receipt: said.receipt,
      }),
  )
}
