import { fromBase64, openSealed } from '@kakehashi/protocol/signing'
import { facilityId, stopHandle, stopId } from '@kakehashi/protocol/ids'
import type { FacilityDeclared } from '@kakehashi/protocol/messages'
import { readPortalStop, type PortalStop } from '../portal/sealed-stop.ts'
import type { VaultParts } from '../vault/parts.ts'
import type { Peer } from '../vault/peer.ts'
import { enterStop, type StopAsk } from './stop.ts'

function openPortalStop(parts: VaultParts, box: string): PortalStop | null {
  for (const key of [parts.keys.box, ...parts.keys.formerBoxes]) {
    const plain = openSealed(fromBase64(box), key)
    if (plain) return readPortalStop(plain)
  }
  return null
}

const TELL_AGAIN_MS = 10 * 60_000
const TOLD = new WeakMap<VaultParts, { said: string; at: number }>()

/** Facilities that take part, by the name their entity filed: who has no paper chooses one of them. */
async function tellHospitals(parts: VaultParts, portal: Peer): Promise<void> {
  const rows = await parts.ops.db
    .selectFrom('facility_declaration')
    .select(['facility', 'body'])
    .orderBy('declared_at')
    .orderBy('received_at')
    .execute()
  const names = new Map<string, string>()
  for (const { facility, body } of rows) {
    const { entity, endedOn } = JSON.parse(body) as FacilityDeclared
    if (endedOn === null) names.set(facility, entity.name)
    else names.delete(facility)
  }
  const hospitals = [...names].map(([facility, name]) => ({ facility, name }))
  const said = JSON.stringify(hospitals)
  const before = TOLD.get(parts)
  const at = parts.env.now()
  // Again now and then: a portal set up anew knows none.
  if (before?.said === said && at < before.at + TELL_AGAIN_MS) return
  await portal.post('/v1/vault/hospitals', { hospitals })
  TOLD.set(parts, { said, at })
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
  for (;;) {
    const list = await portal.getJson<{ request: string; box: string }[]>('/v1/vault/requests')
    if (list.length === 0) break
    for (const { request, box } of list) await applyRequest(parts, request, box)
    await portal.post('/v1/vault/requests/acks', { requests: list.map(({ request }) => request) })
    taken += list.length
  }
  await tellHospitals(parts, portal)
  return taken
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
        ...meantBy(said),
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
