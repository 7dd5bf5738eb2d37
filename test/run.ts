/**
 * `npm test`: runs everything this machine has the parts for and names what was left out. With `CI=true` a missing
 * part is a failure. Arguments are handed to vitest (a path, `--project unit` …).
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parts } from './machine/parts.ts'
import { startPostgres } from './machine/postgres.ts'
import { KEPT_MODULES } from './walk/program.ts'

interface Summary {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[]
}

/** What computes and what waits run side by side; with more at once than there are cores both take longer. */
const LANES = {
  computing: ['--project=!whole', `--maxWorkers=${Math.max(1, availableParallelism() - 1)}`],
  waiting: ['--project=whole'],
}

const inCi = process.env['CI'] === 'true'
const missing = parts().filter((part) => part.found === null)
const programs = parts().find((part) => part.name.startsWith('PostgreSQL'))?.found ?? null
const scratch = mkdtempSync(join(tmpdir(), 'kakehashi-test-'))
const asked = process.argv.slice(2)

const postgres = programs === null ? null : await startPostgres(programs)
const lanes = asked.length > 0 ? { asked } : LANES
const ended = await Promise.all(
  Object.entries(lanes).map(([name, args], i) => vitest(name, args, i === 0, postgres?.url)),
)
postgres?.stop()
const failed = conclude(ended)
rmSync(scratch, { recursive: true, force: true })
process.exitCode = failed ? 1 : 0

interface Ended {
  code: number
  summary: Summary | null
}

/** The first lane is watched as it runs; what the others say is kept together and said when they are through. */
async function vitest(
  name: string,
  asked: string[],
  watched: boolean,
  databaseUrl: string | undefined,
): Promise<Ended> {
  const report = join(scratch, `${name}.json`)
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json']
  const child = spawn(process.execPath, [...args, `--outputFile.json=${report}`, ...asked], {
    stdio: ['inherit', watched ? 'inherit' : 'pipe', watched ? 'inherit' : 'pipe'],
    env: {
      ...KEPT_MODULES,
      ...process.env,
      ...(databaseUrl === undefined ? {} : { KAKEHASHI_POSTGRES: databaseUrl }),
    },
  })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said.push(chunk)
    })
  const code = await new Promise<number>((resolve) => {
    child.once('close', (exit) => resolve(exit ?? 1))
  })
  process.stdout.write(Buffer.concat(said))
  return { code, summary: read(report) }
}

function conclude(ended: readonly Ended[]): boolean {
  for (const part of missing) {
    console.log(`\n${inCi ? 'MISSING' : 'left out'}: ${part.serves}\n  needs ${part.name}: ${part.get}`)
  }
  const summaries = ended.map(({ summary }) => summary)
  if (summaries.includes(null)) console.log('\nA test runner wrote no report.')
  const sum = (count: (one: Summary) => number): number =>
    summaries.reduce((n, one) => n + (one === null ? 0 : count(one)), 0)
  const broken = (one: Summary): number =>
    one.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0).length
  const failures = sum((one) => one.numFailedTests + broken(one))
  const pending = sum((one) => one.numPendingTests)
  const skippedInCi = inCi && pending > 0
  if (skippedInCi) console.log('\nIn CI no test may be skipped.')
  console.log(`\n${sum((one) => one.numPassedTests)} passed, ${failures} failed, ${pending} skipped`)
  const ran = !summaries.includes(null) && ended.every(({ code }) => code === 0)
  return !ran || failures > 0 || (inCi && missing.length > 0) || skippedInCi
}

function read(report: string): Summary | null {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Summary
  } catch {
    return null
  }
}
