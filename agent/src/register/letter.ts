import type { Instant } from '@kakehashi/protocol/env'
import type { NoticeGiven, NoticeVoided } from '@kakehashi/protocol/events'
import type { NoticeId, PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { addDays, startOfDay, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { aboutPatient, type AgentContext } from '../context.ts'
import { haltPatients, wasSent, type Halted } from '../outbox/halt.ts'
import { markToRead } from '../sources/store.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { refuseUnsureClock } from './clock.ts'
import { chartsOfPerson, noticeEvent, patientStateOf } from './read.ts'
import { mayUndo } from './rules.ts'
import { appendEvent } from './store.ts'

export interface Voided extends Halted {
  /** Something had been sent on it: the vault is told and an incident opens there. */
  incident: boolean
}

async function given(context: AgentContext, notice: NoticeId): Promise<NoticeGiven> {
  const event = await noticeEvent(context.store.db, notice)
  if (!event) throw new Refused('NOT_FOUND', 'notice')
  return event
}

/**
 * What is void from the beginning leaves the outbox, for every chart of the person, who may still be eligible by
 * another notice and is read again. The vault is told when anything was sent on it.
 */
async function withdrawReliance(
  tx: AgentTx,
  context: AgentContext,
  patient: PatientKey,
  now: Instant,
  sentBefore: Instant = Infinity,
): Promise<Voided> {
  const charts = await chartsOfPerson(tx, patient)
  const halted = await haltPatients(tx, charts, now)
  for (const chart of charts) await markToRead(tx, chart, now)
  const incident = await wasSent(tx, charts, sentBefore)
  if (incident)
    await enqueueControl(tx, context, { type: 'notice-voided-reported', patients: charts, voidedAt: now })
  return { ...halted, incident }
}

/** The letter came back undeliverable: void from the beginning (LAW trap 7). */
export async function returnNotice(
  context: AgentContext,
  asked: { notice: NoticeId; returnedAt?: Instant; by: string },
): Promise<Voided> {
  const { patient } = await given(context, asked.notice)
  const now = context.env.now()
  return context.store.transact(
    (done) => ({
      act: 'notice.returned',
      actor: asked.by,
      about: aboutPatient(context, patient),
      detail: { dropped: done.dropped, incident: done.incident },
    }),
    async (tx) => {
      await appendEvent(tx, {
        type: 'notice-returned',
        event: context.env.id(),
        recordedAt: now,
        by: asked.by,
        patient,
        notice: asked.notice,
        returnedAt: asked.returnedAt ?? now,
      })
      return withdrawReliance(tx, context, patient, now)
    },
  )
}

/**
 * The post knows the day on which the letter arrived. Later than assumed counts at once, and what waits on it leaves
 * the outbox; earlier than assumed shortens the wait and asks for a second person.
 */
export async function recordArrival(
  context: AgentContext,
  asked: { notice: NoticeId; arrivedAt: Instant; evidence: string; approvedBy?: string; by: string },
): Promise<Voided & { counts: boolean }> {
  await refuseUnsureClock(context)
  const event = await given(context, asked.notice)
  const now = context.env.now()
  if (event.method !== 'post' || asked.evidence.trim() === '')
    throw new Refused('REQUEST_MALFORMED', 'evidence')
  if (asked.arrivedAt > now || tokyoDate(asked.arrivedAt) < tokyoDate(event.issuedAt))
    throw new Refused('REQUEST_MALFORMED', 'arrivedAt')
  const arrivedAt = Math.max(asked.arrivedAt, event.issuedAt)
  return context.store.transact(
    (done) => ({
      act: 'notice.arrived',
      actor: asked.by,
      about: aboutPatient(context, event.patient),
      detail: { counts: done.counts, dropped: done.dropped, incident: done.incident },
    }),
    async (tx) => {
      const before = await deliveredAt(tx, event)
      await appendEvent(tx, {
        type: 'notice-arrived',
        event: context.env.id(),
        recordedAt: now,
        by: asked.by,
        patient: event.patient,
        notice: asked.notice,
        arrivedAt,
        evidence: asked.evidence,
        ...(asked.approvedBy === undefined ? {} : { approvedBy: asked.approvedBy }),
      })
      const counts = (await deliveredAt(tx, event)) === arrivedAt
      const later = before !== null && arrivedAt > before
      if (later) {
        const tooEarly = startOfDay(addDays(tokyoDate(arrivedAt), context.rulesAt(now).waitDaysMin + 1))
        return { ...(await withdrawReliance(tx, context, event.patient, now, tooEarly)), counts }
      }
      await markToRead(tx, event.patient, now)
      return { dropped: 0, sent: 0, incident: false, counts }
    },
  )
}

async function deliveredAt(tx: AgentTx, event: NoticeGiven): Promise<Instant | null> {
  const state = await patientStateOf(tx, event.patient)
  return state.notices.find((n) => n.notice === event.notice)?.deliveredAt ?? null
}

/** Taken back as a new event: within ten minutes without a word, later only as a correction. */
export async function voidNotice(
  context: AgentContext,
  asked: { notice: NoticeId; by: string; reason: NoticeVoided['reason'] },
): Promise<Voided> {
  const { patient, recordedAt } = await given(context, asked.notice)
  const now = context.env.now()
  if (asked.reason === 'undone' && !mayUndo(recordedAt, now)) throw new Refused('NOT_ALLOWED', 'undo')
  return context.store.transact(
    (done) => ({
      act: 'notice.voided',
      actor: asked.by,
      about: aboutPatient(context, patient),
      detail: { reason: asked.reason, dropped: done.dropped, incident: done.incident },
    }),
    async (tx) => {
      await appendEvent(tx, {
        type: 'notice-voided',
        event: context.env.id(),
        recordedAt: now,
        by: asked.by,
        patient,
        notice: asked.notice,
        reason: asked.reason,
      })
      return withdrawReliance(tx, context, patient, now)
    },
  )
}
