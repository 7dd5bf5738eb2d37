import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as rest } from 'node:timers/promises'
import { AGENT, HUB, runToEnd, type Program } from '@kakehashi/test/walk/program'
import { noticeInThePast } from '@kakehashi/test/walk/register-past'
import { done, layAgent, layHub, rowsOf, startHub, until } from '@kakehashi/test/walk/stage'
import { ChangingSource } from './changing-source.ts'
import { killAgain, type Killed } from './killer.ts'
import { damagedStores, doingOf, storesOf, unsettledPart, verifyLogs } from './standing.ts'
import { faultsOf, judge, type Verdict } from './verdict.ts'

export interface OrdealPlan {
  kills: number
  seed: string | number
  patients: number
  say?: (sentence: string) => void
}

export interface Ordeal {
  killed: Killed[]
  verdict: Verdict
  changes: number
  seconds: number
  /** Empty when nothing was lost, doubled, damaged or contradicted. */
  faults: string[]
}

const STEP_MS = 700
const SETTLE_SECONDS = 180
/** More deletions than this at once would be held for a person to confirm, as they should be. */
const VANISHED_MAX = 8

/**
 * One hospital whose records keep changing, agent, gateway and vault each killed again and again while it does; then
 * everything comes to rest and the vault is held to the source.
 */
export async function ordeal(plan: OrdealPlan): Promise<Ordeal> {
  const { say = () => {} } = plan
  const begun = performance.now()
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-kill-'))
  const hub = await layHub(dir, { vault: { settleEveryMs: 1500 } })
  const source = new ChangingSource(join(dir, 'ehr'), plan)
  const programs = [hub.gateway, hub.portal, hub.vault]
  try {
    await startHub(hub, ['gateway', 'portal', 'vault'])
    const agent = await layAgent(hub, dir, { facility: 'midori', folder: source.folder })
    const one = (patient: string): boolean => Number(patient.slice(-2)) % 7 > 0
    const { patients: notified, passedOver } = await noticeInThePast(agent, one)
    say(`${notified.length} patients notified 60 days ago, ${passedOver.length} never`)
    programs.push(agent.program)
    agent.program.start()
    const stores = storesOf(hub, agent)
    await until('the first batch is in the vault', () => batchesIn(stores.ops) > 0)
    const killed = await killAll(
      { agent: agent.program, gateway: hub.gateway, vault: hub.vault, portal: hub.portal },
      stores,
      source,
      plan,
    )
    say(`killed; ${source.changes} changes made, waiting for rest`)
    const faults: string[] = []
    await comeToRest(stores, source, faults)
    for (const program of programs) await program.stop()
    await done(runToEnd(AGENT, ['verify', '--dir', agent.dir]))
    await done(runToEnd(HUB, ['verify', '--dir', hub.dir]))
    const verdict = await judge(hub, agent, source, { stores, notified })
    faults.push(...faultsOf(verdict), ...damagedStores(stores), ...verifyLogs(hub, agent))
    for (const { name, fell } of killed)
      for (const how of fell) faults.push(`${name} ended without being killed here: ${how}`)
    return { killed, verdict, changes: source.changes, seconds: (performance.now() - begun) / 1000, faults }
  } finally {
    for (const program of programs) await program.stop('SIGKILL')
    if (process.env['KAKEHASHI_KEEP']) say(`kept: ${dir}`)
    else rmSync(dir, { recursive: true, force: true })
  }
}

type Name = 'agent' | 'gateway' | 'vault'

async function killAll(
  programs: Record<Name | 'portal', Program>,
  stores: ReturnType<typeof storesOf>,
  source: ChangingSource,
  plan: OrdealPlan,
): Promise<Killed[]> {
  const doing = doingOf(stores)
  const over = new AbortController()
  const changing = (async () => {
    while (!over.signal.aborted) {
      source.step({ vanish: source.vanished < VANISHED_MAX + seenGone(stores.agent) })
      if (!programs.portal.alive) programs.portal.start()
      await rest(STEP_MS)
    }
  })()
  try {
    return await Promise.all(
      (['agent', 'gateway', 'vault'] as const).map((name) =>
        killAgain({ program: programs[name], doing: doing[name] }, plan).then((killed) => ({
          ...killed,
          name,
        })),
      ),
    )
  } finally {
    over.abort()
    await changing
  }
}

function batchesIn(ops: string): number {
  return rowsOf<{ n: number }>(ops, 'SELECT count(*) AS n FROM batch')[0]!.n
}

/** How many records the agent has seen vanish. */
function seenGone(agent: string): number {
  return rowsOf<{ n: number }>(agent, `SELECT count(*) AS n FROM source_ledger WHERE state = 'gone'`)[0]!.n
}

/** Nothing under way anywhere, five looks in a row: the agent looks at its folder every second. */
async function comeToRest(
  stores: ReturnType<typeof storesOf>,
  source: ChangingSource,
  faults: string[],
): Promise<void> {
  let quiet = 0
  let why: string | null = null
  try {
    await until(
      'everything at rest',
      async () => {
        why = unsettledPart(stores)
        quiet = why === null ? quiet + 1 : 0
        await rest(900)
        return quiet >= 5
      },
      SETTLE_SECONDS,
    )
  } catch {
    faults.push(
      `not at rest ${SETTLE_SECONDS} s after the last blow (${why ?? 'unknown'}), ${source.size} records`,
    )
  }
}
