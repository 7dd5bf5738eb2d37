import { stopHandle, stopId } from '@kakehashi/protocol/ids'
import type { StopFact } from '@kakehashi/protocol/rules/state'
import type { VaultParts } from '../vault/parts.ts'
import { passOn } from './stop.ts'

const EVERY_MS = 60_000
/** Each is one message to every hospital, and holds what it sends for one exchange. */
const AT_ONCE = 10
const PASSED = new WeakMap<VaultParts, number>()

/**
 * Stops by papers that nobody here knows, asked beyond the portal's budget: most are made up, and one may be a patient's
 * whose records have not come yet. From its commit each holds at the second gate by its handle; every hospital hears of a
 * few a minute, the oldest first, so that no flood buries what was asked within the budget.
 *
 * @NOTE A batch that was sealed before its paper was handed out does not carry the handle, and until the hospital was told
 * nothing holds that batch (`unplaced.ts`): whoever got a second paper within that time and asks in the midst of a flood is
 * stopped for every batch but those.
 */
export async function passOnBehind(parts: VaultParts): Promise<void> {
  const now = parts.env.now()
  const before = PASSED.get(parts)
  if (before !== undefined && now >= before && now < before + EVERY_MS) return
  const rows = await parts.ops.db
    .selectFrom('stop')
    .selectAll()
    .where('origin', '=', 'portal')
    .where('standing', '=', 'provisional')
    .where('handle', 'is not', null)
    .where('stop', 'not in', (q) => q.selectFrom('stop_delivery').select('stop'))
    .where('stop', 'not in', (q) => q.selectFrom('stop_hash').select('stop'))
    .orderBy('received_at')
    .limit(AT_ONCE)
    .execute()
  PASSED.set(parts, now)
  if (rows.length === 0) return
  await parts.ops.bookkeep(async (tx) => {
    for (const row of rows)
      await passOn(
        tx,
        parts,
        {
          stop: stopId(row.stop),
          ...{ origin: row.origin, agent: row.agent, patients: [], tracks: null, operators: null },
          handles: row.handle === null ? [] : [stopHandle(row.handle)],
          requester: row.requester as StopFact['requester'],
          standing: 'provisional',
          askedAt: Number(row.asked_at),
          erasureAsked: Number(row.erasure_asked) === 1,
          receipt: row.receipt,
        },
        [],
      )
  })
}
