import type { ChartsFreed } from '@kakehashi/protocol/messages'
import type { OpsTx } from '../vault/ops.ts'
import type { VaultParts } from '../vault/parts.ts'
import { chartHash, slices } from './charts.ts'

/**
 * A hospital found, by two people, that charts of its own only bear the name of whom a stop at the operator means. Only
 * what was said by name or number ends so; a stop of a chart that somebody chose is withdrawn or it holds.
 */
export async function freeCharts(
  tx: OpsTx,
  parts: Pick<VaultParts, 'keys' | 'stops'>,
  { stop, patients, freedAt }: Pick<ChartsFreed, 'stop' | 'patients' | 'freedAt'>,
): Promise<void> {
  const said = await tx.selectFrom('stop_intake').select('stop').where('stop', '=', stop).executeTakeFirst()
  if (!said || patients.length === 0) return
  const freed = [...new Set(patients)].map((patient) => chartHash(parts.keys.tombstone, patient))
  parts.stops?.append({ stop, freed, freedAt })
  for (const part of slices(patients))
    await tx.deleteFrom('stop_chart').where('stop', '=', stop).where('patient', 'in', part).execute()
  await freeHashes(tx, { stop, freed, freedAt })
}

export async function freeHashes(
  tx: OpsTx,
  { stop, freed, freedAt }: { stop: string; freed: readonly string[]; freedAt: number },
): Promise<void> {
  for (const part of slices(freed)) {
    await tx.deleteFrom('stop_hash').where('stop', '=', stop).where('hash', 'in', part).execute()
    await tx
      .insertInto('stop_freed')
      .values(part.map((hash) => ({ stop, hash, freed_at: freedAt })))
      .onConflict((c) => c.doNothing())
      .execute()
  }
}
