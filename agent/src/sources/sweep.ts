import type { Instant } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Log } from '@kakehashi/protocol/log'
import { recordKeyText, type Tombstone } from '@kakehashi/protocol/records'
import type { Store } from '@kakehashi/store/store'
import type { SourceConnector, Sweep } from './connector.ts'
import { markGone, missingKeys, type Missing, missingOf } from './ledger.ts'
import { oweTombstones, type SourcesTables, type SourcesTx } from './store.ts'

/** DATA T13: so many missing at once is rather a broken export than so many deletions. */
export interface BrakeRule {
  /** Of one type in one pass. */
  missingMax: number
  shareMax: number
  /** Fewer than this never brake, whatever their share. */
  missingMin: number
}

export const DELETION_BRAKE: BrakeRule = { missingMax: 200, shareMax: 0.05, missingMin: 20 }

interface Sweeping {
  connector: SourceConnector
  run: number
  swept: Sweep | null
  gone: readonly { tombstone: Tombstone }[]
  /** Keys the source itself says are gone; `null`: not being shown is proof enough. */
  answers: ReadonlySet<string> | null
  brake: BrakeRule
  now: Instant
  log: Log
}

export interface Swept {
  vanished: number
  braked: number
  touched: PatientKey[]
}

/** Deletions that the source told, and records that a full pass did not show. */
export async function applySweep(tx: SourcesTx, sweeping: Sweeping): Promise<Swept> {
  const { connector, run, swept, brake, now, log } = sweeping
  const told: Swept = { vanished: 0, braked: 0, touched: [] }
  const deleted = sweeping.gone.map(({ tombstone }) => ({ key: tombstone.key, patients: tombstone.patients }))
  if (deleted.length > 0) {
    told.vanished += await markGone(
      tx,
      connector.id,
      deleted.map((one) => one.key),
      now,
    )
    for (const [reason, of] of Map.groupBy(sweeping.gone, (one) => one.tombstone.reason))
      told.touched.push(
        ...(await oweTombstones(
          tx,
          of.map((one) => one.tombstone),
          reason,
          now,
        )),
      )
  }
  if (swept === null) return told
  for (const missing of await missingOf(tx, connector.id, run, swept)) {
    if (await braked(tx, connector.id, missing, brake, now)) {
      told.braked += missing.missing
      log('source.deletions-held', { missing: missing.missing, total: missing.total })
      continue
    }
    const all = await missingKeys(tx, connector.id, run, swept, missing.type)
    const { answers } = sweeping
    const keys = answers === null ? all : all.filter(({ key }) => answers.has(recordKeyText(key)))
    await markGone(
      tx,
      connector.id,
      keys.map((one) => one.key),
      now,
    )
    const [fromVault = [], seen = []] = [true, false].map((one) => keys.filter((key) => key.told === one))
    told.touched.push(...(await oweTombstones(tx, seen, 'vanished', now)))
    told.touched.push(...(await oweTombstones(tx, fromVault, 'not-restored', now)))
    told.vanished += keys.length
  }
  return told
}

/** Asks the source for each record that a pass did not show, unless they are so many that the brake will hold. */
export async function askForMissing(
  store: Store<SourcesTables>,
  asking: { connector: Required<SourceConnector>; swept: Sweep; brake: BrakeRule; signal: AbortSignal },
): Promise<Set<string>> {
  const { connector, swept, brake, signal } = asking
  const { id } = connector
  const at = await store.db
    .selectFrom('source_checkpoint')
    .select('run')
    .where('source', '=', id)
    .executeTakeFirst()
  const run = at?.run ?? 0
  const gone = new Set<string>()
  for (const missing of await missingOf(store.db, id, run, swept)) {
    if (tooMany(missing, brake) && missing.missing > ASK_MAX) continue
    for (const { key } of await missingKeys(store.db, id, run, swept, missing.type)) {
      const answer = await connector.confirmGone(key, signal)
      if (answer === 'deleted' || answer === 'vanished') gone.add(recordKeyText(key))
    }
  }
  return gone
}

const ASK_MAX = 10_000

export function tooMany({ missing, total }: Missing, rule: BrakeRule): boolean {
  return missing >= rule.missingMin && (missing > rule.missingMax || missing > total * rule.shareMax)
}

async function braked(
  tx: SourcesTx,
  source: string,
  one: Missing,
  rule: BrakeRule,
  at: Instant,
): Promise<boolean> {
  const { type, missing, total } = one
  const held = await tx
    .selectFrom('source_brake')
    .selectAll()
    .where('source', '=', source)
    .where('type', '=', type)
    .executeTakeFirst()
  const confirmed = held?.confirmed === 1 && missing <= held.missing
  if (!tooMany(one, rule) || confirmed) {
    await tx.deleteFrom('source_brake').where('source', '=', source).where('type', '=', type).execute()
    return false
  }
  await tx
    .insertInto('source_brake')
    .values({ source, type, missing, total, at, confirmed: 0 })
    .onConflict((c) => c.columns(['source', 'type']).doUpdateSet({ missing, total, at, confirmed: 0 }))
    .execute()
  return true
}

export interface HeldDeletions extends Missing {
  source: string
  at: Instant
}

export async function heldDeletions(store: Store<SourcesTables>): Promise<HeldDeletions[]> {
  const rows = await store.db.selectFrom('source_brake').selectAll().where('confirmed', '=', 0).execute()
  return rows.map(({ source, type, missing, total, at }) => ({ source, type, missing, total, at }))
}

/** A person says that these deletions are real; the next round applies as many, and no more. */
export async function confirmDeletions(
  store: Store<SourcesTables>,
  asked: { source: string; type: string; by: string },
): Promise<boolean> {
  const { source, type, by } = asked
  return store.transact(
    (done) => (done ? { act: 'source.deletions-confirmed', actor: by, detail: { source, type } } : null),
    async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('source_brake')
        .set({ confirmed: 1 })
        .where('source', '=', source)
        .where('type', '=', type)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
  )
}
