import type { Instant } from '@kakehashi/protocol/env'
import type { NoticeGiven } from '@kakehashi/protocol/events'
import { noticeId, type NoticeId, type OperatorId, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { addDays, startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { NoticeMethod, RecipientRole, TemplateFact, Track } from '@kakehashi/protocol/rules/state'
import { handleOf, newStopToken } from '@kakehashi/protocol/stop-handle'
import { aboutPatient, type AgentContext } from '../context.ts'
import { haltPatients, wasSent, type Halted } from '../outbox/halt.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { facilityStateOf, latestSeen, noticeEvent } from './read.ts'
import { appendOpening } from './opening.ts'
import { dateNotice, mayUndo } from './rules.ts'
import { appendEvent } from './store.ts'

export interface NoticeAsked {
  patient: PatientKey
  by: string
  track?: Track
  /** Both at one child's visit: one hand-over, two notices. */
  recipients?: readonly RecipientRole[]
  recipientState?: 'able' | 'unable'
  relation?: string
  method?: NoticeMethod
  /** Omitted: now. */
  deliveredAt?: Instant
  evidence?: string
  /** Second person for a date before today. */
  approvedBy?: string
  /** Omitted: the newest published text of the track. */
  templateVersion?: number
  operators?: OperatorId[]
  /** Print a stop token on the paper; only its handle is kept. */
  withToken?: boolean
}

export interface Noticed {
  notices: NoticeId[]
  deliveredAt: Instant
  /** False: the earlier date waits for a second person; until then it is dated now. */
  datedAsAsked: boolean
  /** For printing, once. Nobody can read it out of the register again. */
  token: string | null
}

function newestTemplate(templates: readonly TemplateFact[], track: Track, version?: number): TemplateFact {
  const fit = templates
    .filter((t) => t.track === track && (version === undefined || t.version === version))
    .toSorted((a, b) => b.version - a.version)[0]
  if (!fit) throw new Refused('NOT_FOUND', 'template')
  return fit
}

/** Mail counts from its assumed arrival, everything else from now. */
function arrival(context: AgentContext, method: NoticeMethod, now: Instant): Instant {
  if (method !== 'post') return now
  return startOfDay(addDays(tokyoDate(now), context.rulesAt(now).postArrivalDays))
}

/** A notice was handed over, printed by a kiosk (counts after confirmation) or mailed (dated to its arrival). */
export async function recordNotice(context: AgentContext, asked: NoticeAsked): Promise<Noticed> {
  // a clock set back must not date the hand-over into the past: the wait would end too early
  const now = Math.max(context.env.now(), await latestSeen(context.store.db))
  const method = asked.method ?? 'handed'
  const dating = dateNotice(
    { ...asked, method, deliveredAt: asked.deliveredAt ?? arrival(context, method, now) },
    now,
  )
  if (!dating) throw new Refused('REQUEST_MALFORMED', 'deliveredAt')
  const token = asked.withToken ? newStopToken(context.env) : null
  return context.store.transact(
    {
      act: 'notice.recorded',
      actor: asked.by,
      about: aboutPatient(context, asked.patient),
      detail: { method, backdated: dating.approved },
    },
    async (tx) => {
      const track = asked.track ?? context.track
      const facility = await facilityStateOf(tx, context.facility)
      const template = newestTemplate(facility?.templates ?? [], track, asked.templateVersion)
      if (dating.approved && dating.deliveredAt < template.publishedAt)
        throw new Refused('REQUEST_MALFORMED', 'deliveredAt')
      const notices: NoticeId[] = []
      for (const recipient of asked.recipients ?? ['person']) {
        const event: NoticeGiven = {
          type: 'notice-given',
          event: context.env.id(),
          recordedAt: now,
          by: asked.by,
          patient: asked.patient,
          notice: noticeId(context.env.id()),
          track,
          templateVersion: template.version,
          templateHash: template.hash,
          operators: asked.operators ?? template.operators,
          recipient,
          recipientState: asked.recipientState ?? 'able',
          method,
          issuedAt: now,
          deliveredAt: dating.deliveredAt,
          confirmed: method !== 'kiosk',
          ...(asked.relation === undefined ? {} : { relation: asked.relation }),
          ...(asked.evidence === undefined ? {} : { evidence: asked.evidence }),
          ...(dating.approved && asked.approvedBy ? { backdateApprovedBy: asked.approvedBy } : {}),
          ...(token === null ? {} : { handle: handleOf(token) }),
        }
        await appendOpening(tx, event)
        notices.push(event.notice)
      }
      return { notices, deliveredAt: dating.deliveredAt, datedAsAsked: dating.asAsked, token }
    },
  )
}

/** Staff saw the paper of a kiosk in the patient's hand (LAW trap 8). */
export async function confirmNotice(
  context: AgentContext,
  asked: { notice: NoticeId; by: string },
): Promise<void> {
  const given = await noticeEvent(context.store.db, asked.notice)
  if (!given) throw new Refused('NOT_FOUND', 'notice')
  await context.store.transact(
    { act: 'notice.confirmed', actor: asked.by, about: aboutPatient(context, given.patient) },
    (tx) =>
      appendOpening(tx, {
        type: 'notice-confirmed',
        event: context.env.id(),
        recordedAt: context.env.now(),
        by: asked.by,
        patient: given.patient,
        notice: asked.notice,
      }),
  )
}

/** What is void from the beginning leaves the outbox, and the vault is told when anything was sent on it. */
async function withdrawReliance(
  tx: AgentTx,
  context: AgentContext,
  patient: PatientKey,
  now: Instant,
): Promise<Halted & { incident: boolean }> {
  const halted = await haltPatients(tx, [patient], now)
  const incident = await wasSent(tx, [patient])
  if (incident)
    await enqueueControl(tx, context, { type: 'notice-voided-reported', patients: [patient], voidedAt: now })
  return { ...halted, incident }
}

/** The letter came back undeliverable: void from the beginning (LAW trap 7). */
export async function returnNotice(
  context: AgentContext,
  asked: { notice: NoticeId; by: string },
): Promise<Halted & { incident: boolean }> {
  const given = await noticeEvent(context.store.db, asked.notice)
  if (!given) throw new Refused('NOT_FOUND', 'notice')
  const now = context.env.now()
  return context.store.transact(
    (done) => ({
      act: 'notice.returned',
      actor: asked.by,
      about: aboutPatient(context, given.patient),
      detail: { dropped: done.dropped, incident: done.incident },
    }),
    async (tx) => {
      await appendEvent(tx, {
        type: 'notice-returned',
        event: context.env.id(),
        recordedAt: now,
        by: asked.by,
        patient: given.patient,
        notice: asked.notice,
      })
      return withdrawReliance(tx, context, given.patient, now)
    },
  )
}

/** Taken back as a new event: within ten minutes without a word, later only as a correction. */
export async function voidNotice(
  context: AgentContext,
  asked: {
    notice: NoticeId
    by: string
    reason: 'wrong-patient' | 'undone' | 'visit-cancelled' | 'other'
  },
): Promise<Halted & { incident: boolean }> {
  const given = await noticeEvent(context.store.db, asked.notice)
  if (!given) throw new Refused('NOT_FOUND', 'notice')
  const now = context.env.now()
  if (asked.reason === 'undone' && !mayUndo(given.recordedAt, now)) throw new Refused('NOT_ALLOWED', 'undo')
  return context.store.transact(
    (done) => ({
      act: 'notice.voided',
      actor: asked.by,
      about: aboutPatient(context, given.patient),
      detail: { reason: asked.reason, dropped: done.dropped, incident: done.incident },
    }),
    async (tx) => {
      await appendEvent(tx, {
        type: 'notice-voided',
        event: context.env.id(),
        recordedAt: now,
        by: asked.by,
        patient: given.patient,
        notice: asked.notice,
        reason: asked.reason,
      })
      return withdrawReliance(tx, context, given.patient, now)
    },
  )
}
