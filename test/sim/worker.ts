import { parentPort } from 'node:worker_threads'
import { plants } from './plants.ts'
import type { Job } from './pool.ts'
import { runSeed, type Outcome } from './run.ts'

parentPort?.on('message', (job: Job) => {
  void answer(job)
})

async function answer(job: Job): Promise<void> {
  const outcomes: Outcome[] = []
  for (let seed = job.from; seed < job.from + job.count; seed++) {
    const outcome = await runSeed(seed, { plant: job.plant === null ? null : plants[job.plant]! })
    outcomes.push(outcome)
    if (outcome.failure) break
  }
  parentPort?.postMessage(outcomes)
}
