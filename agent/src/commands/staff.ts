import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { systemEnv } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { installationAt, readInstalledConfig, readInstalledKeys } from '../installation.ts'
import { keepStaff, type StaffHouse } from '../staff/flow.ts'
import { leavesNobody, peopleNeeded } from '../staff/keeping.ts'
import { isRole, KEEPERS, ROLE_WORDS, ROLES } from '../staff/rules.ts'
import { listStaff } from '../staff/store.ts'
import { openAgentStore } from '../store/store.ts'
import { provePins, readPins, withPins, type ProofOptions } from './proof.ts'

type Change = Parameters<typeof peopleNeeded>[1]

const BADGE = '名札のバーコードを読んでください: '
const NO_KEYS = { about: new Uint8Array(32) }

interface StaffOptions extends ProofOptions {
  approvedBy?: string
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
function fromInput(question: string): string[] {
  if (process.stdin.isTTY) process.stderr.write(question)
  return readFileSync(0, 'utf8').split(/\r?\n/)
}

/**
 * Whoever keeps the list has proved it, where there is somebody to; gives the badge or the PIN that is to be entered, or
 * nothing. By standard input the PINs of who acts come first, a line each.
 */
async function provenSecret(house: StaffHouse, change: Change, options: StaffOptions): Promise<string> {
  const { store, env, keys } = house
  const staff = await listStaff(store.db)
  const ids = [options.by, ...(options.approvedBy === undefined ? [] : [options.approvedBy])]
  const proofs = peopleNeeded(staff, change, env.now()) === 0 ? 0 : ids.length
  if (leavesNobody(staff, change))
    throw new Refused('NOT_ALLOWED', '職員を管理できる人がいなくなります。先に次の人を加えてください')
  const otherwise = options.newPin || options.takeBadge || options.disable || options.enable
  const reads = options.badge || (!otherwise && !process.stdin.isTTY)
  const input = options.pinStdin || (proofs === 0 && reads) ? fromInput(BADGE) : null
  const pins = proofs === 0 ? [] : (input?.slice(0, proofs) ?? (await readPins(ids, options)))
  const rest = input ?? (reads ? fromInput(BADGE) : [])
  const secret = reads ? (rest[input ? proofs : 0] ?? '').trim() : ''
  const whole = options.badge || secret === '' ? change : { ...change, pin: secret }
  const needed = peopleNeeded(staff, whole, env.now())
  if (ids.length < needed)
    throw new Refused(
      'NOT_ALLOWED',
      '人を加える・役割や暗証番号を変える・また使えるようにするには、二人が要ります（--by と --approved-by）',
    )
  // before the enrolment there is no key yet, and nothing to guess for
  if (proofs > 0) await provePins({ store, env, keys: keys ?? NO_KEYS }, KEEPERS, ids, pins)
  return secret
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
    const change = {
      id,
      ...(role === undefined ? {} : { role }),
      ...(disable || enable ? { disabled: disable === true } : {}),
      ...(options.newPin ? { pin: 'new' } : {}),
    }
    const house = { store, env, keys: readInstalledKeys(at) }
    const secret = await provenSecret(house, change, options)
    const pin = options.badge || secret === '' ? {} : { pin: secret }
    const done = await keepStaff(house, {
      ...{ ...change, ...pin, by: options.by },
      ...(options.approvedBy === undefined ? {} : { approvedBy: options.approvedBy }),
      ...(name === undefined ? {} : { name }),
      ...(options.takeBadge ? { badge: null } : options.badge ? { badge: secret } : {}),
    })
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
  withPins(
    program
      .command('staff [id]')
      .description(
        '窓口の職員を加える・変える・止める（暗証番号は標準入力から。なければ最初の番号を作って表示）。自分の番号を決めた privacy か it の人がいるときは --by の人が自分の番号で確かめ、二人いるときは、人を加える・役割や番号を変える・また使えるようにするのに --approved-by の人も要ります',
      ),
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
    .option('--by <id>', '操作する職員の番号（privacy か it）', 'console')
    .option('--approved-by <id>', '二人目の職員の番号（privacy か it）')
    .option('--dir <dir>', 'エージェントの場所', 'agent-data')
    .action(staff)
}
