import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as rest } from 'node:timers/promises'
import { sharedData } from '@kakehashi/test/hospital/clinosim'
import { openLedgerReader } from '@kakehashi/test/hospital/ledger-reader'
import { randomOf } from '@kakehashi/test/hospital/random'

export interface ReaderOrdeal {
  kills: number
  /** How often B was read to its end between the kills, from a store that had read A. */
  readings: number
  records: number
  /** Readings whose ledger was not the one of a reading that nobody killed. */
  differing: number
  seconds: number
}

/**
 * SIGKILLs the reader of a folder of exports at random moments, while export A of one hospital gives way to its export
 * B: however often it is killed, the ledger ends as if it never was. `null` where the pair is not on this machine.
 */
export async function readerOrdeal(plan: { kills: number; seed: string }): Promise<ReaderOrdeal | null> {
  const [a, b] = ['A-2026-02-10', 'B-2026-02-24'].map((name) =>
    sharedData(`data/ehr/clinosim-jp-pair-${name}`),
  )
  if (!a || !b) return null
  const begun = performance.now()
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-reader-'))
  try {
    const random = randomOf(plan.seed, 'reader')
    const folder = join(dir, 'export')
    cpSync(a, folder, { recursive: true })
    mkdirSync(join(dir, 'a'))
    await readThrough(folder, join(dir, 'a', 'agent.sqlite'))
    cpSync(b, folder, { recursive: true, force: true })
    const clean = join(dir, 'clean')
    cpSync(join(dir, 'a'), clean, { recursive: true })
    const lifeMs = await readThrough(folder, join(clean, 'agent.sqlite'))
    const truth = await ledgerAt(folder, clean)
    const told: ReaderOrdeal = { kills: 0, readings: 0, records: truth.length, differing: 0, seconds: 0 }
    while (told.kills < plan.kills) {
      const tried = join(dir, 'tried')
      rmSync(tried, { recursive: true, force: true })
      cpSync(join(dir, 'a'), tried, { recursive: true })
      const store = join(tried, 'agent.sqlite')
      while (told.kills < plan.kills && (await killed(folder, store, random.next() * lifeMs))) told.kills++
      await readThrough(folder, store)
      told.readings++
      if (JSON.stringify(await ledgerAt(folder, tried)) !== JSON.stringify(truth)) told.differing++
    }
    return { ...told, seconds: (performance.now() - begun) / 1000 }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function start(folder: string, store: string) {
  const program = join(import.meta.dirname, 'reading-process.ts')
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, folder, store], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** `false`: it had come to its end before. */
async function killed(folder: string, store: string, afterMs: number): Promise<boolean> {
  const child = start(folder, store)
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_, signal) => resolve(signal)),
  )
  await Promise.race([rest(afterMs), ended])
  child.kill('SIGKILL')
  return (await ended) === 'SIGKILL'
}

/** Milliseconds it took, from the first instruction to the last. */
async function readThrough(folder: string, store: string): Promise<number> {
  const begun = performance.now()
  const child = start(folder, store)
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  await new Promise((resolve) => child.once('close', resolve))
  if (!out.endsWith('done\n')) throw new Error(`the reader did not come to its end: ${out}`)
  return performance.now() - begun
}

async function ledgerAt(folder: string, home: string): Promise<unknown[]> {
  const { store } = await openLedgerReader(folder, join(home, 'agent.sqlite'))
  const rows = await store.db
    .selectFrom('source_ledger')
    .select(['type', 'id', 'hash', 'patients', 'state', 'code', 'file'])
    .orderBy('type')
    .orderBy('id')
    .execute()
  const brakes = await store.db
    .selectFrom('source_brake')
    .select(['type', 'missing', 'total'])
    .orderBy('type')
    .execute()
  await store.close()
  return [...rows, ...brakes]
}
