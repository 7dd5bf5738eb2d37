import { statfsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { sql } from 'kysely'
import { schedule, validate, type ScheduledTask } from 'node-cron'
import { publishLog } from '@kakehashi/store/audit-log'
import { auditOrigin } from '../audit/checkpoint.ts'
import { noticeRollback } from '../audit/rollback.ts'
import { ConfigFaulty, type AgentConfig } from '../config.ts'
import { facilityStateOf } from '../register/read.ts'
import { isQuiet } from '../sources/quiet-hours.ts'
import { isDiskFull } from '../store/disk-full.ts'
import { takeLock } from './lock.ts'
import { openAgent, type Opened } from './opened.ts'

/** Reading pauses while the register could still write: a stop must always find room. */
const RESERVE_BYTES = 256 * 1024 * 1024

function hasRoom(dir: string): boolean {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize >= RESERVE_BYTES
}

/** Reads the sources and queues batches, one round at a time; a trouble is logged and the next round tries again. */
class Rounds {
  readonly #opened: Opened
  readonly #abort = new AbortController()
  #running: Promise<void> | null = null
  constructor(opened: Opened) {
    this.#opened = opened
  }

  go(full: boolean): void {
    if (this.#running || this.#abort.signal.aborted) return
    if (isQuiet(this.#opened.config.quietHours, this.#opened.agent.context.env.now())) return
    if (!hasRoom(this.#opened.at.dir)) {
      this.#opened.agent.context.log('round.paused', { code: 'DISK_FULL' })
      return
    }
    this.#running = this.#round(full).finally(() => {
      this.#running = null
    })
  }

  async #round(full: boolean): Promise<void> {
    const { agent } = this.#opened
    const { log } = agent.context
    const { signal } = this.#abort
    try {
      const resting = this.#resting()
      await agent.gather({ full, signal, resting })
      // a patient is read from all sources or from none
      if (resting.size > 0) return log('round.part', { resting: resting.size })
      const built = await agent.build({ signal })
      log('round.done', {
        full,
        batches: built.batches,
        records: built.records,
        closed: built.closed,
        paused: built.paused === 'DISK_FULL' ? 'DISK_FULL' : null,
      })
    } catch (error) {
      log('round.failed', { code: isDiskFull(error) ? 'DISK_FULL' : null })
    }
  }

  /** Sources the hospital asked to leave alone at this hour. */
  #resting(): ReadonlySet<string> {
    const { config, agent } = this.#opened
    const now = agent.context.env.now()
    return new Set(config.sources.filter((one) => isQuiet(one.quietHours, now)).map((one) => one.id))
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }
}

function schedules(config: AgentConfig, rounds: Rounds, opened: Opened): ScheduledTask[] {
  const faults = (['gatherAt', 'fullGatherAt'] as const).filter((key) => !validate(config[key]))
  if (faults.length > 0) throw new ConfigFaulty(faults.map((key) => `${key}：予定の書き方が正しくありません`))
  const { agent, at } = opened
  const { log, store, keys } = agent.context
  const options = { timezone: 'Asia/Tokyo', suppressMissedWarning: true }
  const minute = async () => {
    try {
      await agent.tick()
    } catch (error) {
      log('tick.failed', { code: isDiskFull(error) ? 'DISK_FULL' : null })
    }
  }
  const publish = async () => {
    try {
      await publishLog(store, at.audit, auditOrigin(agent.context), keys.signing)
      // what was deleted is overwritten in the file; this takes it out of the journal too
      await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(store.db)
    } catch {
      log('audit.publish-failed')
    }
  }
  return [
    schedule(config.gatherAt, () => rounds.go(false), options),
    schedule(config.fullGatherAt, () => rounds.go(true), options),
    schedule('* * * * *', minute, options),
    schedule('7 * * * *', publish, options),
  ]
}

/** The configuration may lengthen the wait; what the register says already is never shortened from here. */
async function lengthenWait({ agent, config }: Opened): Promise<void> {
  const { context, register } = agent
  const state = await facilityStateOf(context.store.db, context.facility)
  if (!state || state.waitDays >= config.waitDays) return
  const { deathPolicy, closedDays, endedOn } = state
  await register.setFacility({ by: 'config', waitDays: config.waitDays, deathPolicy, closedDays, endedOn })
}

/** Its pages are read only where they are served: every other command starts without them. */
async function openCounter(opened: Opened): Promise<{ url: string; close(): Promise<void> }> {
  const { serveCounter } = await import('./counter.ts')
  return serveCounter(opened)
}

async function run(options: { dir: string; counter: boolean; socket: boolean }): Promise<void> {
  const opened = await openAgent(resolve(options.dir), { log: true })
  const unlock = takeLock(opened.at.lock)
  const { agent, config } = opened
  const { log } = agent.context
  await noticeRollback(agent.context, opened.at.audit)
  const { requeued, unsettled } = await agent.recover()
  log('agent.started', { requeued, unsettled, facility: agent.context.facility })
  await lengthenWait(opened)
  const counter = options.counter ? await openCounter(opened) : null
  if (counter) process.stdout.write(`${JSON.stringify({ event: 'counter.listening', url: counter.url })}\n`)
  const rounds = new Rounds(opened)
  const tasks = schedules(config, rounds, opened)
  agent.start({ socket: options.socket })
  await agent.tick()
  rounds.go(false)
  await new Promise<void>((stop) => {
    process.once('SIGINT', () => stop())
    process.once('SIGTERM', () => stop())
  })
  log('agent.stopping')
  for (const task of tasks) void task.destroy()
  agent.stop()
  await rounds.stop()
  await counter?.close()
  await opened.close()
  unlock()
  log('agent.stopped')
}

export function runCommand(program: Command): void {
  program
    .command('run')
    .description('常駐する：電子カルテを読み、送り、窓口の画面を開く（Ctrl-Cで静かに止まる）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .option('--no-counter', '窓口の画面を開かない')
    .option('--no-socket', 'WebSocketを使わない（定期の問い合わせだけにする）')
    .action(run)
}
