import { setTimeout as rest } from 'node:timers/promises'
import { randomOf } from '@kakehashi/test/hospital/random'
import type { Program } from '@kakehashi/test/walk/program'

export interface Victim {
  program: Program
  /** In a word, what it has under way; asked just before the blow. */
  doing(): string
}

export interface Killed {
  name: string
  kills: number
  /** Blows by what they met: `starting`, or what was under way. */
  met: Map<string, number>
  /** How it ended when nobody here had killed it. */
  fell: string[]
}

/** It works at most so long between two blows, or this many times what it took to start. */
const WORK_MS_MAX = 2000
const WORK_PER_START = 3
const START_SECONDS_MAX = 60

/**
 * Kills one program (SIGKILL) at moments drawn from the seed, a quarter of them between its first instruction and its
 * readiness, the others while it works; and starts it again at once.
 */
export async function killAgain(
  { program, doing }: Victim,
  plan: { kills: number; seed: string | number },
): Promise<Killed> {
  const random = randomOf(plan.seed, 'kill', program.name)
  const killed: Killed = { name: program.name, kills: 0, met: new Map(), fell: [] }
  let life = { since: 0, startMs: 0 }
  while (killed.kills < plan.kills) {
    if (killed.kills > 0 && random.chance(0.25)) await rest(random.next() * life.startMs)
    else {
      life.startMs = (await readyAfter(program, life.since)) ?? life.startMs
      await rest(random.next() * Math.max(WORK_MS_MAX, life.startMs * WORK_PER_START))
    }
    if (program.alive) {
      const met = isReady(program, life.since) ? doing() : 'starting'
      await program.stop('SIGKILL')
      killed.kills++
      killed.met.set(met, (killed.met.get(met) ?? 0) + 1)
    } else killed.fell.push(program.ended ?? 'unknown')
    life = { ...life, since: program.output.length }
    program.start()
  }
  return killed
}

function isReady(program: Program, since: number): boolean {
  return /"(ready|agent\.started)"/.test(program.output.slice(since))
}

/** Milliseconds until it says that it is ready; `null` when it ended before. */
async function readyAfter(program: Program, since: number): Promise<number | null> {
  const begun = performance.now()
  while (!isReady(program, since)) {
    if (!program.alive || performance.now() - begun > START_SECONDS_MAX * 1000) return null
    await rest(20)
  }
  return performance.now() - begun
}
