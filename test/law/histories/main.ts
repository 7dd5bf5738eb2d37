import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { compare, emptyTally, merge, type Tally } from './compare.ts'
import { plants } from './plants.ts'

const HELP = `histories: random pasts of a hospital, the gate's answers beside those of the law worked out from scratch

  --histories N   how many (default 1000000)
  --seed K        the first (default 1); a history is the same for the same seed
  --threads N     default: one per core
  --plant NAME    with a planted mistake: ${Object.keys(plants).join(' | ')}
`
const CHUNK = 5000

interface Part {
  from: number
  to: number
}

if (isMainThread) await lead()
else work()

function work(): void {
  const { plant } = workerData as { plant: string | undefined }
  parentPort?.on('message', ({ from, to }: Part) => {
    const tally = emptyTally()
    for (let seed = from; seed < to; seed++)
      compare(seed, tally, plant === undefined ? undefined : plants[plant])
    parentPort?.postMessage(tally)
  })
}

async function lead(): Promise<void> {
  const { values } = parseArgs({
    options: {
      histories: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: String(Math.min(8, availableParallelism())) },
      plant: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const { plant } = values
  const [total, first, threads] = [values.histories, values.seed, values.threads].map(Number)
  if (values.help || !total || !first || !threads || (plant !== undefined && !(plant in plants))) {
    console.log(HELP)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const started = performance.now()
  const tally = await all({ total, first, threads, plant, started })
  report(tally, performance.now() - started)
  process.exitCode = tally.differences.length > 0 ? 1 : 0
}

function all(asked: {
  total: number
  first: number
  threads: number
  plant: string | undefined
  started: number
}): Promise<Tally> {
  const { total, first, threads, plant, started } = asked
  const sum = emptyTally()
  let next = first
  let shown = started
  const part = (): Part | null => {
    if (next >= first + total) return null
    const from = next
    next = Math.min(first + total, from + CHUNK)
    return { from, to: next }
  }
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { plant } })
      const give = (): void => {
        const work = part()
        if (work) worker.postMessage(work)
        else void worker.terminate().then(() => resolve())
      }
      worker.on('error', reject)
      worker.on('message', (tally: Tally) => {
        merge(sum, tally)
        const now = performance.now()
        if (now - shown > 5000) {
          shown = now
          const rate = sum.histories / ((now - started) / 1000)
          const left = Math.ceil((total - sum.histories) / rate)
          console.log(
            `${sum.histories} of ${total}, ${Math.round(rate)}/s, ${left} s left, differences ${sum.differences.length}`,
          )
        }
        give()
      })
      give()
    })
  return Promise.all(Array.from({ length: threads }, one)).then(() => sum)
}

function report(tally: Tally, ms: number): void {
  const of = (name: string): number => tally.sometimes.get(name) ?? 0
  for (const [name, n] of [...tally.sometimes].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`  ${String(n).padStart(9)}  ${name}`)
  for (const d of tally.differences) console.log(`${d.kind}: seed ${d.seed} ${JSON.stringify(d)}`)
  console.log(
    `${tally.histories} histories, ${tally.questions} questions, ${tally.allowed} allowed, ${(ms / 1000).toFixed(1)} s: ` +
      `${of('left early')} left early, ${of('left after a stop')} left after a stop, ` +
      `${of('kept back needlessly')} kept back needlessly`,
  )
}
