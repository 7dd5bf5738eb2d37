import type { Plan } from './plan.ts'
import { planOf } from './planning.ts'
import { runSeed, type Failure } from './run.ts'
import type { Plant } from './plants.ts'

const RUNS_MAX = 120

/** Leaves out ever smaller pieces of the plan while the same invariant is violated. */
export async function shrink(failure: Failure, plant: Plant | null): Promise<Plan> {
  let runs = 0
  const fails = async (plan: Plan): Promise<boolean> => {
    if (runs++ >= RUNS_MAX) return false
    const outcome = await runSeed(failure.seed, { plant, plan })
    return outcome.failure?.invariant === failure.invariant
  }
  let plan = planOf(failure.seed)
  const faults = await fewest(plan.faults, (some) => fails({ ...plan, faults: some }))
  plan = { ...plan, faults }
  const acts = await fewest(plan.acts, (some) => fails({ ...plan, acts: some }))
  return { ...plan, acts }
}

async function fewest<T>(
  items: readonly T[],
  fails: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = items
  for (let piece = kept.length; piece >= 1; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < kept.length;) {
      const without = [...kept.slice(0, at), ...kept.slice(at + piece)]
      if (await fails(without)) kept = without
      else at += piece
    }
  }
  return kept
}
