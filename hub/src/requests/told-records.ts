import { canonicalBytes } from '@kakehashi/protocol/canonical'
import type { FacilityId, MessageId } from '@kakehashi/protocol/ids'
import { CONTROL_IDS_MAX } from '@kakehashi/protocol/limits'
import type { HeldRecord } from '@kakehashi/protocol/messages'
import { heldRecords } from '../content/held.ts'
import type { OpsTables, OpsTx } from '../vault/ops.ts'
import { post } from '../vault/outbox.ts'
import type { VaultParts } from '../vault/parts.ts'

type AgentRow = OpsTables['agent']

/** Of the 256 KiB a message may have, so that no single record makes it too large. */
const PAGE_BYTES_MAX = 200_000

/**
 * One page of what is held of the agent's facility; the agent asks for the next when it has applied this one, so that
 * neither side ever holds more than a page, however much the hospital has sent.
 */
export async function tellRecords(
  tx: OpsTx,
  parts: VaultParts,
  agent: AgentRow,
  { asked, after }: { asked: MessageId; after: string | null },
): Promise<void> {
  const from = after === null ? 0 : Number(after)
  if (!Number.isSafeInteger(from)) return
  const rows = await heldRecords(tx as never, agent.facility as FacilityId, from, CONTROL_IDS_MAX)
  const records: HeldRecord[] = []
  let bytes = 0
  let last = from
  let whole = rows.length < CONTROL_IDS_MAX
  for (const { seq, held } of rows) {
    bytes += held === null ? 0 : canonicalBytes(held).length + 1
    whole &&= bytes <= PAGE_BYTES_MAX
    if (bytes > PAGE_BYTES_MAX) break
    if (held !== null) records.push(held)
    last = seq
  }
  await post(tx, parts, agent, {
    type: 'record-list',
    asked,
    after,
    next: String(last),
    whole,
    records,
  })
  if (after === null)
    await tx.updateTable('agent').set({ records_owed: null }).where('agent', '=', agent.agent).execute()
}
