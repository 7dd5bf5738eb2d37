import type { Instant } from '@kakehashi/protocol/env'
import type { StopAsked } from '@kakehashi/protocol/events'
import {
  stopId,
  type OperatorId,
  type PatientKey,
  type StopHandle,
  type StopId,
} from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import { birthdayAt, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { StopFact, Track } from '@kakehashi/protocol/rules/state'
import { aboutPatient, type AgentContext } from '../context.ts'
import { haltPatients, type Halted } from '../outbox/halt.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { endMergedStops } from './merged-stops.ts'
import { chartsOfPerson, patientStateOf, stopEvents } from './read.ts'
import { appendOpening } from './opening.ts'
import { mayUndo, mayWithdraw } from './rules.ts'
import { openSlip, type Slip } from './slip.ts'
import { appendEvent } from './store.ts'

export interface StopRequest {
  patient: PatientKey
  by: string
  requester?: StopFact['requester']
  relation?: string
  identityCheck?: StopAsked['identityCheck']
  standing?: 'provisional' | 'confirmed'
  /** Omitted: every track, every operator, for ever: the broadest reading of what was said. */
  tracks?: Track[] | null
  operators?: OperatorId[] | null
  erasureAsked?: boolean
}

export interface Stopped extends Halted {
  stop: StopId
  patients: PatientKey[]
  /** The document of Art. 53, ready to print. */
  slip: Slip
}

interface StopFacts {
  stop: StopId
  patients: readonly PatientKey[]
  tracks: Track[] | null
  operators: OperatorId[] | null
  requester: StopFact['requester']
  relation?: string | undefined
  identityCheck: StopAsked['identityCheck']
  standing: 'provisional' | 'confirmed'
  origin: StopFact['origin']
  erasureAsked: boolean
  by: string
  askedAt: Instant
}

/** One stop over all charts of the person, and everything unsent of theirs leaves the outbox. */
export async function applyStop(tx: AgentTx, context: AgentContext, facts: StopFacts): Promise<Halted> {
  const now = context.env.now()
  for (const patient of facts.patients) {
    await appendEvent(tx, {
      type: 'stop-asked',
      event: context.env.id(),
      recordedAt: now,
      by: facts.by,
      patient,
      stop: facts.stop,
      tracks: facts.tracks,
      operators: facts.operators,
      requester: facts.requester,
      identityCheck: facts.identityCheck,
      standing: facts.standing,
      origin: facts.origin,
      erasureAsked: facts.erasureAsked,
      ...(facts.relation === undefined ? {} : { relation: facts.relation }),
    })
  }
  return haltPatients(tx, facts.patients, now)
}

async function handlesOf(tx: AgentTx, patients: readonly PatientKey[]): Promise<StopHandle[]> {
  const handles = new Set<StopHandle>()
  for (const patient of patients)
    for (const handle of (await patientStateOf(tx, patient)).handles) handles.add(handle)
  return [...handles]
}

/**
 * A stop asked at the counter: in force when this returns, on its way to the hub in the same transaction, with the
 * slip to print.
 */
export async function recordStop(context: AgentContext, asked: StopRequest): Promise<Stopped> {
  const now = context.env.now()
  return context.store.transact(
    (done) => ({
      act: 'stop.recorded',
      actor: asked.by,
      about: aboutPatient(context, asked.patient),
      detail: { charts: done.patients.length, dropped: done.dropped, erasure: asked.erasureAsked === true },
    }),
    async (tx) => {
      const facts: StopFacts = {
        stop: stopId(context.env.id()),
        patients: await chartsOfPerson(tx, asked.patient),
        tracks: asked.tracks ?? null,
        operators: asked.operators ?? null,
        requester: asked.requester ?? 'person',
        relation: asked.relation,
        identityCheck: asked.identityCheck ?? 'known',
        standing: asked.standing ?? 'confirmed',
        origin: 'counter',
        erasureAsked: asked.erasureAsked === true,
        by: asked.by,
        askedAt: now,
      }
      const halted = await applyStop(tx, context, facts)
      await enqueueControl(tx, context, {
        type: 'stop-reported',
        stop: facts.stop,
        patients: [...facts.patients],
        handles: await handlesOf(tx, facts.patients),
        tracks: facts.tracks,
        operators: facts.operators,
        requester: facts.requester,
        askedAt: now,
        erasureAsked: facts.erasureAsked,
      })
      const slip = await openSlip(tx, context, facts)
      return { ...halted, stop: facts.stop, patients: [...facts.patients], slip }
    },
  )
}

/** Ends a stop for sending again; a fresh notice and period are due by the fold, not here. */
async function reportWithdrawal(
  tx: AgentTx,
  context: AgentContext,
  stop: StopId,
  patients: PatientKey[],
): Promise<void> {
  await enqueueControl(tx, context, {
    type: 'stop-withdrawn-reported',
    stop,
    patients,
    withdrawnAt: context.env.now(),
  })
}

/** Only who asked takes a stop back; a relative cannot, a guardian's stop only the grown person may. */
export async function withdrawStop(
  context: AgentContext,
  asked: { stop: StopId; by: string; requester: StopFact['requester'] },
): Promise<void> {
  const events = await stopEvents(context.store.db, asked.stop)
  const [first] = events
  if (!first) throw new Refused('NOT_FOUND', 'stop')
  const { birthDate } = await patientStateOf(context.store.db, first.patient)
  const ownNoticeAge = context.rulesAt(context.env.now()).ownNoticeAge
  const today = tokyoDate(context.env.now())
  const child = birthDate !== null && today < birthdayAt(birthDate, ownNoticeAge)
  if (!mayWithdraw(first.requester, asked.requester, child)) throw new Refused('NOT_ALLOWED', 'withdrawal')
  await context.store.transact(
    { act: 'stop.withdrawn', actor: asked.by, about: aboutPatient(context, first.patient) },
    async (tx) => {
      for (const { patient } of events)
        await appendOpening(tx, {
          type: 'stop-withdrawn',
          event: context.env.id(),
          recordedAt: context.env.now(),
          by: asked.by,
          patient,
          stop: asked.stop,
          requester: asked.requester,
        })
      await reportWithdrawal(
        tx,
        context,
        asked.stop,
        events.map((e) => e.patient),
      )
      await endMergedStops(tx, context, asked.stop, first.patient)
    },
  )
}

/** The wrong patient was on the screen: taken back within ten minutes, as a new event. */
export async function undoStop(context: AgentContext, asked: { stop: StopId; by: string }): Promise<void> {
  const events = await stopEvents(context.store.db, asked.stop)
  const [first] = events
  if (!first) throw new Refused('NOT_FOUND', 'stop')
  if (first.origin !== 'counter' || !mayUndo(first.recordedAt, context.env.now()))
    throw new Refused('NOT_ALLOWED', 'undo')
  await context.store.transact(
    { act: 'stop.undone', actor: asked.by, about: aboutPatient(context, first.patient) },
    async (tx) => {
      for (const { patient } of events)
        await appendOpening(tx, {
          type: 'stop-undone',
          event: context.env.id(),
          recordedAt: context.env.now(),
          by: asked.by,
          patient,
          stop: asked.stop,
        })
      await reportWithdrawal(
        tx,
        context,
        asked.stop,
        events.map((e) => e.patient),
      )
      await endMergedStops(tx, context, asked.stop, first.patient)
      await tx
        .updateTable('slip')
        .set({ handed_at: context.env.now(), handed_by: asked.by, handed_how: 'undone' })
        .where('stop', '=', asked.stop)
        .where('handed_at', 'is', null)
        .execute()
    },
  )
}

/** The person asks that what was given already be erased at the operator; a plain stop does not ask for it. */
export async function askErasure(
  context: AgentContext,
  asked: { patient: PatientKey; stop?: StopId; by: string },
): Promise<{ patients: PatientKey[] }> {
  return context.store.transact(
    { act: 'erasure.asked', actor: asked.by, about: aboutPatient(context, asked.patient) },
    async (tx) => {
      const patients = await chartsOfPerson(tx, asked.patient)
      await enqueueControl(tx, context, {
        type: 'erasure-requested',
        patients,
        stop: asked.stop ?? null,
        askedAt: context.env.now(),
      })
      return { patients }
    },
  )
}
