#!/usr/bin/env node
import { systemEnv } from '@kakehashi/protocol/env'
import { jsonLog } from '@kakehashi/protocol/log'
import { Command } from 'commander'
import { registerAccountCommands } from './accounts/commands.ts'
import { CommandFailed, type HubContext } from './commands/context.ts'
import { registerEnrolCommands } from './commands/enrol.ts'
import { registerInitCommand } from './commands/init.ts'
import { registerZoneCommands } from './commands/zones.ts'
import { ConfigBad } from './config.ts'
import { KeyFileBad } from './key-files.ts'
import { openVault } from './vault/opening.ts'

process.umask(0o077)
const env = systemEnv()
const program = new Command('kakehashi-hub')
  .description('架け橋: 認定事業者側（ゲートウェイ・窓口・保管庫）')
  .option('--dir <folder>', 'ハブのフォルダー', './hub-data')
  .option('--json', '結果をJSONで出す')
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
registerAccountCommands(program, context)
for (const command of program.commands) {
  command.option('--dir <folder>', 'ハブのフォルダー').option('--json', '結果をJSONで出す')
  command.hook('preAction', (_, action) => {
    const { dir, json } = action.opts<{ dir?: string; json?: boolean }>()
    if (dir !== undefined) program.setOptionValue('dir', dir)
    if (json) program.setOptionValue('json', true)
  })
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = 1
  if (error instanceof CommandFailed || error instanceof ConfigBad || error instanceof KeyFileBad)
    console.error(isJson() ? JSON.stringify({ error: error.message }) : error.message)
  else
    console.error(
      `予期しない誤りで中止しました（${error instanceof Error ? `${error.name}: ${error.message}` : '不明'}）。\n次にすること: kakehashi-hub doctor で状態を確かめてください。`,
    )
}
