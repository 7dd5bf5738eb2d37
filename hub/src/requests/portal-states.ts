import { stopId, type StopId } from '@kakehashi/protocol/ids'
import { tokyoDate } from '@kakehashi/protocol/rules/calendar'
import { secondOf, stateKey } from '../portal/receipt.ts'
import type { PortalStop } from '../portal/sealed-request.ts'
import { STATE_DAYS, type ToldState } from '../portal/states.ts'
import type { OpsStore, OpsTx } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import type { Peer } from '../vault/peer.ts'
import { slices } from './charts.ts'

const DAY_MS = 86_400_000
const LOOK_EVERY_MS = 60_000
const TELL_ALL_EVERY_MS = DAY_MS
const LOOKED = new WeakMap<VaultParts, { at: number; all: number }>()

/** Where the asker will look: under a key of receipt number and handle or birth date, neither of which is kept for it. */
export async function keepAsked(tx: OpsTx, stop: StopId, said: PortalStop): Promise<void> {
  await tx
    .insertInto('portal_asked')
    .values({
      stop,
      state_key: stateKey(said.receipt, secondOf(said)),
      by_token: said.version === 1 ? 1 : 0,
      asked_at: said.askedAt,
      told: null,
    })
    .execute()
}

/** Tells the portal what changed; once a day everything, for a portal set up anew has forgotten it. */
export async function tellStates(parts: VaultParts, portal: Peer, atOnce: boolean): Promise<void> {
  const now = parts.env.now()
  const before = LOOKED.get(parts)
  if (!atOnce && before && now < before.at + LOOK_EVERY_MS) return
  const all = !before || now >= before.all + TELL_ALL_EVERY_MS
  const rows = await parts.ops.db
    .selectFrom('portal_asked')
    .selectAll()
    .where('asked_at', '>', now - STATE_DAYS * DAY_MS)
    .execute()
  for (const part of slices(rows)) {
    const states = await statesOf(
      parts.ops,
      part.map((row) => row.stop),
    )
    const changed = part.flatMap((row) => {
      const days = states.get(row.stop)
      if (!days) return []
      const state = stateFor(row, days)
      return all || JSON.stringify(state) !== row.told ? [{ stop: row.stop, state }] : []
    })
    if (changed.length === 0) continue
    await portal.post('/v1/vault/states', { states: changed.map((one) => one.state) })
    await parts.ops.bookkeep(async (tx) => {
      for (const { stop, state } of changed)
        await tx
          .updateTable('portal_asked')
          .set({ told: JSON.stringify(state) })
          .where('stop', '=', stop)
          .execute()
    })
  }
  LOOKED.set(parts, { at: now, all: all ? now : (before?.all ?? now) })
}

interface Days {
  erasureAsked: boolean
  asked: number
  passed: number | null
  held: number | null
  erased: number | null
  lifted: number | null
}

/**
 * @NOTE Without the paper nothing that depends on whether somebody matched is told: what was erased and whether it was
 * undone would say to whoever knows a number and a birth date that this is a patient (LAW R17).
 */
function stateFor(row: { state_key: string; by_token: number }, { erasureAsked, ...days }: Days): ToldState {
  const byToken = Number(row.by_token) === 1
  const day = (at: number | null): string | null => (at === null ? null : tokyoDate(at))
  return {
    key: row.state_key,
    byToken,
    erasureAsked,
    asked: tokyoDate(days.asked),
    passed: day(days.passed),
    held: day(days.held),
    erased: byToken ? day(days.erased) : null,
    lifted: byToken ? day(days.lifted) : null,
  }
}

const latest = (times: readonly (number | null)[]): number | null =>
  times.length > 0 && times.every((at) => at !== null) ? Math.max(...times.map(Number)) : null

/** In force at the hospital: every agent it was passed to has applied it. Erased: every erasure asked with it is done. */
async function statesOf({ db }: OpsStore, stops: readonly string[]): Promise<Map<string, Days>> {
  const rows = await db
    .selectFrom('stop')
    .leftJoin('stop_intake as i', 'i.stop', 'stop.stop')
    .selectAll('stop')
    .select('i.erasure_wanted')
    .where('stop.stop', 'in', stops)
    .execute()
  const sent = await db.selectFrom('stop_delivery').selectAll().where('stop', 'in', stops).execute()
  const erasures = await db
    .selectFrom('erasure')
    .select(['stop', 'done_at'])
    .where('stop', 'in', stops)
    .execute()
  const time = (at: number | null): number | null => (at === null ? null : Number(at))
  return new Map(
    rows.map((row) => {
      const of = <T extends { stop: string | null }>(list: readonly T[]) =>
        list.filter((one) => one.stop === row.stop)
      const deliveries = of(sent)
      const days: Days = {
        erasureAsked: Number(row.erasure_asked) === 1 || Number(row.erasure_wanted) === 1,
        asked: Number(row.asked_at),
        passed: latest(deliveries.map((one) => Number(one.sent_at))),
        held: latest(deliveries.map((one) => time(one.acked_at))),
        erased: latest(of(erasures).map((one) => time(one.done_at))),
        lifted: time(row.withdrawn_at),
      }
      return [stopId(row.stop), days]
    }),
  )
}
