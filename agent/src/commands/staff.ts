import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { systemEnv } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { installationAt, readInstalledConfig, readInstalledKeys } from '../installation.ts'
import { keepStaff } from '../staff/flow.ts'
import { isRole, ROLE_WORDS, ROLES } from '../staff/rules.ts'
import { listStaff } from '../staff/store.ts'
import { openAgentStore } from '../store/store.ts'

interface StaffOptions {
  dir: string
  by: string
  name?: string
  role?: string
  badge?: boolean
  takeBadge?: boolean
  newPin?: boolean
  disable?: boolean
  enable?: boolean
  list?: boolean
}

/** Secrets come by standard input, so that they stand in no process list and no shell history. */
function fromInput(question: string): string {
  if (process.stdin.isTTY) process.stderr.write(question)
  return readFileSync(0, 'utf8')
}

async function staff(id: string | undefined, options: StaffOptions): Promise<void> {
  const at = installationAt(resolve(options.dir))
  readInstalledConfig(at, {})
  const env = systemEnv()
  const store = await openAgentStore(at.store, env)
  try {
    if (options.list || id === undefined) {
      for (const one of await listStaff(store.db))
        console.log([one.id, one.name, ROLE_WORDS[one.role], one.disabled ? '停止中' : '使用中'].join('\t'))
      return
    }
    if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(id))
      throw new Refused('REQUEST_MALFORMED', '職員番号は半角の英数字と . _ : - だけで書いてください')
    const { role, name, disable, enable } = options
    if (role !== undefined && !isRole(role))
      throw new Refused('REQUEST_MALFORMED', `役割は ${ROLES.join('、')} のどれかです`)
    const badge = options.badge ? fromInput('名札のバーコードを読んでください: ').trim() : undefined
    const otherwise = options.badge || options.newPin || options.takeBadge || disable || enable
    const piped = process.stdin.isTTY || otherwise ? '' : readFileSync(0, 'utf8').trim()
    const pin = options.newPin ? 'new' : piped === '' ? undefined : piped
    const done = await keepStaff(
      { store, env, keys: readInstalledKeys(at) },
      {
        id,
        by: options.by,
        ...(name === undefined ? {} : { name }),
        ...(role === undefined ? {} : { role }),
        ...(options.takeBadge ? { badge: null } : badge === undefined ? {} : { badge }),
        ...(pin === undefined ? {} : { pin }),
        ...(disable || enable ? { disabled: disable === true } : {}),
      },
    )
    console.log(`窓口の職員を登録しました: ${id}（すぐに効きます。使っていた画面は終わります）`)
    if (done.firstPin !== null)
      console.log(
        `最初の暗証番号: ${done.firstPin}（一度だけ表示します。72時間以内に入り、自分の番号に変えます）`,
      )
  } finally {
    await store.close()
  }
}

export function staffCommand(program: Command): void {
  program
    .command('staff [id]')
    .description(
      '窓口の職員を加える・変える・止める（暗証番号は標準入力から。なければ最初の番号を作って表示）',
    )
    .option('--name <name>', '画面に出す氏名（新しい職員には要る）')
    .option(
      '--role <role>',
      'desk（受付）・privacy（個人情報担当）・it（情報システム担当）。新しい職員は desk',
    )
    .option('--badge', '名札のバーコードを標準入力から登録する（desk は名札だけで入れる）')
    .option('--take-badge', '名札の登録を取り消す')
    .option('--new-pin', '暗証番号を作り直す')
    .option('--disable', '使えなくする（開いている画面もすぐに終わる）')
    .option('--enable', 'また使えるようにする')
    .option('--list', '職員の一覧')
    .option('--by <id>', '操作した職員の番号', 'console')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(staff)
}
