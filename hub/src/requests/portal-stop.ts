import { facilityId, stopHandle, stopId, type PatientKey, type StopId } from '@kakehashi/protocol/ids'
import type { PortalStop } from '../portal/sealed-request.ts'
import type { OpsTx } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import { keepIntake, UNSEEN, type IntakeParts } from './intake.ts'
import { keepAsked } from './portal-states.ts'
import { enterStop, type StopAsk } from './stop.ts'

export interface TakenAtPortal {
  request: string
  said: PortalStop
  /** Charts it is known to mean, beside those of its handle. */
  patients: PatientKey[]
  by: string
}

const STOP = 'portal:'
const TICKET = 'queued:'

export function portalStop(request: string): StopId {
  return stopId(`${STOP}${request}`)
}

/** The ticket of what was asked beyond the budget: it does not name the stop, so that nobody reads whether there is one. */
export function queuedTicket(request: string): string {
  return `${TICKET}${request}`
}

export function queuedTicketOf(stop: string): string | null {
  return stop.startsWith(STOP) ? queuedTicket(stop.slice(STOP.length)) : null
}

export function requestOfTicket(ticket: string): string | null {
  return ticket.startsWith(TICKET) ? ticket.slice(TICKET.length) : null
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
  return {
    handles: [],
    named: { person, facilities: [facilityId(facility)], erasureWanted: said.erasureAsked, names: [] },
  }
}

export function askOf({ request, said, patients }: TakenAtPortal): StopAsk {
  const meant = meantBy(said)
  return {
    stop: portalStop(request),
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
  }
}

/** Its stop, in force from the commit. `false`: it is entered already. */
export async function enterAsked(tx: OpsTx, parts: IntakeParts, taken: TakenAtPortal): Promise<boolean> {
  const { said, by } = taken
  const ask = askOf(taken)
  const entered = await enterStop(tx, parts as VaultParts, ask)
  if (entered && ask.named)
    await keepIntake(
      tx,
      {
        ...{ channel: 'web', by },
        identityCheck: said.version === 2 && said.queued === true ? UNSEEN : 'none',
        facilities: ask.named.facilities,
        erasureWanted: said.erasureAsked,
      },
      ask.stop,
      null,
    )
  return entered
}

/** An order that was applied is kept nowhere else, and an agent put back needs it again. */
export async function keepPerson(
  keep: (about: string, said: object) => Promise<void>,
  request: string,
  said: PortalStop,
): Promise<void> {
  const { named } = meantBy(said)
  if (named) await keep(portalStop(request), named.person)
}

export async function takeStop(
  parts: IntakeParts,
  keep: (about: string, said: object) => Promise<void>,
  taken: TakenAtPortal,
): Promise<void> {
  const { request, said, by } = taken
  const stop = portalStop(request)
  await keepPerson(keep, request, said)
  await parts.ops.transact(
    (entered: boolean) =>
      entered
        ? {
            act: 'stop.asked',
            actor: by,
            detail: { stop, origin: 'portal', erasure: said.erasureAsked },
          }
        : null,
    async (tx) => {
      const entered = await enterAsked(tx, parts, taken)
      if (entered && !(said.version === 2 && said.queued === true)) await keepAsked(tx, stop, said)
      return entered
    },
  )
}
