import { agentId } from '@kakehashi/protocol/ids'
import { REQUEST_SKEW_MS_MAX } from '@kakehashi/protocol/limits'
import { Refused } from '@kakehashi/protocol/refusals'
import { verifyRequest } from '@kakehashi/protocol/requests'
import { fromBase64 } from '@kakehashi/protocol/signing'
import type { Call } from '../call.ts'
import { orDiskFull } from './disk.ts'
import type { Enrolled, GatewayParts } from './parts.ts'

/** Who signed this call. Throws `Refused` for a wrong signature, a stranger, a revoked agent, a stale or seen nonce. */
export async function whoCalls(
  parts: GatewayParts,
  call: Call,
): Promise<{ by: string; agent: Enrolled | null }> {
  const claimed = call.headers['kakehashi-by'] ?? ''
  const agent = claimed === 'vault' ? null : await enrolled(parts, claimed)
  const publicKey = claimed === 'vault' ? parts.vault.signing : agent?.signing
  const now = parts.env.now()
  const answer = verifyRequest(call, (by) => (by === claimed ? (publicKey ?? null) : null), now)
  if ('code' in answer) throw new Refused(answer.code)
  await spendNonce(parts, answer.by, answer.nonce, now)
  return { by: answer.by, agent }
}

async function enrolled(parts: GatewayParts, claimed: string): Promise<Enrolled> {
  const row = await parts.store.db
    .selectFrom('gateway_agent')
    .selectAll()
    .where('agent', '=', claimed)
    .executeTakeFirst()
  if (!row) throw new Refused('NOT_ENROLLED')
  if (row.revoked_at !== null) throw new Refused('KEY_RETIRED')
  return {
    agent: agentId(row.agent),
    facility: row.facility,
    inboxKey: row.inbox_key,
    signing: fromBase64(row.signing_key),
  }
}

/** When the nonces too old to matter were last forgotten. */
const sweptAt = new WeakMap<GatewayParts, number>()

/** A nonce counts once; those older than the allowed skew are refused by their time and may be forgotten. */
async function spendNonce(parts: GatewayParts, by: string, nonce: string, now: number): Promise<void> {
  if (Math.abs(now - (sweptAt.get(parts) ?? 0)) >= REQUEST_SKEW_MS_MAX) {
    const old = now - 3 * REQUEST_SKEW_MS_MAX
    await orDiskFull(() =>
      parts.store.bookkeepOne((db) => db.deleteFrom('gateway_nonce').where('at', '<', old).execute()),
    )
    sweptAt.set(parts, now)
  }
  const spent = await orDiskFull(() =>
    parts.store.bookkeepOne((db) =>
      db
        .insertInto('gateway_nonce')
        .values({ said_by: by, nonce, at: now })
        .onConflict((c) => c.doNothing())
        .executeTakeFirst(),
    ),
  )
  const fresh = Number(spent.numInsertedOrUpdatedRows ?? 0) === 1
  if (!fresh) throw new Refused('REQUEST_STALE')
}
