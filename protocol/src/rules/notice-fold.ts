import type { Instant } from '../env.ts'
import type { NoticeArrived, NoticeBackdated, NoticeGiven, PatientEvent } from '../events.ts'
import type { NoticeId } from '../ids.ts'
import type { NoticeFact, RecipientRole } from './state.ts'

/**
 * The notices of one person after confirmations, arrivals, returns and corrections. What was handed to somebody who is
 * neither the person nor a guardian is none.
 */
export function noticesOf(own: readonly PatientEvent[]): NoticeFact[] {
  const given = new Map<NoticeId, NoticeGiven>()
  const confirmed = new Set<NoticeId>()
  const voided = new Set<NoticeId>()
  const arrivals: NoticeArrived[] = []
  const backdated: NoticeBackdated[] = []
  for (const event of own) {
    if (event.type === 'notice-given' && !given.has(event.notice)) given.set(event.notice, event)
    if (event.type === 'notice-confirmed') confirmed.add(event.notice)
    if (event.type === 'notice-backdated') backdated.push(event)
    if (event.type === 'notice-arrived') arrivals.push(event)
    if (event.type === 'notice-returned' || event.type === 'notice-voided') voided.add(event.notice)
  }
  const facts: NoticeFact[] = []
  for (const [notice, event] of given) {
    const { recipient } = event
    if (recipient === 'other') continue
    const effective = event.confirmed === true || confirmed.has(notice)
    const standing = voided.has(notice) ? 'void' : effective ? 'effective' : 'pending'
    facts.push(noticeFact(dated(event, backdated), recipient, standing, arrivals))
  }
  return facts
}

function noticeFact(
  event: NoticeGiven,
  recipient: RecipientRole,
  standing: NoticeFact['standing'],
  arrivals: readonly NoticeArrived[],
): NoticeFact {
  const { backdateApprovedBy: approver } = event
  return {
    notice: event.notice,
    track: event.track,
    templateVersion: event.templateVersion,
    templateHash: event.templateHash,
    operators: event.operators,
    recipient,
    recipientState: event.recipientState,
    method: event.method,
    deliveredAt: event.method === 'post' ? arrivalOf(event, arrivals) : event.deliveredAt,
    recordedAt: event.recordedAt,
    ...(approver === undefined || approver === event.by ? {} : { backdateApprovedBy: approver }),
    standing,
  }
}

/** The first approval by somebody else than the recorder, of exactly the time that was entered. */
function dated(event: NoticeGiven, backdated: readonly NoticeBackdated[]): NoticeGiven {
  const said = event.saidDeliveredAt
  if (said === undefined || !(said < event.deliveredAt)) return event
  const approval = backdated.find(
    (b) => b.notice === event.notice && b.deliveredAt === said && b.by !== event.by,
  )
  return approval
    ? {
        ...event,
        deliveredAt: said,
        issuedAt: Math.min(event.issuedAt, said),
        backdateApprovedBy: approval.by,
      }
    : event
}

/** A tracked arrival later than assumed counts at once; an earlier one shortens the wait and asks for two people. */
function arrivalOf(event: NoticeGiven, arrivals: readonly NoticeArrived[]): Instant {
  let at = event.deliveredAt
  for (const arrival of arrivals) {
    if (arrival.notice !== event.notice || !(arrival.arrivedAt >= event.issuedAt)) continue
    const byTwo = Boolean(arrival.approvedBy) && arrival.approvedBy !== arrival.by
    if (arrival.arrivedAt >= at || byTwo) at = arrival.arrivedAt
  }
  return at
}
