import type { Command } from 'commander'
import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import type { HubContext } from '../commands/context.ts'
import { readVaultConfig } from '../config.ts'
import { factorInWords } from '../console/pages/enrolment.ts'
import { createAccount, disableAccount } from './flow.ts'
import { enrolSecondFactor } from './second-factor.ts'
import { enrolmentUri } from './totp.ts'
import { isRole, ROLES } from './rules.ts'
import { listAccounts, type AccountStore } from './store.ts'

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 5
const GROUP_LETTERS = 4

/** `abcd-efgh-…`: about 99 bits, and can be read out. */
function freshPassphrase(env: Env): string {
  const letters = [...env.random(GROUPS * GROUP_LETTERS)].map((byte) => LETTERS[byte % LETTERS.length] ?? 'a')
  return (letters.join('').match(/.{4}/g) ?? []).join('-')
}

function withAccounts<T>(context: HubContext, act: (store: AccountStore) => Promise<T>): Promise<T> {
  return context.withVault((vault) => act(vault.ops as unknown as AccountStore))
}

export function registerAccountCommands(program: Command, context: HubContext): void {
  program
    .command('account-add')
    .description('コンソールに入る職員を登録し、最初の合言葉を作る')
    .requiredOption('--id <id>', '職員の番号（半角の英小文字と数字）')
    .requiredOption('--name <name>', '氏名')
    .requiredOption('--roles <roles>', `役割（${ROLES.join('、')}）。カンマで区切る`)
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .action(async (options: { id: string; name: string; roles: string; by: string }) => {
      const roles = options.roles.split(',').filter((role) => isRole(role))
      const passphrase = freshPassphrase(context.env)
      const { id: account, name, by } = options
      try {
        const factor = await context.withVault(async (vault) => {
          const store = vault.ops as unknown as AccountStore
          await createAccount(store, { account, name, roles, passphrase, by })
          return enrolSecondFactor(store, { account, by })
        })
        const operator = readVaultConfig(context.dir()).operator.name
        const uri = enrolmentUri(operator, account, factor.secret)
        return context.tell(
          `登録しました: ${account}（${roles.join('、')}）\n合言葉: ${passphrase}\n${factorInWords(uri, factor)}`,
          { account, roles, passphrase, uri, ...factor },
        )
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        if (error.refusal.code === 'DUPLICATE_CONFLICT')
          context.fail(`番号「${account}」はすでに使われています。別の番号にしてください。`)
        context.fail(
          `登録できません（${error.refusal.place ?? ''}）。番号は英小文字と数字、役割は ${ROLES.join('、')} から選んでください。`,
        )
      }
    })
  registerRenewal(program, context)
  registerOverview(program, context)
}

function registerRenewal(program: Command, context: HubContext): void {
  program
    .command('account-renew')
    .description('二つめの確認（認証アプリ）を作り直す。古いものと予備の番号は使えなくなる')
    .requiredOption('--id <id>', '職員の番号')
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .action(async ({ id, by }: { id: string; by: string }) => {
      const factor = await withAccounts(context, (store) =>
        enrolSecondFactor(store, { account: id, by }),
      ).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error
        return context.fail(`番号「${id}」の職員は登録されていません。accounts で一覧を確かめてください。`)
      })
      const uri = enrolmentUri(readVaultConfig(context.dir()).operator.name, id, factor.secret)
      context.tell(`作り直しました: ${id}\n${factorInWords(uri, factor)}`, { account: id, uri, ...factor })
    })
}

function registerOverview(program: Command, context: HubContext): void {
  program
    .command('accounts')
    .description('登録済みの職員の一覧')
    .action(async () => {
      const rows = await withAccounts(context, (store) => listAccounts(store.db))
      const lines = rows.map(
        (row) => `${row.account}  ${row.name}  ${row.roles.join('、')}${row.disabled ? '（停止）' : ''}`,
      )
      context.tell(lines.length > 0 ? lines.join('\n') : 'まだ誰も登録されていません。', rows)
    })
  program
    .command('account-disable')
    .description('職員がコンソールに入れないようにする')
    .requiredOption('--id <id>', '職員の番号')
    .option('--by <staff>', '操作した職員の番号', 'staff')
    .action(async (options: { id: string; by: string }) => {
      await withAccounts(context, (store) => disableAccount(store, { account: options.id, by: options.by }))
      context.tell(`停止しました: ${options.id}`, { disabled: options.id })
    })
}
