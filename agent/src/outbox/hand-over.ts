import type { Instant } from '@kakehashi/protocol/env'
import { UPLOAD_PART_BYTES_MAX } from '@kakehashi/protocol/limits'
import type { BatchId } from '@kakehashi/protocol/ids'
import type { GatewayAck } from '@kakehashi/protocol/messages'
import type { RefusalCode } from '@kakehashi/protocol/refusals'
import type { ItemClass } from '@kakehashi/protocol/rules/state'
import type { AgentContext } from '../context.ts'
import { decidePatient, openGate } from '../gate/flow.ts'
import { seeTime } from '../register/store.ts'
import type { AgentTx } from '../store/store.ts'
import { dropBatch, haltFlight } from './halt.ts'
import {
  batchesOnLeg,
  batchOf,
  claimable,
  moveBatch,
  patientsOfBatch,
  type BatchRow,
  type Leg,
} from './store.ts'

const RECEIPT_MS_EXPECTED = 24 * 3600 * 1000

type Claim =
  | { t: 'none' }
  | { t: 'claimed'; batch: BatchRow; patients: number }
  | { t: 'dropped'; batch: BatchRow; code: RefusalCode }

/** Why the batch may not go after all: asked of the present register for each patient and item class in it. */
async function denialOf(tx: AgentTx, context: AgentContext, batch: BatchRow): Promise<RefusalCode | null> {
  const question = await openGate(tx, context, batch.operator, batch.track)
  const rules = context.rulesAt(question.now)
  if (question.now - batch.createdAt > rules.operatorStatusAgeMs) return 'OPERATOR_STATUS_STALE'
  for (const { patient, items } of await patientsOfBatch(tx, batch.batch)) {
    const decision = await decidePatient(tx, context, patient, question)
    for (const item of JSON.parse(items) as ItemClass[]) {
      const answer = decision.items.get(item)
      if (!answer) return decision.code ?? 'STATE_UNREADABLE'
      if (!answer.allow) return answer.code
    }
    if (!decision.allowed) return decision.code ?? 'STATE_UNREADABLE'
  }
  return null
}

async function claimOne(context: AgentContext): Promise<Claim> {
  const now = context.env.now()
  return context.store.transact(
    (claim: Claim) => {
      if (claim.t === 'none') return null
      const detail = { batch: claim.batch.batch, rules: context.rulesAt(now).version }
      return claim.t === 'claimed'
        ? { act: 'batch.handed', actor: 'gate', detail: { ...detail, patients: claim.patients } }
        : { act: 'batch.dropped', actor: 'gate', detail: { ...detail, code: claim.code } }
    },
    async (tx): Promise<Claim> => {
      // one job runs at a time: whoever claimed before got no further, because the disk refused the next step
      await requeueClaims(tx, now)
      const batch = await claimable(tx)
      if (!batch) return { t: 'none' }
      const code = await denialOf(tx, context, batch)
      await seeTime(tx, now)
      if (code) {
        await dropBatch(tx, batch, now)
        return { t: 'dropped', batch, code }
      }
      await moveBatch(tx, batch.batch, 'queued', 'claimed', now)
      return { t: 'claimed', batch, patients: (await patientsOfBatch(tx, batch.batch)).length }
    },
  )
}

/**
 * The only door out. Claims the oldest batch whose turn it is, if the gate, asked in this very transaction, still
 * allows every patient of it; otherwise the batch is dropped and its patients are read again (LAW trap 6).
 */
export async function handOver(context: AgentContext): Promise<BatchRow | null> {
  for (;;) {
    const claim = await claimOne(context)
    if (claim.t === 'none') return null
    if (claim.t === 'claimed') return claim.batch
    context.log('outbox.dropped', { batch: claim.batch.batch, code: claim.code })
  }
}

/**
 * A batch that was under way when we last stopped, that a stop halted, or that has lain at the gateway for long without
 * a receipt: the gateway is asked about it first.
 */
export async function unsettled(context: AgentContext): Promise<BatchRow | null> {
  const { db } = context.store
  const [flying] = await batchesOnLeg(db, ['in-flight'])
  if (flying) return flying
  const old = await db
    .selectFrom('outbox_batch')
    .select('batch')
    .where('leg', '=', 'at-gateway')
    .where('moved_at', '<=', context.env.now() - RECEIPT_MS_EXPECTED)
    .orderBy('moved_at')
    .limit(1)
    .executeTakeFirst()
  return old ? batchOf(db, old.batch as BatchId) : null
}

/** From here on bytes may have left. False when a stop took the batch back meanwhile. */
export async function beginFlight(context: AgentContext, batch: BatchId): Promise<boolean> {
  return context.store.bookkeep((tx) => moveBatch(tx, batch, 'claimed', 'in-flight', context.env.now()))
}

/**
 * The next bytes to send, or `null` when nothing more of this batch may leave. However long the upload paused, the gate
 * is asked again in the transaction that hands these bytes on; its first no halts the batch for good.
 */
export async function takePart(
  context: AgentContext,
  batch: BatchId,
  offset: number,
): Promise<{ bytes: Uint8Array; size: number; digest: string } | null> {
  return context.store.bookkeep(async (tx) => {
    const row = await batchOf(tx, batch)
    if (!row || row.leg !== 'in-flight' || row.halted) return null
    const code = await denialOf(tx, context, row)
    await seeTime(tx, context.env.now())
    if (code !== null) {
      context.log('outbox.halted', { batch, code })
      await haltFlight(tx, batch)
      return null
    }
    const part = await tx
      .selectFrom('outbox_part')
      .select(['start', 'bytes'])
      .where('batch', '=', batch)
      .where('start', '<=', offset)
      .orderBy('start', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (!part) return null
    const from = offset - part.start
    const bytes = part.bytes.subarray(from, from + UPLOAD_PART_BYTES_MAX)
    return bytes.length === 0 ? null : { bytes, size: row.size, digest: row.digest }
  })
}

/** "Stored durably at the gateway": moves the batch on, frees nothing. */
export async function markAtGateway(context: AgentContext, ack: GatewayAck): Promise<boolean> {
  return context.store.transact(
    (moved: boolean) =>
      moved
        ? { act: 'batch.stored', actor: 'gateway', detail: { batch: ack.batch, digest: ack.digest } }
        : null,
    async (tx) => {
      const row = await batchOf(tx, ack.batch)
      if (!row || row.digest !== ack.digest) return false
      return moveBatch(tx, ack.batch, 'in-flight', 'at-gateway', context.env.now())
    },
  )
}

/** The gateway will never take this batch as it is: dropped, and its patients are read and sealed anew. */
export async function refuseFlight(context: AgentContext, batch: BatchId, code: RefusalCode): Promise<void> {
  context.log('outbox.refused-by-gateway', { batch, code })
  await context.store.transact(
    (dropped: boolean) =>
      dropped ? { act: 'batch.dropped', actor: 'gateway', detail: { batch, code } } : null,
    async (tx) => {
      const row = await batchOf(tx, batch)
      if (row?.leg !== 'in-flight') return false
      await dropBatch(tx, row, context.env.now())
      return true
    },
  )
}

/** `abandon`: no further byte goes, and the gateway is to drop what it has before we do. */
export type Settled = { t: 'upload'; offset: number } | { t: 'abandon' } | { t: 'over' }

/** Still there: asked again in a day. Gone (the gateway lost its store): it waits again, and the gate is asked again. */
async function settleOld(context: AgentContext, row: BatchRow, stored: boolean): Promise<Settled> {
  const now = context.env.now()
  await context.store.bookkeep(async (tx) => {
    if (stored)
      await tx.updateTable('outbox_batch').set({ moved_at: now }).where('batch', '=', row.batch).execute()
    else await moveBatch(tx, row.batch, 'at-gateway', 'queued', now)
  })
  if (!stored) context.log('outbox.lost-by-gateway', { batch: row.batch })
  return { t: 'over' }
}

/** What the gateway has of an unsettled batch decides how it goes on. */
export async function settle(
  context: AgentContext,
  batch: BatchId,
  held: { state: 'absent' | 'partial' | 'stored'; received: number; digest: string | null },
): Promise<Settled> {
  const row = await batchOf(context.store.db, batch)
  if (row?.leg === 'at-gateway') return settleOld(context, row, held.state === 'stored')
  if (!row || row.leg !== 'in-flight') return { t: 'over' }
  if (held.digest !== null && held.digest !== row.digest) {
    await refuseFlight(context, batch, 'BATCH_REPLAYED')
    return { t: 'over' }
  }
  if (held.state === 'stored') {
    await markAtGateway(context, { batch, digest: row.digest, storedAt: context.env.now() })
    return { t: 'over' }
  }
  if (!row.halted && held.state === 'absent') {
    // nothing of it arrived, perhaps days ago: the gate is asked anew before it leaves once more
    await context.store.bookkeep((tx) => moveBatch(tx, batch, 'in-flight', 'queued', context.env.now()))
    return { t: 'over' }
  }
  return row.halted ? { t: 'abandon' } : { t: 'upload', offset: held.received }
}

/**
 * The gateway dropped the bytes it had and will take none of this batch again (`absent`), or had been given the last
 * part before it was asked (`stored`): then the vault decides, which is told of every stop first.
 */
export async function abandoned(
  context: AgentContext,
  batch: BatchId,
  state: 'absent' | 'stored',
): Promise<void> {
  const row = await batchOf(context.store.db, batch)
  if (row?.leg !== 'in-flight') return
  if (state === 'stored') {
    await markAtGateway(context, { batch, digest: row.digest, storedAt: context.env.now() })
    return
  }
  await context.store.transact(
    (code: RefusalCode) => ({ act: 'batch.dropped', actor: 'gate', detail: { batch, code } }),
    async (tx) => {
      const code = await denialOf(tx, context, row)
      await dropBatch(tx, row, context.env.now())
      return code ?? 'STOPPED'
    },
  )
}

/** What was claimed and went no further certainly never left: it waits again. */
async function requeueClaims(tx: AgentTx, now: Instant): Promise<number> {
  const back = await tx
    .updateTable('outbox_batch')
    .set({ leg: 'queued' satisfies Leg, moved_at: now })
    .where('leg', '=', 'claimed' satisfies Leg)
    .executeTakeFirst()
  return Number(back.numUpdatedRows)
}

/** After a crash: what was claimed never left, so it waits again; what was in flight is asked about. */
export async function recoverOutbox(context: AgentContext): Promise<{ requeued: number; unsettled: number }> {
  const now = context.env.now()
  return context.store.bookkeep(async (tx) => {
    const requeued = await requeueClaims(tx, now)
    return { requeued, unsettled: (await batchesOnLeg(tx, ['in-flight'])).length }
  })
}
