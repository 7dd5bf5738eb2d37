import type { StopAsked, StopDismissed } from '@kakehashi/protocol/events'
import type { PatientKey, StopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { StopFact } from '@kakehashi/protocol/rules/state'
import { aboutPatient, type AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { refuseUnsureClock } from './clock.ts'
import { endMergedStops } from './merged-stops.ts'
import { reportElsewhere } from './elsewhere.ts'
import { appendOpening } from './opening.ts'
import { isByName, isOpenByName, patientStateOf, stopEvents } from './read.ts'
import { mayTakeBack, mayUndo, othersNamed } from './rules.ts'
import { closeUndoneSlips } from './slip.ts'

async function askedStop(context: AgentContext, stop: StopId): Promise<[StopAsked, ...StopAsked[]]> {
  const [first, ...others] = await stopEvents(context.store.db, stop)
  if (!first) throw new Refused('NOT_FOUND', 'stop')
  return [first, ...others]
}

/**
 * The same of one person alone. A stop by name holds charts of several people until two people settle who was meant:
 * until then none of them can end or confirm it, and afterwards only who was meant.
 */
async function askedOfOne(context: AgentContext, stop: StopId): Promise<[StopAsked, ...StopAsked[]]> {
  const { db } = context.store
  const events = await askedStop(context, stop)
  if (!(await isByName(db, stop))) return events
  const meant: StopAsked[] = []
  if (!(await isOpenByName(db, stop)))
    for (const event of events) {
      const { stops } = await patientStateOf(db, event.patient)
      if (stops.some((one) => one.stop === stop && one.standing !== 'undone')) meant.push(event)
    }
  const [first, ...others] = meant
  if (!first) throw new Refused('NOT_ALLOWED', 'name-stop')
  return [first, ...others]
}

const chartsIn = (events: readonly StopAsked[]): PatientKey[] => events.map((event) => event.patient)

/** The vault is told that the stop ended, for the charts it was asked for and those a merge had added. */
async function reportEnd(
  tx: AgentTx,
  context: AgentContext,
  stop: StopId,
  events: readonly [StopAsked, ...StopAsked[]],
  undone: boolean,
): Promise<void> {
  await enqueueControl(tx, context, {
    type: 'stop-withdrawn-reported',
    stop,
    patients: chartsIn(events),
    withdrawnAt: context.env.now(),
    ...(undone ? { undone: true as const } : {}),
  })
  await endMergedStops(tx, context, stop, events[0].patient, undone)
}

/** Whether the operator was asked to stop other hospitals, too. */
export async function namesOthers(context: AgentContext, stop: StopId): Promise<boolean> {
  const [asked] = await stopEvents(context.store.db, stop)
  return asked !== undefined && othersNamed(asked.hospitals, context.facility) !== null
}

export interface Withdrawal {
  stop: StopId
  by: string
  /** The other hospitals that were named are to go on, too. */
  elsewhere?: true
  requester: StopFact['requester']
  requesterName?: string
  identityCheck?: StopAsked['identityCheck']
}

/**
 * Only who asked takes a stop back: not a relative, a guardian only their own and only until 16, and not somebody of
 * another name. A fresh notice and a fresh period are due then, by the fold, not here.
 */
export async function withdrawStop(context: AgentContext, asked: Withdrawal): Promise<void> {
  await refuseUnsureClock(context)
  const events = await askedOfOne(context, asked.stop)
  const [first] = events
  const now = context.env.now()
  const { birthDate } = await patientStateOf(context.store.db, first.patient)
  if (!mayTakeBack(first, { ...asked, recordedAt: now }, birthDate))
    throw new Refused('NOT_ALLOWED', 'withdrawal')
  await context.store.transact(
    { act: 'stop.withdrawn', actor: asked.by, about: aboutPatient(context, first.patient) },
    async (tx) => {
      for (const { patient } of events)
        await appendOpening(tx, {
          type: 'stop-withdrawn',
          event: context.env.id(),
          recordedAt: now,
          patient,
          ...asked,
        })
      await reportEnd(tx, context, asked.stop, events, false)
      if (asked.elsewhere) await reportElsewhere(tx, context, first, chartsIn(events), false)
    },
  )
}

/** The wrong patient was on the screen: taken back within ten minutes, as a new event. */
export async function undoStop(context: AgentContext, asked: { stop: StopId; by: string }): Promise<void> {
  const events = await askedStop(context, asked.stop)
  const [first] = events
  const now = context.env.now()
  if (await isByName(context.store.db, asked.stop)) throw new Refused('NOT_ALLOWED', 'name-stop')
  if (first.origin !== 'counter' || !mayUndo(first.recordedAt, now)) throw new Refused('NOT_ALLOWED', 'undo')
  await context.store.transact(
    { act: 'stop.undone', actor: asked.by, about: aboutPatient(context, first.patient) },
    async (tx) => {
      for (const { patient } of events)
        await appendOpening(tx, {
          type: 'stop-undone',
          event: context.env.id(),
          recordedAt: now,
          by: asked.by,
          patient,
          stop: asked.stop,
        })
      await reportEnd(tx, context, asked.stop, events, true)
      await reportElsewhere(tx, context, first, chartsIn(events), true)
      await closeUndoneSlips(tx, context, asked.stop, asked.by)
    },
  )
}

/**
 * Who asked provisionally is who they said they were: from now on only a withdrawal ends the stop, and what they asked to
 * be erased is.
 */
export async function confirmStop(
  context: AgentContext,
  asked: { stop: StopId; identityCheck: StopAsked['identityCheck']; by: string },
): Promise<void> {
  const events = await askedOfOne(context, asked.stop)
  const { stops } = await patientStateOf(context.store.db, events[0].patient)
  const fresh = stops.find((one) => one.stop === asked.stop)?.standing === 'provisional'
  await context.store.transact(
    { act: 'stop.confirmed', actor: asked.by, about: aboutPatient(context, events[0].patient) },
    async (tx) => {
      for (const { patient } of events)
        await appendOpening(tx, {
          type: 'stop-confirmed',
          event: context.env.id(),
          recordedAt: context.env.now(),
          patient,
          ...asked,
        })
      if (fresh && events.some((event) => event.erasureAsked))
        await enqueueControl(tx, context, {
          type: 'erasure-requested',
          patients: chartsIn(events),
          stop: asked.stop,
          askedAt: context.env.now(),
        })
    },
  )
}

/** A provisional stop turned out to be somebody else's. Two people say so; a confirmed stop is not theirs to end. */
export async function dismissStop(
  context: AgentContext,
  asked: { stop: StopId; reason: StopDismissed['reason']; approvedBy: string; by: string },
): Promise<void> {
  if (!asked.approvedBy || asked.approvedBy === asked.by) throw new Refused('NOT_ALLOWED', 'approvedBy')
  const events = await askedStop(context, asked.stop)
  if (await isByName(context.store.db, asked.stop)) throw new Refused('NOT_ALLOWED', 'name-stop')
  for (const { patient } of events) {
    const { stops } = await patientStateOf(context.store.db, patient)
    if (stops.find((s) => s.stop === asked.stop)?.standing !== 'provisional')
      throw new Refused('NOT_ALLOWED', 'stop')
  }
  const { by, approvedBy, reason, stop } = asked
  await context.store.transact(
    { act: 'stop.dismissed', actor: by, about: aboutPatient(context, events[0].patient), detail: { reason } },
    async (tx) => {
      for (const { patient } of events)
        await appendOpening(tx, {
          type: 'stop-dismissed',
          event: context.env.id(),
          recordedAt: context.env.now(),
          patient,
          ...{ by, approvedBy, reason, stop },
        })
      await reportEnd(tx, context, stop, events, true)
      await reportElsewhere(tx, context, events[0], chartsIn(events), true)
    },
  )
}
