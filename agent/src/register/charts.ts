import type { PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { HoldReason, LocalDate } from '@kakehashi/protocol/rules/state'
import { aboutPatient, type AgentContext } from '../context.ts'
import { haltPatients, type Halted } from '../outbox/halt.ts'
import { keepLink } from '../patients/store.ts'
import { markToRead } from '../sources/store.ts'
import type { AgentTx } from '../store/store.ts'
import { endStopsOfUnmerged, tellMergedStops } from './merged-stops.ts'
import { holdIfNamed } from './name-stop.ts'
import { appendOpening } from './opening.ts'
import { appendEvent } from './store.ts'

/** A source showed this patient; written only when birth date or death differ from what the register knows. */
export async function notePatientSeen(
  tx: AgentTx,
  context: AgentContext,
  seen: { patient: PatientKey; birthDate: LocalDate | null; deceasedOn: LocalDate | null },
): Promise<boolean> {
  await holdIfNamed(tx, context, seen.patient)
  const last = await tx
    .selectFrom('register_event')
    .select('body')
    .where('patient', '=', seen.patient)
    .where('type', '=', 'patient-seen')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (last) {
    const known = JSON.parse(last.body) as typeof seen
    if (known.birthDate === seen.birthDate && known.deceasedOn === seen.deceasedOn) return false
  }
  await appendEvent(tx, {
    type: 'patient-seen',
    event: context.env.id(),
    recordedAt: context.env.now(),
    by: 'source',
    ...seen,
  })
  return true
}

/**
 * A source says that one chart stands for another. Nobody confirmed it, so both are held and listed until staff say
 * whether they are one person (LAW trap 27); what staff said before is not touched.
 */
export async function noteLink(
  tx: AgentTx,
  context: Pick<AgentContext, 'env'>,
  link: { from: PatientKey; to: PatientKey; kind: string },
): Promise<void> {
  const now = context.env.now()
  await keepLink(tx, link, now)
  if (link.kind !== 'replaced-by' && link.kind !== 'replaces') return
  if (link.from === link.to) return
  const known = await tx
    .selectFrom('register_event')
    .select('seq')
    .where('type', 'in', ['charts-merged', 'charts-unmerged'])
    .where((e) =>
      e.or([
        e.and([e('patient', '=', link.from), e('other', '=', link.to)]),
        e.and([e('patient', '=', link.to), e('other', '=', link.from)]),
      ]),
    )
    .executeTakeFirst()
  if (known) return
  await appendEvent(tx, {
    type: 'charts-merged',
    event: context.env.id(),
    recordedAt: now,
    by: 'source',
    patient: link.from,
    other: link.to,
    certain: false,
  })
  await haltPatients(tx, [link.from, link.to], now)
}

export async function setHold(
  context: AgentContext,
  asked: { patient: PatientKey; reason: HoldReason; by: string },
): Promise<Halted> {
  return context.store.transact(
    {
      act: 'hold.set',
      actor: asked.by,
      about: aboutPatient(context, asked.patient),
      detail: { reason: asked.reason },
    },
    async (tx) => {
      await appendEvent(tx, {
        type: 'hold-set',
        event: context.env.id(),
        recordedAt: context.env.now(),
        ...asked,
      })
      return haltPatients(tx, [asked.patient], context.env.now())
    },
  )
}

/** `approvedBy`: the second person, where there was one. */
export async function clearHold(
  context: AgentContext,
  asked: { patient: PatientKey; reason: HoldReason; by: string; approvedBy?: string },
): Promise<void> {
  await context.store.transact(
    {
      act: 'hold.cleared',
      actor: asked.by,
      about: aboutPatient(context, asked.patient),
      detail: { reason: asked.reason },
    },
    (tx) =>
      appendOpening(tx, {
        type: 'hold-cleared',
        event: context.env.id(),
        recordedAt: context.env.now(),
        ...asked,
      }),
  )
}

/** Two charts are one person (`certain`), or may be: then the other is held and listed. */
export async function mergeCharts(
  context: AgentContext,
  asked: { patient: PatientKey; other: PatientKey; certain: boolean; by: string },
): Promise<{ stops: number }> {
  return context.store.transact(
    (done) => ({
      act: 'charts.merged',
      actor: asked.by,
      about: aboutPatient(context, asked.patient),
      detail: { certain: asked.certain, stops: done.stops },
    }),
    async (tx) => {
      await appendOpening(tx, {
        type: 'charts-merged',
        event: context.env.id(),
        recordedAt: context.env.now(),
        ...asked,
      })
      await haltPatients(tx, [asked.patient, asked.other], context.env.now())
      return { stops: asked.certain ? await tellMergedStops(tx, context, asked.patient) : 0 }
    },
  )
}

/** The merge was an error, two people say so: it may open the gate for a chart that the other one's stop had closed. */
export async function unmergeCharts(
  context: AgentContext,
  asked: { patient: PatientKey; other: PatientKey; approvedBy: string; by: string },
): Promise<void> {
  if (!asked.approvedBy || asked.approvedBy === asked.by) throw new Refused('NOT_ALLOWED', 'approvedBy')
  await context.store.transact(
    { act: 'charts.unmerged', actor: asked.by, about: aboutPatient(context, asked.patient) },
    async (tx) => {
      await endStopsOfUnmerged(tx, context, [asked.patient, asked.other])
      await markToRead(tx, asked.other, context.env.now())
      await appendOpening(tx, {
        type: 'charts-unmerged',
        event: context.env.id(),
        recordedAt: context.env.now(),
        ...asked,
      })
      await haltPatients(tx, [asked.patient, asked.other], context.env.now())
    },
  )
}
