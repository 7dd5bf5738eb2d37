import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { plants } from './plants.ts'
import { emptyTally, count, runSeeds, type Tally } from './pool.ts'
import { runSeed, type Failure } from './run.ts'
import { shrink } from './shrink.ts'
import { missing } from './sometimes.ts'

const HELP = `sim: a hospital and a hub from one seed, in virtual time, with a faulty network and faulty disks

  --seeds N     how many seeds to run (default 1000)
  --seed K      the first of them (default 1); with --seeds 1 or --trace, the only one
  --trace       print every event of seed K
  --plant NAME  run with a planted fault: ${Object.keys(plants).join(', ')}
  --threads N   default: one per core
`

const SAID_EVERY_MS = 15_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    plant: { type: 'string' },
    threads: { type: 'string', default: String(Math.min(8, availableParallelism())) },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})

function table(title: string, counts: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`)
  for (const [name, n] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`  ${String(n).padStart(9)}  ${name}`)
}

/** Peak resident memory of the whole process, threads and SQLite included. */
function peakMib(): string {
  return `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB at most`
}

function paceOf(tally: Tally, ms: number): string {
  const { user, system } = process.cpuUsage()
  const rate = ((tally.seeds * 1000) / ms).toFixed(1)
  const cpu = ((user + system) / 1e6 / Math.max(1, tally.seeds)).toFixed(2)
  return `${(ms / 1000).toFixed(1)} s, ${rate} seeds/s, ${cpu} CPU s a seed, ${peakMib()}`
}

/** One line that is written over on a terminal; elsewhere a line now and then. */
function progress(asked: number, started: number): (tally: Tally) => void {
  let said = started
  return (tally) => {
    const now = performance.now()
    if (!process.stderr.isTTY && now - said < SAID_EVERY_MS) return
    said = now
    const line = `${tally.seeds} of ${asked} seeds, ${paceOf(tally, now - started)}`
    process.stderr.write(process.stderr.isTTY ? `\r${line} ` : `${line}\n`)
  }
}

function report(tally: Tally, ms: number): void {
  console.log(`${tally.seeds} seeds, ${tally.events} events, ${paceOf(tally, ms)}`)
  table('faults', tally.faults)
  table('sometimes', tally.sometimes)
}

async function explain(failure: Failure, plant: string | null): Promise<void> {
  console.log(`\nseed ${failure.seed} violates ${failure.invariant}: ${failure.text}\n`)
  for (const line of failure.recent) console.log(`  ${line}`)
  const short = await shrink(failure, plant === null ? null : plants[plant]!)
  console.log(
    `\nshortest history found with the same violation: ${short.acts.length} acts, ${short.faults.length} faults`,
  )
  for (const item of [...short.acts, ...short.faults].toSorted((a, b) => a.at - b.at))
    console.log(`  ${new Date(item.at).toISOString()} ${JSON.stringify({ ...item, at: undefined })}`)
  console.log(
    `\nagain: npm run sim -- --seed ${failure.seed} --trace${plant === null ? '' : ` --plant ${plant}`}`,
  )
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const plant = values.plant ?? null
  if (plant !== null && !(plant in plants)) {
    console.error(`no such planted fault: ${plant}`)
    return 2
  }
  const from = Number(values.seed)
  const started = performance.now()
  let tally = emptyTally()
  if (values.trace) {
    const outcome = await runSeed(from, { print: true, plant: plant === null ? null : plants[plant]! })
    count(tally, outcome)
    console.log(`trace ${outcome.traceHash}`)
  } else {
    const seeds = Number(values.seeds ?? '1000')
    const threads = Number(values.threads)
    tally = await runSeeds({ from, seeds, threads, plant }, progress(seeds, started))
    if (process.stderr.isTTY) process.stderr.write('\n')
  }
  report(tally, performance.now() - started)
  const [failure] = tally.failures
  if (failure) {
    await explain(failure, plant)
    return 1
  }
  const never = missing(tally.sometimes)
  if (tally.seeds >= 1000 && never.length > 0) {
    console.log(`\nnever happened: ${never.join(', ')}`)
    return 1
  }
  return 0
}

process.exitCode = await main()
