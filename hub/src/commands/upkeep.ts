import type { Command } from 'commander'
import { readVaultConfig } from '../config.ts'
import { examine } from '../doctor/doctor.ts'
import { sayRestored } from '../vault/daily.ts'
import { createVault } from '../vault/vault.ts'
import { BackupBad, restoreBackup, takeBackup } from '../vault/backup.ts'
import { remote } from '../wire.ts'
import type { HubContext } from './context.ts'

const MARKS = { ok: '○', warn: '△', fail: '×' } as const

export function registerUpkeepCommands(program: Command, context: HubContext): void {
  program
    .command('doctor')
    .description('状態を調べ、悪いところと直し方を示す')
    .action(async () => {
      const findings = await context.withVault((vault) => examine(context.dir(), vault))
      context.tell(findings.map(({ level, says }) => `${MARKS[level]} ${says}`).join('\n'), findings)
      if (findings.some(({ level }) => level === 'fail')) process.exitCode = 2
    })
  program
    .command('backup')
    .description('すべての区画のデータを写す（鍵は含まない。鍵は別に保管する）')
    .requiredOption('--to <folder>', '写す先の新しいフォルダー')
    .action((options: { to: string }) => {
      const manifest = orFail(context, () => takeBackup(context.dir(), options.to, context.env))
      context.tell(
        `写しました: ${options.to}（${manifest.files.length}ファイル）\nvault/keys、vault/erasures.ndjson、vault/stops.ndjson、vault/said は含まれません。別の場所に保管してください。`,
        manifest,
      )
    })
  program
    .command('restore')
    .description('バックアップを戻す（三つの区画を止めてから。削除済みの方は戻した直後に消し直す）')
    .requiredOption('--from <folder>', 'バックアップのフォルダー')
    .requiredOption('--yes', '今のデータを置き換えることを承知した')
    .action(async (options: { from: string }) => {
      const up = await zonesAnswering(context.dir())
      if (up.length > 0)
        context.fail(
          `動いている区画があります: ${up.join('、')}。\n三つの区画を止めてから、もう一度実行してください。`,
        )
      const manifest = orFail(context, () => restoreBackup(options.from, context.dir()))
      context.progress('削除の一覧を当て直しています…')
      const again = await context.withVault(async (vault) => {
        const done = await createVault(vault.parts).start()
        await sayRestored(vault.parts)
        return done
      })
      context.tell(
        `戻しました（${manifest.files.length}ファイル）。削除のやり直し: ${again.replayed}件、停止のやり直し: ${again.stops}件`,
        { ...manifest, ...again },
      )
    })
}

/** Addresses of this hub at which somebody answers: a restore or another key under a running zone would destroy both. */
export async function zonesAnswering(dir: string): Promise<string[]> {
  const { gateway, portal, console } = readVaultConfig(dir)
  const places = [gateway, ...(portal === null ? [] : [portal]), `http://${console.host}:${console.port}`]
  const ask = { method: 'GET', path: '/v1/health', headers: {}, body: new Uint8Array(0) }
  const answers = await Promise.all(
    places.map((place) =>
      remote(
        place,
        2000,
      )(ask).then(
        () => place,
        (error: { code?: unknown }) => (error.code === 'ECONNREFUSED' ? null : place),
      ),
    ),
  )
  return answers.filter((place) => place !== null)
}

function orFail<T>(context: HubContext, act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (error instanceof BackupBad) return context.fail(error.message)
    throw error
  }
}
