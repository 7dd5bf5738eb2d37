import { Worker } from 'node:worker_threads'
import type { Failure, Outcome } from './run.ts'

/** With a planted fault the first failure is near: little is handed out at once. */
const CHUNK = { clean: 10, planted: 2 }

export interface Tally {
  seeds: number
  events: number
  faults: Map<string, number>
  sometimes: Map<string, number>
  failures: Failure[]
}

export interface Job {
  from: number
  count: number
  plant: string | null
}

function add(into: Map<string, number>, from: Iterable<[string, number]>): void {
  for (const [name, n] of from) into.set(name, (into.get(name) ?? 0) + n)
}

export function count(tally: Tally, outcome: Outcome): void {
  tally.seeds++
  tally.events += outcome.events
  add(tally.faults, outcome.faults)
  add(tally.sometimes, outcome.sometimes)
  if (outcome.failure) tally.failures.push(outcome.failure)
}

export function emptyTally(): Tally {
  return { seeds: 0, events: 0, faults: new Map(), sometimes: new Map(), failures: [] }
}

/** Kept between runs: they have loaded everything and made the worlds that seeds begin with. */
const idle: Worker[] = []

/**
 * Runs seeds `from` … `from + seeds - 1` on some threads, in chunks handed out in order. Stops handing out at the first
 * failure; the failures are then those of the lowest seeds that were begun.
 */
export async function runSeeds(
  asked: { from: number; seeds: number; threads: number; plant: string | null },
  progress: (tally: Tally) => void = () => {},
): Promise<Tally> {
  const tally = emptyTally()
  let next = asked.from
  const end = asked.from + asked.seeds
  const chunk = asked.plant === null ? CHUNK.clean : CHUNK.planted
  const work = async (): Promise<void> => {
    const worker = idle.pop() ?? new Worker(new URL('worker.ts', import.meta.url))
    worker.ref()
    try {
      while (next < end && tally.failures.length === 0) {
        const from = next
        next = Math.min(end, next + chunk)
        const outcomes = await ask(worker, { from, count: next - from, plant: asked.plant })
        for (const outcome of outcomes) count(tally, outcome)
        progress(tally)
      }
      worker.unref()
      idle.push(worker)
    } catch (error) {
      await worker.terminate()
      throw error
    }
  }
  await Promise.all(Array.from({ length: asked.threads }, work))
  tally.failures.sort((a, b) => a.seed - b.seed)
  return tally
}

function ask(worker: Worker, job: Job): Promise<Outcome[]> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', done)
      worker.off('error', failed)
    }
    const done = (outcomes: Outcome[]): void => {
      settle()
      resolve(outcomes)
    }
    const failed = (error: unknown): void => {
      settle()
      reject(error)
    }
    worker.once('message', done)
    worker.once('error', failed)
    worker.postMessage(job)
  })
}
