import type { Instant } from '@kakehashi/protocol/env'
import type { OperatorId, PatientKey, StopId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { EntityFacts, StopFact, Track } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import type { AgentTx } from '../store/store.ts'
import { facilityStateOf, type RegisterReader } from './read.ts'
import { slipNumber } from './rules.ts'

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
    askedAt: Instant
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
  return slip
}

export async function slipOf(db: RegisterReader, number: string): Promise<Slip | null> {
  const row = await db.selectFrom('slip').select('body').where('number', '=', number).executeTakeFirst()
  return row ? (JSON.parse(row.body) as Slip) : null
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

/** The task ends only when the paper was handed over (LAW trap 23). */
export async function handSlip(
  context: AgentContext,
  asked: { number: string; by: string; how?: 'handed' | 'posted' },
): Promise<void> {
  await context.store.transact(
    { act: 'slip.handed', actor: asked.by, detail: { number: asked.number, how: asked.how ?? 'handed' } },
    async (tx) => {
      const done = await tx
        .updateTable('slip')
        .set({ handed_at: context.env.now(), handed_by: asked.by, handed_how: asked.how ?? 'handed' })
        .where('number', '=', asked.number)
        .where('handed_at', 'is', null)
        .executeTakeFirst()
      if (Number(done.numUpdatedRows) !== 1) throw new Refused('NOT_FOUND', 'slip')
    },
  )
}
