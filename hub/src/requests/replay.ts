import { operatorId, stopId, type PatientKey } from '@kakehashi/protocol/ids'
import type { OpsTx } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import { chartHash, slices } from './charts.ts'
import { freeHashes } from './freed.ts'
import { keepIntake } from './intake.ts'
import type { SaidOfStop } from './said-list.ts'
import { addCharts, addNames, insertStop, passOn, type StopAsk } from './stop.ts'
import type { StopEntry } from './stop-list.ts'

/** Stops that a restored backup has forgotten hold again, and are passed on again, before anything is admitted. */
export async function replayStops(parts: VaultParts, charts: readonly PatientKey[]): Promise<number> {
  const entries = parts.stops?.entries() ?? []
  if (entries.length === 0) return 0
  const byHash = new Map(charts.map((patient) => [chartHash(parts.keys.tombstone, patient), patient]))
  return parts.ops.transact(
    (count: number) =>
      count > 0 ? { act: 'stop.replayed', actor: 'vault', detail: { stops: count } } : null,
    async (tx) => {
      const known = new Map(
        (await tx.selectFrom('stop').select(['stop', 'standing']).execute()).map((row) => [
          row.stop,
          row.standing,
        ]),
      )
      let count = 0
      for (const entry of entries) {
        if ('withdrawnAt' in entry) count += await withdrawAgain(tx, entry, known)
        else if ('freed' in entry) await freeAgain(tx, entry, byHash)
        else if (!known.has(entry.stop)) {
          await enterAgain(tx, parts, entry, byHash)
          known.set(entry.stop, entry.standing)
          count++
        } else await addHashes(tx, entry.stop, entry.charts)
      }
      return count
    },
  )
}

async function freeAgain(
  tx: OpsTx,
  entry: Extract<StopEntry, { freed: string[] }>,
  byHash: ReadonlyMap<string, PatientKey>,
): Promise<void> {
  const patients = entry.freed.flatMap((hash) => byHash.get(hash) ?? [])
  for (const part of slices(patients))
    await tx.deleteFrom('stop_chart').where('stop', '=', entry.stop).where('patient', 'in', part).execute()
  await freeHashes(tx, entry)
}

/** Charts named later, of a stop that is known. */
async function addHashes(tx: OpsTx, stop: string, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return
  await tx
    .insertInto('stop_hash')
    .values(hashes.map((hash) => ({ stop, hash })))
    .onConflict((c) => c.doNothing())
    .execute()
}

async function enterAgain(
  tx: OpsTx,
  parts: VaultParts,
  entry: Extract<StopEntry, { charts: string[] }>,
  byHash: ReadonlyMap<string, PatientKey>,
): Promise<void> {
  const patients = entry.charts.flatMap((hash) => byHash.get(hash) ?? [])
  const ask: StopAsk = {
    stop: stopId(entry.stop),
    origin: entry.origin,
    agent: entry.agent ?? null,
    handles: entry.handles,
    patients,
    tracks: entry.tracks,
    operators: entry.operators?.map((operator) => operatorId(operator)) ?? null,
    requester: entry.requester as StopAsk['requester'],
    standing: entry.standing,
    askedAt: entry.askedAt,
    erasureAsked: entry.erasureAsked,
    receipt: entry.receipt,
  }
  const said = parts.saids?.read(entry.stop) ?? null
  if (said) ask.named = { ...said, names: entry.names ?? [] }
  await insertStop(tx, parts, ask)
  if (said) await takeInAgain(tx, parts, ask, said)
  await addCharts(tx, parts, entry.stop, patients)
  await addNames(tx, entry.stop, entry.names ?? [])
  const nameless = entry.charts.filter((hash) => !byHash.has(hash))
  if (nameless.length > 0)
    await tx
      .insertInto('stop_hash')
      .values(nameless.map((hash) => ({ stop: entry.stop, hash })))
      .execute()
  if (entry.origin !== 'agent') await passOn(tx, parts, ask, patients)
}

async function withdrawAgain(
  tx: OpsTx,
  entry: { stop: string; withdrawnAt: number; undone?: true },
  known: ReadonlyMap<string, string>,
): Promise<number> {
  if (known.get(entry.stop) === 'withdrawn') return 0
  const changed = await tx
    .updateTable('stop')
    .set({ standing: entry.undone === true ? 'undone' : 'withdrawn', withdrawn_at: entry.withdrawnAt })
    .where('stop', '=', entry.stop)
    .where('standing', 'in', ['provisional', 'confirmed'])
    .executeTakeFirst()
  return Number(changed.numUpdatedRows)
}

/** Whom it means, and that the desk has yet to verify it: how far that had come, the backup does not know. */
async function takeInAgain(tx: OpsTx, parts: VaultParts, ask: StopAsk, said: SaidOfStop): Promise<void> {
  const { person, ...asked } = said
  await parts.rooms.keepSaid(ask.stop, person)
  const verifiedAt = ask.standing === 'confirmed' ? parts.env.now() : null
  await keepIntake(
    tx,
    {
      ...asked,
      channel: ask.origin === 'portal' ? 'web' : 'desk',
      ...{ by: 'replay', identityCheck: 'none' },
    },
    ask.stop,
    verifiedAt,
  )
}
