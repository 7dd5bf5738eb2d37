import { openIncident } from '../vault/incident.ts'
import type { VaultParts } from '../vault/parts.ts'

/** Read again once after every start: the key it was sealed to may be back by then. */
const TRIED = new WeakSet<VaultParts>()

/**
 * What somebody asked and this vault cannot open (LAW R16: it must not be lost). Kept sealed as it came, and an incident
 * tells people: most likely the portal seals to another key than this vault's.
 */
export async function keepUnread(parts: VaultParts, request: string, box: string): Promise<void> {
  parts.log('portal.request-unreadable')
  await parts.ops.transact(
    (fresh: boolean) =>
      fresh ? { act: 'portal.request-unread', actor: 'portal', detail: { request } } : null,
    async (tx) => {
      const added = await tx
        .insertInto('portal_unread')
        .values({ request, box, received_at: parts.env.now() })
        .onConflict((c) => c.doNothing())
        .executeTakeFirst()
      if (Number(added.numInsertedOrUpdatedRows ?? 0) === 0) return false
      const open = await tx
        .selectFrom('incident')
        .select('incident')
        .where('kind', '=', 'request-unread')
        .where('cleared_at', 'is', null)
        .executeTakeFirst()
      const about = { facility: null, batch: null, detail: { request } }
      if (!open) await openIncident(tx, parts.env, { severity: 1, kind: 'request-unread', ...about })
      return true
    },
  )
}

/** `take` says whether it could be opened; who asked then is heard as if it had just come. */
export async function readUnread(
  parts: VaultParts,
  take: (request: string, box: string) => Promise<boolean>,
): Promise<void> {
  if (TRIED.has(parts)) return
  const rows = await parts.ops.db.selectFrom('portal_unread').select(['request', 'box']).execute()
  for (const { request, box } of rows)
    if (await take(request, box))
      await parts.ops.bookkeep((tx) =>
        tx.deleteFrom('portal_unread').where('request', '=', request).execute(),
      )
  TRIED.add(parts)
}
