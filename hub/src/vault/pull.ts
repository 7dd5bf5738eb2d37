import { readControlEnvelope } from '@kakehashi/protocol/control'
import { batchId } from '@kakehashi/protocol/ids'
import { CONTROL_PAGE_MAX } from '@kakehashi/protocol/limits'
import { Refused } from '@kakehashi/protocol/refusals'
import { admitBatch, type Admitted } from './admit.ts'
import { awaitsAcknowledgement } from '../requests/unplaced.ts'
import { applyControl } from './controls.ts'
import type { Waiting } from './open.ts'
import type { VaultParts } from './parts.ts'
import { PeerFailed, type Peer } from './peer.ts'

const BATCHES_PER_ROUND_MAX = 50
const LIST_MAX = 100

/** Takes the agents' messages; always before batches, so that a stop overtakes what was sent before it. */
export async function pullControls(parts: VaultParts, peer: Peer): Promise<number> {
  let taken = 0
  for (;;) {
    const { messages } = await peer.getJson<{ messages: unknown[] }>('/v1/vault/control')
    if (messages.length === 0) return taken
    const done: string[] = []
    for (const message of messages) {
      const envelope = readControlEnvelope(message)
      if (envelope) await applyControl(parts, envelope)
      const named = (message as { message?: unknown } | null)?.message
      if (typeof named === 'string') done.push(named)
    }
    await peer.post('/v1/vault/control/acks', { messages: done })
    taken += done.length
    if (messages.length < CONTROL_PAGE_MAX || done.length === 0) return taken
  }
}

export interface BatchRound {
  seen: number
  accepted: number
  refused: number
  waits: number
  more: boolean
}

/**
 * Takes waiting batches in order of arrival, each to its end: decided, receipt queued, sealed bytes dropped.
 * @NOTE `catchUp` runs after the list was read and before each batch, so that whatever was said or asked before a
 * batch arrived is known when it is judged; when it fails, nothing is judged.
 */
export async function pullBatches(
  parts: VaultParts,
  peer: Peer,
  catchUp: () => Promise<void>,
): Promise<BatchRound> {
  const round: BatchRound = { seen: 0, accepted: 0, refused: 0, waits: 0, more: false }
  let after = 0
  // those that wait are passed by: one hospital's must not stand in the way of another's
  for (;;) {
    const list = await peer.getJson<Waiting[]>(`/v1/vault/batches?after=${after}&limit=${LIST_MAX}`)
    for (const waiting of list) {
      round.more = round.seen - round.waits >= BATCHES_PER_ROUND_MAX
      if (round.more) return round
      if (!(await awaitsAcknowledgement(parts.ops.db, waiting.agent))) await catchUp()
      await count(round, parts, peer, waiting)
    }
    const last = list.at(-1)
    if (!last) return round
    after = last.seq
  }
}

async function count(round: BatchRound, parts: VaultParts, peer: Peer, waiting: Waiting): Promise<void> {
  round.seen++
  const held = await awaitsAcknowledgement(parts.ops.db, waiting.agent)
  const outcome = held ? 'waits' : await takeOne(parts, peer, waiting)
  if (outcome === 'waits') round.waits++
  else if (outcome === 'refused') round.refused++
  else round.accepted++
  if (outcome !== 'waits') await dropSealed(parts, peer, waiting.batch)
}

async function takeOne(parts: VaultParts, peer: Peer, waiting: Waiting): Promise<Admitted['outcome']> {
  const path = `/v1/vault/batches/${encodeURIComponent(waiting.batch)}`
  try {
    const { body } = await peer.get(path)
    const admitted = await admitBatch(parts, waiting, body)
    parts.log('vault.batch', {
      batch: batchId(waiting.batch),
      ...('verdict' in admitted
        ? {
            accepted: admitted.verdict.accepted,
            refused: admitted.verdict.refused,
            code: admitted.verdict.code,
          }
        : {}),
    })
    return admitted.outcome
  } catch (error) {
    if (error instanceof PeerFailed && error.status === 404) return 'waits'
    if (error instanceof Refused) {
      parts.log('vault.batch-failed', { batch: batchId(waiting.batch), code: error.refusal.code })
      return 'waits'
    }
    throw error
  }
}

async function dropSealed(parts: VaultParts, peer: Peer, batch: string): Promise<void> {
  await peer.post(`/v1/vault/batches/${encodeURIComponent(batch)}/done`)
  await parts.ops.bookkeep(async (tx) => {
    await tx.updateTable('batch').set({ dropped_at: parts.env.now() }).where('batch', '=', batch).execute()
    await tx.deleteFrom('cursor').where('name', '=', `waits:${batch}`).execute()
  })
}
