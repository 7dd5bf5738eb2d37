import type { Instant } from '@kakehashi/protocol/env'
import type { SlipMoved } from '@kakehashi/protocol/events'
import {
  stopId,
  type FacilityId,
  type OperatorId,
  type PatientKey,
  type StopId,
} from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { EntityFacts, StopFact, Track } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { enqueueControl } from '../uplink/store.ts'
import { electronicAgreed, facilityStateOf, isProtected, stopEvents, type RegisterReader } from './read.ts'
import { slipNumber } from './rules.ts'
import { appendEvent } from './store.ts'

/** The document of Art. 53 (書面の交付), as printed and as kept. It names no patient: the paper is handed to one. */
export interface Slip {
  number: string
  stop: StopId
  /** When the stop was asked; a stop made at the operator counts from there. */
  askedAt: Instant
  entity: EntityFacts | null
  facility: string
  requester: StopFact['requester']
  relation: string | null
  origin: StopFact['origin']
  /** `null`: every track / every operator. */
  tracks: Track[] | null
  operators: OperatorId[] | null
  charts: number
  erasureAsked: boolean
  /** The other hospitals that the operator was asked to stop, too. */
  elsewhere?: 'all' | FacilityId[]
  operatorName: string
  operatorAddress: string
}

export interface SlipTask {
  slip: Slip
  openedAt: Instant
  handedAt: Instant | null
  /** Since the stop was asked: the duty is "without delay". */
  ageMs: number
}

/** Opens the task of handing over the document; the copy kept is the one printed. */
export async function openSlip(
  tx: AgentTx,
  context: AgentContext,
  facts: {
    stop: StopId
    patients: readonly PatientKey[]
    tracks: Track[] | null
    operators: OperatorId[] | null
    requester: StopFact['requester']
    relation?: string | undefined
    origin: StopFact['origin']
    erasureAsked: boolean
    elsewhere?: 'all' | FacilityId[] | null
    askedAt: Instant
    by?: string
  },
): Promise<Slip> {
  const facility = await facilityStateOf(tx, context.facility)
  const slip: Slip = {
    number: slipNumber(context.env.now(), context.env.random(6)),
    stop: facts.stop,
    askedAt: facts.askedAt,
    entity: facility?.entity ?? null,
    facility: context.facility,
    requester: facts.requester,
    relation: facts.relation ?? null,
    origin: facts.origin,
    tracks: facts.tracks,
    operators: facts.operators,
    charts: facts.patients.length,
    erasureAsked: facts.erasureAsked,
    ...(facts.elsewhere ? { elsewhere: facts.elsewhere } : {}),
    operatorName: context.hub.operatorName,
    operatorAddress: context.hub.operatorAddress,
  }
  await tx
    .insertInto('slip')
    .values({
      number: slip.number,
      stop: slip.stop,
      asked_at: slip.askedAt,
      opened_at: context.env.now(),
      body: JSON.stringify(slip),
      handed_at: null,
      handed_by: null,
      handed_how: null,
    })
    .execute()
  const by = facts.by ?? 'operator'
  await appendMove(tx, context, { stop: facts.stop, document: slip.number, move: 'opened', by })
  return slip
}

export async function slipsOfStop(db: RegisterReader, stop: StopId): Promise<Slip[]> {
  const rows = await db.selectFrom('slip').select('body').where('stop', '=', stop).execute()
  return rows.map((row) => JSON.parse(row.body) as Slip)
}

/** Documents not yet handed over, the oldest request first. */
export async function openSlips(db: RegisterReader, now: Instant): Promise<SlipTask[]> {
  const rows = await db
    .selectFrom('slip')
    .selectAll()
    .where('handed_at', 'is', null)
    .orderBy('asked_at')
    .execute()
  return rows.map((row) => ({
    slip: JSON.parse(row.body) as Slip,
    openedAt: row.opened_at,
    handedAt: row.handed_at,
    ageMs: Math.max(0, now - row.asked_at),
  }))
}

/** Documents of these stops that went out without the requester standing there, and may come back. */
export async function slipsSentOut(
  db: RegisterReader,
  stops: readonly StopId[],
): Promise<{ number: string; handedAt: Instant }[]> {
  if (stops.length === 0) return []
  const rows = await db
    .selectFrom('slip')
    .select(['number', 'handed_at'])
    .where('stop', 'in', [...stops])
    .where('handed_how', 'in', ['posted', 'electronic'])
    .execute()
  return rows.map((row) => ({ number: row.number, handedAt: row.handed_at ?? 0 }))
}

type SlipRow = { number: string; stop: string; handed_at: number | null }

async function slipRow(tx: AgentTx, number: string): Promise<SlipRow> {
  const row = await tx
    .selectFrom('slip')
    .select(['number', 'stop', 'handed_at'])
    .where('number', '=', number)
    .executeTakeFirst()
  if (!row) throw new Refused('NOT_FOUND', 'slip')
  return row
}

async function patientOfSlip(tx: AgentTx, stop: StopId): Promise<PatientKey | null> {
  return (await stopEvents(tx, stop))[0]?.patient ?? null
}

type Move = { stop: StopId; document: string; move: SlipMoved['move']; by: string }

/**
 * What became of a document, as an event of the person whose stop it confirms; nobody's while no chart is found. That it
 * went out or came back is also reported: the operator's desk sees at which hospital it is still owed.
 */
async function appendMove(tx: AgentTx, context: AgentContext, said: Move): Promise<void> {
  const events = await stopEvents(tx, said.stop)
  const patients = [...new Set(events.map((event) => event.patient))]
  const { stop, document, move } = said
  if (move !== 'opened' && move !== 'undone')
    await enqueueControl(tx, context, {
      type: 'slip-handed',
      ...{ stop, document, move, patients },
      movedAt: context.env.now(),
    })
  const [patient] = patients
  if (patient === undefined) return
  await appendEvent(tx, {
    type: 'slip-moved',
    event: context.env.id(),
    recordedAt: context.env.now(),
    patient,
    ...said,
  })
}

export interface SlipHanded {
  number: string
  by: string
  /** Omitted: on paper, into the requester's hand. */
  how?: 'handed' | 'posted' | 'electronic'
  /** Posted: the requester named this address now; without it nothing goes to a person under protection. */
  addressAgreed?: boolean
}

/**
 * The task ends only when the document went out (LAW trap 23): in electronic form only to who agreed before (trap 24),
 * by post to a person under protection only on an address agreed with them (trap 36).
 */
export async function handSlip(context: AgentContext, asked: SlipHanded): Promise<void> {
  const how = asked.how ?? 'handed'
  await context.store.transact(
    { act: 'slip.handed', actor: asked.by, detail: { number: asked.number, how } },
    async (tx) => {
      const row = await slipRow(tx, asked.number)
      if (row.handed_at !== null) throw new Refused('NOT_FOUND', 'slip')
      const stop = stopId(row.stop)
      const now = context.env.now()
      if (how === 'electronic' && !(await electronicAgreed(tx, stop, now)))
        throw new Refused('NOT_ALLOWED', 'electronic')
      const patient = await patientOfSlip(tx, stop)
      if (how === 'posted' && asked.addressAgreed !== true && patient && (await isProtected(tx, patient)))
        throw new Refused('NOT_ALLOWED', 'address')
      await tx
        .updateTable('slip')
        .set({ handed_at: now, handed_by: asked.by, handed_how: how })
        .where('number', '=', asked.number)
        .execute()
      await appendMove(tx, context, { stop, document: asked.number, move: how, by: asked.by })
    },
  )
}

/** The letter or the message came back: the task is open again, its age counted from the request as before. */
export async function bounceSlip(
  context: AgentContext,
  asked: { number: string; by: string },
): Promise<void> {
  await context.store.transact(
    { act: 'slip.bounced', actor: asked.by, detail: { number: asked.number } },
    async (tx) => {
      const row = await slipRow(tx, asked.number)
      if (row.handed_at === null) throw new Refused('NOT_FOUND', 'slip')
      await tx
        .updateTable('slip')
        .set({ handed_at: null, handed_by: null, handed_how: null })
        .where('number', '=', asked.number)
        .execute()
      await appendMove(tx, context, {
        stop: stopId(row.stop),
        document: asked.number,
        move: 'bounced',
        by: asked.by,
      })
    },
  )
}

/** The requester agrees to an electronic record in place of paper, or takes that back; before it is issued. */
export async function agreeElectronicSlip(
  context: AgentContext,
  asked: { stop: StopId; agreed: boolean; by: string },
): Promise<void> {
  await context.store.transact(
    { act: 'slip.electronic-agreed', actor: asked.by, detail: { agreed: asked.agreed } },
    async (tx) => {
      const patient = await patientOfSlip(tx, asked.stop)
      if (patient === null) throw new Refused('NOT_FOUND', 'stop')
      await appendEvent(tx, {
        type: 'electronic-slip-agreed',
        event: context.env.id(),
        recordedAt: context.env.now(),
        patient,
        ...asked,
      })
    },
  )
}

/** The stop was undone: no document is owed any more. */
export async function closeUndoneSlips(
  tx: AgentTx,
  context: AgentContext,
  stop: StopId,
  by: string,
): Promise<void> {
  const open = await tx
    .selectFrom('slip')
    .select('number')
    .where('stop', '=', stop)
    .where('handed_at', 'is', null)
    .execute()
  for (const { number } of open) {
    await tx
      .updateTable('slip')
      .set({ handed_at: context.env.now(), handed_by: by, handed_how: 'undone' })
      .where('number', '=', number)
      .execute()
    await appendMove(tx, context, { stop, document: number, move: 'undone', by })
  }
}
