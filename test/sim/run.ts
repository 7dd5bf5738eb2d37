import { Machine } from './machine.ts'
import { genesisAt } from './genesis.ts'
import { planOf } from './planning.ts'
import type { Plan } from './plan.ts'
import type { Plant } from './plants.ts'
import { Violation } from './world.ts'

export interface Options {
  print?: boolean
  plant?: Plant | null
  plan?: Plan
}

export interface Failure {
  seed: number
  invariant: string
  text: string
  recent: readonly string[]
}

export interface Outcome {
  seed: number
  events: number
  traceHash: string
  faults: Map<string, number>
  sometimes: Map<string, number>
  failure: Failure | null
}

/** One history: the plan of this seed carried out, healed, given time, and looked at throughout. */
export async function runSeed(seed: number, options: Options = {}): Promise<Outcome> {
  const plan = options.plan ?? planOf(seed)
  const machine = new Machine(seed, await genesisAt(plan.span.start), plan, options)
  const failure = await machine.run().then(
    () => null,
    (error: unknown): Failure => ({
      seed,
      invariant: error instanceof Violation ? error.invariant : 'error',
      text:
        error instanceof Error
          ? error instanceof Violation
            ? error.message
            : (error.stack ?? error.message)
          : String(error),
      recent: machine.world.recent(),
    }),
  )
  machine.discard()
  const { world } = machine
  return {
    seed,
    events: world.events,
    traceHash: world.traceHash(),
    faults: world.faults,
    sometimes: world.sometimes,
    failure,
  }
}
