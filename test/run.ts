/**
 * `npm test`: runs everything this machine has the parts for and names what was left out. With `CI=true` a missing
 * part is a failure. Arguments are handed to vitest (a path, `--project unit` …).
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parts } from './machine/parts.ts'
import { startPostgres } from './machine/postgres.ts'

interface Summary {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  testResults: { name: string; status: string; assertionResults: { status: string }[] }[]
}

const inCi = process.env['CI'] === 'true'
const missing = parts().filter((part) => part.found === null)
const programs = parts().find((part) => part.name.startsWith('PostgreSQL'))?.found ?? null
const scratch = mkdtempSync(join(tmpdir(), 'kakehashi-test-'))
const report = join(scratch, 'report.json')

const postgres = programs === null ? null : await startPostgres(programs)
const code = await vitest(postgres?.url)
postgres?.stop()
const failed = conclude(code)
rmSync(scratch, { recursive: true, force: true })
process.exitCode = failed ? 1 : 0

function vitest(databaseUrl: string | undefined): Promise<number> {
  const args = [
    ...[
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    ...process.argv.slice(2),
  ]
  const env = { ...process.env, ...(databaseUrl === undefined ? {} : { KAKEHASHI_POSTGRES: databaseUrl }) }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit', env })
    child.once('close', (exit) => resolve(exit ?? 1))
  })
}

function conclude(exit: number): boolean {
  for (const part of missing) {
    console.log(`\n${inCi ? 'MISSING' : 'left out'}: ${part.serves}\n  needs ${part.name}: ${part.get}`)
  }
  const summary = read()
  if (summary === null) {
    console.log('\nThe test runner wrote no report.')
    return true
  }
  const broken = summary.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0)
  const failures = summary.numFailedTests + broken.length
  const skippedInCi = inCi && summary.numPendingTests > 0
  if (skippedInCi) console.log('\nIn CI no test may be skipped.')
  console.log(`\n${summary.numPassedTests} passed, ${failures} failed, ${summary.numPendingTests} skipped`)
  return exit !== 0 || failures > 0 || (inCi && missing.length > 0) || skippedInCi
}

function read(): Summary | null {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Summary
  } catch {
    return null
  }
}
