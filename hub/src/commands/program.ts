import { systemEnv } from '@kakehashi/protocol/env'
import { jsonLog } from '@kakehashi/protocol/log'
import { LogForked } from '@kakehashi/store/audit-log'
import { MigrationChanged } from '@kakehashi/store/migrate'
import { Command } from 'commander'
import { registerAccountCommands } from '../accounts/commands.ts'
import { CommandFailed, type HubContext } from './context.ts'
import { registerEnrolCommands } from './enrol.ts'
import { registerInitCommand } from './init.ts'
import { registerOversightCommands } from './oversight.ts'
import { registerKeyCommands } from './keys.ts'
import { registerQuarantineCommands } from './quarantine.ts'
import { registerRequestCommands } from './requests.ts'
import { registerRuleCommands } from './rule-files.ts'
import { registerUpkeepCommands } from './upkeep.ts'
import { registerVerifyCommand } from './verify.ts'
import { registerZoneCommands } from './zones.ts'
import { ConfigBad } from '../config.ts'
import { KeyFileBad } from '../key-files.ts'
import { registerLinkageCommands } from '../linkage/commands.ts'
import { registerReleaseCommands } from '../release/commands.ts'
import { openVault } from '../vault/opening.ts'

process.umask(0o077)
const env = systemEnv()
const program = new Command('kakehashi-hub')
  .description('架け橋: 認定事業者側（ゲートウェイ・窓口・保管庫）')
  .option('--dir <folder>', 'ハブのフォルダー', './hub-data')
  .option('--json', '結果をJSONで出す')
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('（--help で使い方を表示します）')

const context: HubContext = {
  env,
  log: jsonLog(env.now, (line) => void process.stdout.write(line)),
  dir: () => program.opts<{ dir: string }>().dir,
  async withVault(act) {
    const vault = await openVault(context.dir(), env, () => {})
    try {
      return await act(vault)
    } finally {
      await vault.close()
    }
  },
  tell: (sentence, value) => console.log(isJson() ? JSON.stringify(value) : sentence),
  progress: (sentence) => {
    if (!isJson()) console.error(sentence)
  },
  fail: (sentence) => {
    throw new CommandFailed(sentence)
  },
}

function isJson(): boolean {
  return program.opts<{ json?: boolean }>().json === true
}

registerInitCommand(program, context)
registerEnrolCommands(program, context)
registerZoneCommands(program, context)
registerRequestCommands(program, context)
registerOversightCommands(program, context)
registerQuarantineCommands(program, context)
registerRuleCommands(program, context)
registerVerifyCommand(program, context)
registerUpkeepCommands(program, context)
registerKeyCommands(program, context)
registerAccountCommands(program, context)
registerLinkageCommands(program, context)
registerReleaseCommands(program, context)

/** The kind of the error and its place in the code, never its text: that may hold what was being handled. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  const [place = ''] = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [error.name, ...(typeof code === 'string' ? [code] : []), place.trim()].join(' ')
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = 1
  if (error instanceof CommandFailed || error instanceof ConfigBad || error instanceof KeyFileBad)
    console.error(isJson() ? JSON.stringify({ error: error.message }) : error.message)
  else if (error instanceof MigrationChanged)
    console.error(
      'データベースがこの版のプログラムと合いません（別の版で作られたか、書き換えられています）。\n次にすること: データベースを作った版のプログラムに戻すか、hub restore でこの版のバックアップを戻してください。',
    )
  else if (error instanceof LogForked)
    console.error(
      '監査記録が、すでに署名したものとつながりません。署名を止めました。\n次にすること: データベースを戻したときは vault/audit フォルダーも残っているかを確かめ、hub doctor を実行してください。',
    )
  else
    console.error(
      `予期しない誤りで中止しました（${nameOf(error)}）。\n次にすること: kakehashi-hub doctor で状態を確かめてください。`,
    )
}
