import { sealControl } from '@kakehashi/protocol/control'
import { agentId, keyId, messageId, type FacilityId, type MessageId } from '@kakehashi/protocol/ids'
import { CONTROL_VERSION, type DownControl } from '@kakehashi/protocol/messages'
import { fromBase64 } from '@kakehashi/protocol/signing'
import type { OpsTables, OpsTx } from './ops.ts'
import type { VaultParts } from './parts.ts'
import { PeerFailed, type Peer } from './peer.ts'

/** A down message without what {@link post} adds. */
export type Unsent<T extends DownControl = DownControl> = T extends DownControl
  ? Omit<T, 'version' | 'message' | 'at'>
  : never

type AgentRow = OpsTables['agent']

const PUSH_MAX = 200
/** A message the agent has not acknowledged is offered to the gateway again: it may have lost its store. */
const PUSH_AGAIN_MS = 30 * 60 * 1000

/** Signs, seals to the agent's inbox and queues, in the transaction that gives the reason for it. */
export async function post(tx: OpsTx, parts: VaultParts, agent: AgentRow, said: Unsent): Promise<MessageId> {
  const now = parts.env.now()
  const message = messageId(parts.env.id())
  const body = { version: CONTROL_VERSION, message, at: now, ...said } as DownControl
  const envelope = sealControl(
    body,
    {
      agent: agentId(agent.agent),
      direction: 'down',
      recipient: { id: keyId(agent.inbox_key_id), public: fromBase64(agent.inbox_key) },
    },
    parts.keys.signing,
    parts.env,
  )
  const last = await tx
    .selectFrom('outbox')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst()
  await tx
    .insertInto('outbox')
    .values({
      seq: Number(last?.seq ?? 0) + 1,
      message,
      agent: agent.agent,
      type: said.type,
      envelope: JSON.stringify(envelope),
      made_at: now,
      pushed_at: null,
      acked_at: null,
    })
    .execute()
  return message
}

/** The living agents, of one facility or of all. */
export async function agentsOf(tx: OpsTx, facility?: FacilityId): Promise<AgentRow[]> {
  const all = tx.selectFrom('agent').selectAll().where('retired_at', 'is', null).orderBy('agent')
  return (facility === undefined ? all : all.where('facility', '=', facility)).execute()
}

/** Hands waiting messages to the gateway, in order; returns how many. */
export async function pushOutbox(parts: VaultParts, peer: Peer): Promise<number> {
  const now = parts.env.now()
  const rows = await parts.ops.db
    .selectFrom('outbox')
    .select(['seq', 'envelope'])
    .where('acked_at', 'is', null)
    .where((e) => e.or([e('pushed_at', 'is', null), e('pushed_at', '<', now - PUSH_AGAIN_MS)]))
    .orderBy('seq')
    .limit(PUSH_MAX)
    .execute()
  const pushed: number[] = []
  try {
    for (const row of rows)
      if (await accepted(peer.post('/v1/vault/control', JSON.parse(row.envelope)))) pushed.push(row.seq)
  } finally {
    if (pushed.length > 0)
      await parts.ops.bookkeepOne((db) =>
        db.updateTable('outbox').set({ pushed_at: now }).where('seq', 'in', pushed).execute(),
      )
  }
  return pushed.length
}

/** A gateway without room takes this message another time, and the next one perhaps now: the boxes are per agent. */
async function accepted(posting: Promise<void>): Promise<boolean> {
  try {
    await posting
    return true
  } catch (error) {
    if (error instanceof PeerFailed && error.status === 503) return false
    throw error
  }
}

/** Notes what the agents have applied: their sealed texts go, deliveries of stops are marked. */
export async function pullAcks(parts: VaultParts, peer: Peer): Promise<number> {
  const acks = await peer.getJson<{ message: string; agent: string; at: number }[]>('/v1/vault/acks')
  if (acks.length === 0) return 0
  const messages = acks.map((ack) => ack.message)
  const now = parts.env.now()
  await parts.ops.transact(
    (stops: number) => (stops > 0 ? { act: 'stop.delivered', actor: 'gateway', detail: { stops } } : null),
    async (tx) => {
      await tx
        .updateTable('outbox')
        .set({ acked_at: now, envelope: '' })
        .where('message', 'in', messages)
        .where('acked_at', 'is', null)
        .execute()
      const delivered = await tx
        .updateTable('stop_delivery')
        .set({ acked_at: now })
        .where('message', 'in', messages)
        .where('acked_at', 'is', null)
        .executeTakeFirst()
      return Number(delivered.numUpdatedRows)
    },
  )
  await peer.post('/v1/vault/acks/taken', { messages })
  return acks.length
}
