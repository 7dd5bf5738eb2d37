import { facilityId, type StopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { PortalStop } from '../portal/sealed-request.ts'
import type { OpsTx } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import type { IdentityStore } from '../vault/rooms.ts'
import { keepSaid, readSaid, UNSEEN, type IntakeParts } from './intake.ts'
import { chartsNumbered } from './named.ts'
import { keepAsked } from './portal-states.ts'
import {
  askOf,
  enterAsked,
  keepPerson,
  portalStop,
  queuedTicket,
  requestOfTicket,
  takeStop,
  type TakenAtPortal,
} from './portal-stop.ts'
import { passOn } from './stop.ts'
import { answerOf, openTicketWith, type TicketSaid } from './tickets.ts'

export type AskedByNumber = Extract<PortalStop, { version: 2 }>

/**
 * Asked beyond the hour's budget: who is here by exactly this number and birth date is stopped, and nobody else's hospital
 * is troubled before staff have looked. Neither the state of the request nor the ticket nor the desk's list of stops tells
 * which of both it was (LAW R17, trap 30).
 */
export async function takeQueued(parts: VaultParts, request: string, said: AskedByNumber): Promise<void> {
  const { facility, number, birthDate, receipt } = said
  const patients = await parts.rooms.chartsNumbered(facilityId(facility), number, birthDate)
  const { keepSaid: keep } = parts.rooms
  if (patients.length > 0) await takeStop(parts, keep, { request, said, patients, by: 'portal' })
  await openTicketWith(parts, keep, {
    // beside the stop of that number, whose person is kept under it
    ticket: queuedTicket(request),
    ...{ kind: 'stop', channel: 'web', stop: null, by: 'portal', name: '', contact: '', asked: said },
    text: `受付番号 ${receipt}。通知書なしの停止の求めが、1時間の上限を超えて届きました。`,
  })
}

/** Staff have looked: a provisional stop as it would have been within the budget. It answers the ticket. */
export async function stopOfTicket(
  parts: IntakeParts,
  identity: IdentityStore,
  { ticket, by }: { ticket: string; by: string },
): Promise<StopId> {
  const asked = (await readSaid<TicketSaid>(identity, ticket))?.asked
  const request = requestOfTicket(ticket)
  if (!asked || request === null) throw new Refused('NOT_FOUND', 'ticket')
  const { queued: _queued, ...said } = asked
  const stop = portalStop(request)
  const { facility, number, birthDate } = said
  const patients = await chartsNumbered(identity.db, facilityId(facility), number, birthDate)
  await keepPerson((about, what) => keepSaid(identity, about, what), request, said)
  await parts.ops.transact(
    { act: 'stop.asked', actor: by, detail: { stop, origin: 'portal', ticket, erasure: said.erasureAsked } },
    async (tx) => {
      const claimed = await tx
        .updateTable('ticket')
        .set({ stop, answered_at: parts.env.now(), answered_by: by })
        .where('ticket', '=', ticket)
        .where('answered_at', 'is', null)
        .executeTakeFirst()
      if (Number(claimed.numUpdatedRows) !== 1) throw new Refused('NOT_ALLOWED', 'ticket')
      const taken = { request, said, patients, by }
      if (!(await enterAsked(tx, parts, taken))) await showStop(tx, parts, taken)
      await keepAsked(tx, stop, said)
      await keepSaid(identity, answerOf(ticket), { answer: `停止として受け付けた。受付番号 ${stop}` })
    },
  )
  return stop
}

/** In force since it came: told to the hospital again, so that from here on it looks as if it were told the first time. */
async function showStop(tx: OpsTx, parts: IntakeParts, taken: TakenAtPortal): Promise<void> {
  const ask = askOf(taken)
  await tx
    .updateTable('stop_intake')
    .set({ identity_check: 'none', taken_by: taken.by })
    .where('stop', '=', ask.stop)
    .where('identity_check', '=', UNSEEN)
    .execute()
  await tx.deleteFrom('stop_delivery').where('stop', '=', ask.stop).execute()
  await passOn(tx, parts as VaultParts, ask, taken.patients)
}

/** What was asked in a ticket became this stop, taken by hand; the ticket still wants its answer. */
export async function linkTicket(
  { ops }: Pick<IntakeParts, 'ops'>,
  { ticket, stop, by }: { ticket: string; stop: StopId; by: string },
): Promise<void> {
  await ops.transact(
    (linked: boolean) => (linked ? { act: 'ticket.linked', actor: by, detail: { ticket, stop } } : null),
    async (tx) => {
      const done = await tx
        .updateTable('ticket')
        .set({ stop })
        .where('ticket', '=', ticket)
        .where('stop', 'is', null)
        .executeTakeFirst()
      return Number(done.numUpdatedRows) === 1
    },
  )
}
