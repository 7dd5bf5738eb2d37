import { verifyBatch } from '@kakehashi/protocol/envelope'
import { sha256Hex } from '@kakehashi/protocol/signing'
import type { AgentContext } from '../context.ts'
import { batchesOnLeg, OPEN_LEGS } from './store.ts'

export interface OutboxCheck {
  batches: number
  /** Batches whose bytes are not what was sealed. */
  damaged: string[]
}

/** Reads every waiting batch back: digest and signature must hold, or it would be refused on arrival. */
export async function verifyOutbox(context: AgentContext): Promise<OutboxCheck> {
  const { db } = context.store
  const open = await batchesOnLeg(db, OPEN_LEGS)
  const damaged: string[] = []
  for (const batch of open) {
    const parts = await db
      .selectFrom('outbox_part')
      .select('bytes')
      .where('batch', '=', batch.batch)
      .orderBy('start')
      .execute()
    const bytes = new Uint8Array(Buffer.concat(parts.map((p) => p.bytes)))
    try {
      if (bytes.length !== batch.size || sha256Hex(bytes) !== batch.digest) throw new Error('altered')
      verifyBatch(bytes, context.keys.signing.public)
    } catch {
      damaged.push(batch.batch)
    }
  }
  return { batches: open.length, damaged }
}
