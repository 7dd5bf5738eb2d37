import type { DuckDBConnection } from '@duckdb/node-api'
import type { Env } from '@kakehashi/protocol/env'
import { ReleaseImpossible, treat, type Treated } from './disclosure.ts'
import { intruderWins, simulateIntruder, type Attack } from './intruder.ts'
import type { Profile } from './profile.ts'

/** Doublings of the class size and of the rare-code threshold that are tried before giving up. */
const DOUBLINGS = [1, 2, 4, 8]

export interface Resisting {
  treated: Treated
  attacks: Attack[]
  /** By how much the profile's thresholds were raised: 1 when they were enough. */
  strictness: number
}

/**
 * Treats the staged tables and lets the simulated intruder at them; while it singles out too many, starts again from
 * what was staged with classes and codes twice as common. The last result is returned as it is: the gate judges it.
 */
export async function treatUntilItResists(
  db: DuckDBConnection,
  profile: Profile,
  env: Env,
): Promise<Resisting> {
  for (const { name } of profile.views) await db.run(`ALTER TABLE "${name}" RENAME TO "staged_${name}"`)
  let last: Resisting | null = null
  for (const strictness of DOUBLINGS) {
    for (const { name } of profile.views)
      await db.run(`CREATE OR REPLACE TABLE "${name}" AS SELECT * FROM "staged_${name}"`)
    const treated = await treatOrNull(db, stricter(profile, strictness), last === null)
    if (treated === null) break
    last = { treated, attacks: await simulateIntruder(db, profile, env), strictness }
    if (!intruderWins(last.attacks, profile.privacy.singledOutMax)) break
  }
  if (last === null) throw new ReleaseImpossible('no treatment was possible')
  return last
}

function stricter(profile: Profile, by: number): Profile {
  const { k, rareCodeMin } = profile.privacy
  return { ...profile, privacy: { ...profile.privacy, k: k * by, rareCodeMin: rareCodeMin * by } }
}

/** The first treatment must be possible; a stricter one need not be. */
async function treatOrNull(db: DuckDBConnection, profile: Profile, must: boolean): Promise<Treated | null> {
  try {
    return await treat(db, profile)
  } catch (error) {
    if (must || !(error instanceof ReleaseImpossible)) throw error
    return null
  }
}
