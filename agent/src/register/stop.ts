import type { Instant } from '@kakehashi/protocol/env'
import type { StopAsked, StopChannelUsed } from '@kakehashi/protocol/events'
import {
  stopId,
  type FacilityId,
  type OperatorId,
  type PatientKey,
  type StopHandle,
  type StopId,
} from '@kakehashi/protocol/ids'
import type { StopFact, Track } from '@kakehashi/protocol/rules/state'
import { aboutPatient, type AgentContext } from '../context.ts'
import { haltPatients, type Halted } from '../outbox/halt.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { askElsewhere } from './elsewhere.ts'
import { chartsOfPerson, patientStateOf } from './read.ts'
import { othersNamed } from './rules.ts'
import { openSlip, type Slip } from './slip.ts'
import { appendEvent } from './store.ts'

export interface StopRequest {
  patient: PatientKey
  by: string
  requester?: StopFact['requester']
  /** Printed nowhere unless asked; never demanded. */
  requesterName?: string
  relation?: string
  identityCheck?: StopAsked['identityCheck']
  identityCheckedBy?: string
  device?: string
  standing?: 'provisional' | 'confirmed'
  /** Omitted: said at the window, now. A letter or a call may have come earlier; the stop is in force from now. */
  channel?: StopChannelUsed
  receivedAt?: Instant
  /** Omitted: this hospital; the person is told about the others. */
  hospitals?: 'this' | 'all' | FacilityId[]
  futureHospitals?: boolean
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
  more?: StopDetails
}

/** What is kept of a stop beyond what decides (LAW §2.7). */
type StopDetails = Pick<
  StopAsked,
  | 'requesterName'
  | 'identityCheckedBy'
  | 'device'
  | 'hospitals'
  | 'futureHospitals'
  | 'channel'
  | 'receivedAt'
>

function detailsOf(asked: StopRequest, now: Instant): StopDetails {
  return {
    channel: asked.channel ?? 'window',
    receivedAt: Math.min(asked.receivedAt ?? now, now),
    hospitals: asked.hospitals ?? 'this',
    ...(asked.futureHospitals === undefined ? {} : { futureHospitals: asked.futureHospitals }),
    ...(asked.requesterName === undefined ? {} : { requesterName: asked.requesterName }),
    ...(asked.identityCheckedBy === undefined ? {} : { identityCheckedBy: asked.identityCheckedBy }),
    ...(asked.device === undefined ? {} : { device: asked.device }),
  }
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
      ...facts.more,
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

async function chartNamed(tx: AgentTx, patient: PatientKey) {
  const row = await tx
    .selectFrom('patient_index')
    .select(['kanji', 'kana', 'birth_date'])
    .where('patient', '=', patient)
    .executeTakeFirst()
  return row && { name: row.kanji, kana: row.kana, birthDate: row.birth_date }
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
        askedAt: Math.min(asked.receivedAt ?? now, now),
        more: detailsOf(asked, now),
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
        askedAt: facts.askedAt,
        // stopped first, erased only when somebody has confirmed who asked (LAW §2.2)
        erasureAsked: facts.erasureAsked && facts.standing === 'confirmed',
      })
      const known = await chartNamed(tx, asked.patient)
      if (known)
        await askElsewhere(tx, context, {
          ...facts,
          patients: [...facts.patients],
          hospitals: asked.hospitals,
          known,
          requesterName: asked.requesterName,
        })
      const elsewhere = othersNamed(asked.hospitals, context.facility)
      const slip = await openSlip(tx, context, { ...facts, elsewhere })
      return { ...halted, stop: facts.stop, patients: [...facts.patients], slip }
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
