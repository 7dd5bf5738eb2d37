import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { storesOf } from '@kakehashi/test/kill/standing'
import { noticeInThePast } from '@kakehashi/test/walk/register-past'
import { HUB, runToEnd, type Program } from '@kakehashi/test/walk/program'
import { layAgent, layHub, rowsOf, startHub, until } from '@kakehashi/test/walk/stage'
import { costOf, type Cost } from './machine.ts'
import { arrivePatients, arriveRecords, type BenchSource } from './source.ts'

export interface PipelineFigures {
  patients: number
  resources: number
  batches: number
  refused: number
  /** From the files' arrival in the folder to the last record committed in the vault. */
  durableSeconds: number
  /** … to the last receipt applied at the agent. */
  receiptedSeconds: number
  sealedBytes: number
  costs: Record<string, Cost | null>
  /** The published log of the vault, checked by the command line; its start is part of the time. */
  auditVerify: { leaves: number; seconds: number } | null
  /** Linkage of every chart, by the command line; its start is part of the time. */
  link: { charts: number; seconds: number } | null
}

const WAIT_SECONDS = 900

/** The unchanged programs as processes on this machine: one hospital's whole export, from its folder to the vault. */
export async function pipeline(
  dir: string,
  source: BenchSource,
  say: (sentence: string) => void,
): Promise<PipelineFigures> {
  const hub = await layHub(dir, { vault: { pullEveryMs: 1000 } })
  const folder = join(dir, 'ehr')
  arrivePatients(source, folder)
  const programs = [hub.gateway, hub.portal, hub.vault]
  try {
    await startHub(hub, ['gateway', 'portal', 'vault'])
    const agent = await layAgent(hub, dir, { facility: 'midori', folder })
    const { patients } = await noticeInThePast(agent)
    say(`${patients.length} patients notified 60 days ago`)
    programs.push(agent.program)
    agent.program.start()
    const stores = storesOf(hub, agent)
    await until('the Patient resources are in the vault', () => accepted(stores.ops) > 0)
    await until('and at rest', () => atRest(stores.agent))
    const before = accepted(stores.ops)
    const begun = Date.now()
    const cpuBefore = costs(hub, agent.program.pid)
    const said = agent.program.output.length
    arriveRecords(source, folder)
    say('the export has arrived')
    await untilDone(agent.program, said, stores)
    const after = costs(hub, agent.program.pid)
    const figures = figuresSince(stores, begun, before)
    for (const program of programs) await program.stop()
    return {
      patients: patients.length,
      ...figures,
      costs: spent(cpuBefore, after),
      auditVerify: await timeVerify(hub.dir),
      link: await timeLink(hub.dir),
    }
  } finally {
    for (const program of programs) await program.stop('SIGKILL')
  }
}

function accepted(ops: string): number {
  return rowsOf<{ n: number }>(ops, 'SELECT coalesce(sum(accepted), 0) AS n FROM batch')[0]!.n
}

function atRest(agent: string): boolean {
  return (
    rowsOf<{ n: number }>(
      agent,
      `SELECT count(*) AS n FROM outbox_batch WHERE leg NOT IN ('done', 'dropped')`,
    )[0]!.n === 0
  )
}

/** The round that read the export is over, and every batch has its receipt. */
async function untilDone(agent: Program, since: number, stores: ReturnType<typeof storesOf>): Promise<void> {
  const read = /"source\.gathered"[^\n]*"seen":[1-9][\s\S]*"round\.done"/
  await until('the export is read', () => read.test(agent.output.slice(since)), WAIT_SECONDS)
  await until('every batch has its receipt', () => atRest(stores.agent), WAIT_SECONDS)
}

function figuresSince(
  stores: ReturnType<typeof storesOf>,
  begun: number,
  before: number,
): Pick<
  PipelineFigures,
  'resources' | 'batches' | 'refused' | 'durableSeconds' | 'receiptedSeconds' | 'sealedBytes'
> {
  const vault = rowsOf<{ n: number; last: number; batches: number; bytes: number; refused: number }>(
    stores.ops,
    `SELECT coalesce(sum(accepted), 0) AS n, max(received_at) AS last, count(*) AS batches, sum(size) AS bytes,
     sum(refused) AS refused FROM batch WHERE received_at >= ?`,
    begun,
  )[0]!
  const home = rowsOf<{ last: number }>(
    stores.agent,
    `SELECT max(moved_at) AS last FROM outbox_batch WHERE leg = 'done'`,
  )[0]!
  return {
    resources: accepted(stores.ops) - before,
    batches: vault.batches,
    refused: vault.refused,
    durableSeconds: (vault.last - begun) / 1000,
    receiptedSeconds: (home.last - begun) / 1000,
    sealedBytes: vault.bytes,
  }
}

function costs(
  hub: Awaited<ReturnType<typeof layHub>>,
  agent: number | null,
): Record<'agent' | 'gateway' | 'vault', Cost | null> {
  return { agent: costOf(agent), gateway: costOf(hub.gateway.pid), vault: costOf(hub.vault.pid) }
}

function spent(
  before: Record<string, Cost | null>,
  after: Record<string, Cost | null>,
): Record<string, Cost | null> {
  return Object.fromEntries(
    Object.entries(after).map(([name, cost]) => [
      name,
      cost && { peakMiB: cost.peakMiB, cpuSeconds: cost.cpuSeconds - (before[name]?.cpuSeconds ?? 0) },
    ]),
  )
}

async function timed(args: string[]): Promise<{ seconds: number; out: string } | null> {
  const begun = performance.now()
  const ended = await runToEnd(HUB, args)
  return ended.code === 0 ? { seconds: (performance.now() - begun) / 1000, out: ended.out } : null
}

async function timeVerify(hub: string): Promise<PipelineFigures['auditVerify']> {
  const leaves = rowsOf<{ n: number }>(
    join(hub, 'vault', 'ops.sqlite'),
    'SELECT count(*) AS n FROM audit_leaf',
  )[0]!.n
  const run = existsSync(join(hub, 'vault', 'audit', 'checkpoint'))
    ? await timed(['verify', '--dir', hub])
    : null
  return run && { leaves, seconds: run.seconds }
}

async function timeLink(hub: string): Promise<PipelineFigures['link']> {
  const charts = rowsOf<{ n: number }>(
    join(hub, 'vault', 'identity.sqlite'),
    'SELECT count(*) AS n FROM identity_patient',
  )[0]!.n
  const run = await timed(['link', '--dir', hub])
  return run && { charts, seconds: run.seconds }
}
