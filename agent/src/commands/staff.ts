import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { systemEnv } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { readConfig } from '../config.ts'
import { hashPin } from '../counter/staff.ts'
import { installationAt, readInstalledConfig, writePrivate } from '../installation.ts'

/** The PIN comes by standard input, so that it stands in no process list and no shell history. */
async function add(id: string, options: { dir: string; name: string }): Promise<void> {
  const at = installationAt(resolve(options.dir))
  readInstalledConfig(at, {})
  if (process.stdin.isTTY) process.stderr.write('暗証番号（6桁以上）を入力し、Enterを押してください: ')
  const pin = readFileSync(0, 'utf8').trim()
  if (!/^\d{6,12}$/.test(pin)) throw new Refused('REQUEST_MALFORMED', '暗証番号は6〜12桁の数字です')
  const raw = JSON.parse(readFileSync(at.config, 'utf8')) as { staff?: { id: string }[] }
  const others = (raw.staff ?? []).filter((one) => one.id !== id)
  const staff = [...others, { id, name: options.name, pinHash: await hashPin(pin, systemEnv()) }]
  const text = `${JSON.stringify({ ...raw, staff }, null, 2)}\n`
  readConfig(text)
  writePrivate(at.config, text)
  console.log(`窓口の職員を登録しました: ${id}（動いているエージェントは再起動してください）`)
}

export function staffCommand(program: Command): void {
  program
    .command('staff <id>')
    .description('窓口の職員を加える、または暗証番号を変える（暗証番号は標準入力から）')
    .requiredOption('--name <name>', '画面に出す氏名')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(add)
}
