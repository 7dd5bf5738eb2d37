import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { word } from '@kakehashi/protocol/log'
import { refuseOpenRoute } from '../doctor/route.ts'
import { readVaultConfig } from '../config.ts'
import type { HubContext } from './context.ts'

const RESTART_MS_MIN = 1000
const RESTART_MS_MAX = 60_000
/** A zone that lived this long starts again at once. */
const STEADY_MS = 60_000

/**
 * The three processes of the hub, and `all` for one machine: still three processes with three stores. What a zone is
 * made of is loaded when it starts; every other command goes without.
 */
export function registerZoneCommands(program: Command, context: HubContext): void {
  const { env, log } = context
  program
    .command('gateway')
    .description('ゲートウェイ（封をした荷の受け口。開ける鍵を持たない）を動かす')
    .action(async () => {
      const { runGateway } = await import('../running.ts')
      await untilSignal(await runGateway(context.dir(), env, log))
    })
  program
    .command('portal')
    .description('患者さん向けの窓口ページを動かす')
    .action(async () => {
      const { runPortal } = await import('../running.ts')
      await untilSignal(await runPortal(context.dir(), env, log))
    })
  program
    .command('vault')
    .description('保管庫（引き取り・開封・審査・コンソール）を動かす')
    .action(async () => {
      refuseOpenRoute(readVaultConfig(context.dir()).profile)
      const { runVault } = await import('../vault/running.ts')
      await untilSignal(await runVault(context.dir(), env, log))
    })
  program
    .command('all')
    .description('ゲートウェイ・窓口・保管庫を三つの別プロセスとして動かす（一台での試用向け）')
    .action(() => runAll(context))
}

async function untilSignal(running: { close(): Promise<void> }): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
    // Under `all`: the parent is gone, however it ended.
    process.once('disconnect', () => resolve())
  })
  process.channel?.unref()
  await running.close()
}

async function runAll(context: HubContext): Promise<void> {
  const { log } = context
  const dir = context.dir()
  const logs = join(dir, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  const children = new Map<string, ChildProcess>()
  const waits = new Map<string, number>()
  let stopping = false
  const start = (zone: 'gateway' | 'portal' | 'vault'): void => {
    const main = fileURLToPath(new URL('../main.ts', import.meta.url))
    const child = spawn(process.execPath, [main, zone, '--dir', dir], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const file = createWriteStream(join(logs, `${zone}.log`), { flags: 'a', mode: 0o600 })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        file.write(chunk)
        process.stdout.write(chunk)
      })
    }
    children.set(zone, child)
    const startedAt = context.env.now()
    child.on('exit', (code) => {
      file.end()
      if (stopping) return
      const steady = context.env.now() - startedAt > STEADY_MS
      const wait = steady ? RESTART_MS_MIN : (waits.get(zone) ?? RESTART_MS_MIN)
      waits.set(zone, Math.min(wait * 2, RESTART_MS_MAX))
      log('zone.restarts', { zone: word(zone as never), code, waitMs: wait })
      context.env.after(wait, () => {
        if (!stopping) start(zone)
      })
    })
  }
  for (const zone of ['gateway', 'portal', 'vault'] as const) start(zone)
  await untilSignal({
    async close() {
      stopping = true
      await Promise.all(
        [...children.values()].map(
          (child) =>
            new Promise<void>((resolve) => {
              if (child.exitCode !== null || child.signalCode !== null) return resolve()
              child.once('exit', () => resolve())
              child.kill('SIGTERM')
            }),
        ),
      )
    },
  })
}
