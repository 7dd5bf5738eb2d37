import { Refused } from '@kakehashi/protocol/refusals'
import { addDays, tokyoDate } from '@kakehashi/protocol/rules/calendar'
import type { AuditTables } from '@kakehashi/store/audit'
import type { Tx } from '@kakehashi/store/store'
import { z } from 'zod'
import { stateKey, type Second } from './receipt.ts'
import type { PortalStore, PortalTables } from './store.ts'

/** How long a request's state can be asked for. */
export const STATE_DAYS = 400

const day = z.iso.date().nullable()
const State = z.strictObject({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  byToken: z.boolean(),
  erasureAsked: z.boolean(),
  asked: z.iso.date(),
  passed: day,
  held: day,
  erased: day,
  lifted: day,
})
const StatesBody = z.strictObject({ states: z.array(State).max(1000) })
/** Days and nothing else: no person, no hospital, no stop. */
export type ToldState = z.infer<typeof State>
export type RequestState = Omit<ToldState, 'key'>

type PortalTx = Tx<PortalTables & AuditTables>

function rowOf(told: ToldState): PortalTables['portal_state'] {
  const { key, byToken, erasureAsked, ...days } = told
  return { state_key: key, by_token: byToken ? 1 : 0, erasure_asked: erasureAsked ? 1 : 0, ...days }
}

/** Known from the first moment, before the vault has fetched it. */
export async function keepReceived(
  tx: PortalTx,
  asked: { receipt: string; second: Second; erasureAsked: boolean; at: number },
): Promise<void> {
  const state: ToldState = {
    key: stateKey(asked.receipt, asked.second),
    byToken: 'handle' in asked.second,
    erasureAsked: asked.erasureAsked,
    asked: tokyoDate(asked.at),
    ...{ passed: null, held: null, erased: null, lifted: null },
  }
  await tx.insertInto('portal_state').values(rowOf(state)).execute()
}

/** How far each came, as the vault tells; also to a portal set up anew, which has forgotten every one. */
export async function takeStates(store: PortalStore, body: unknown, now: number): Promise<void> {
  const read = StatesBody.safeParse(body)
  if (!read.success) throw new Refused('REQUEST_MALFORMED')
  const rows = read.data.states.map(rowOf)
  await store.bookkeep(async (tx) => {
    const oldest = addDays(tokyoDate(now), -STATE_DAYS)
    await tx.deleteFrom('portal_state').where('asked', '<', oldest).execute()
    for (const { state_key, ...rest } of rows)
      await tx
        .insertInto('portal_state')
        .values({ state_key, ...rest })
        .onConflict((c) => c.column('state_key').doUpdateSet(rest))
        .execute()
  })
}

/** `null` alike for a number that was never given, one asked with another second thing, and one too old. */
export async function findState(
  store: PortalStore,
  receipt: string,
  second: Second,
): Promise<RequestState | null> {
  const row = await store.db
    .selectFrom('portal_state')
    .selectAll()
    .where('state_key', '=', stateKey(receipt, second))
    .executeTakeFirst()
  if (!row) return null
  const { by_token, erasure_asked, asked, passed, held, erased, lifted } = row
  return {
    byToken: Number(by_token) === 1,
    erasureAsked: Number(erasure_asked) === 1,
    ...{ asked, passed, held, erased, lifted },
  }
}
