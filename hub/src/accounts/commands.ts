import type { Command } from 'commander'
import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import type { HubContext } from '../commands/context.ts'
import { provenKeepers, withSecrets, type KeepingOptions } from '../commands/proof.ts'
import { readVaultConfig } from '../config.ts'
import { factorInWords } from '../console/pages/enrolment.ts'
import { createAccount, disableAccount } from './flow.ts'
import { enrolSecondFactor } from './second-factor.ts'
import { enrolmentUri } from './totp.ts'
import type { OpenVault } from '../vault/opening.ts'
import { isLastOfficer, isRole, ROLES } from './rules.ts'
import { listAccounts, type AccountStore } from './store.ts'

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 5
const GROUP_LETTERS = 4

/** `abcd-efgh-…`: about 99 bits, and can be read out. */
function freshPassphrase(env: Env): string {
  const letters = [...env.random(GROUPS * GROUP_LETTERS)].map((byte) => LETTERS[byte % LETTERS.length] ?? 'a')
  return (letters.join('').match(/.{4}/g) ?? []).join('-')
}

function withAccounts<T>(
  context: HubContext,
  act: (store: AccountStore, vault: OpenVault) => Promise<T>,
): Promise<T> {
  return context.withVault((vault) => act(vault.ops as unknown as AccountStore, vault))
}

/** The options of every command that keeps the accounts. */
function kept(command: Command): Command {
  return withSecrets(command)
    .option('--by <staff>', '操作する職員の番号（privacy か auditor がいるときは、その人）', 'staff')
    .option('--second <staff>', '二人目の職員の番号（privacy か auditor が二人いるときに要る）')
}

export function registerAccountCommands(program: Command, context: HubContext): void {
  kept(program.command('account-add').description('コンソールに入る職員を登録し、最初の合言葉を作る'))
    .requiredOption('--id <id>', '職員の番号（半角の英小文字と数字）')
    .requiredOption('--name <name>', '氏名')
    .requiredOption('--roles <roles>', `役割（${ROLES.join('、')}）。カンマで区切る`)
    .action(async (options: KeepingOptions & { id: string; name: string; roles: string }) => {
      const roles = options.roles.split(',').filter((role) => isRole(role))
      const passphrase = freshPassphrase(context.env)
      const { id: account, name, by } = options
      try {
        const factor = await withAccounts(context, async (store, vault) => {
          await provenKeepers(context, vault, options, true)
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
  kept(
    program
      .command('account-renew')
      .description('二つめの確認（認証アプリ）を作り直す。古いものと予備の番号は使えなくなる'),
  )
    .requiredOption('--id <id>', '職員の番号')
    .action(async (options: KeepingOptions & { id: string }) => {
      const { id, by } = options
      const factor = await withAccounts(context, async (store, vault) => {
        await provenKeepers(context, vault, options, true)
        return enrolSecondFactor(store, { account: id, by })
      }).catch((error: unknown) => {
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
  kept(program.command('account-disable').description('職員がコンソールに入れないようにする'))
    .requiredOption('--id <id>', '職員の番号')
    .action(async (options: KeepingOptions & { id: string }) => {
      await withAccounts(context, async (store, vault) => {
        if (isLastOfficer(await listAccounts(store.db), options.id))
          context.fail(
            '職員を登録できる人（privacy か auditor）がいなくなります。先に次の人を登録してください。',
          )
        await provenKeepers(context, vault, options, false)
        await disableAccount(store, { account: options.id, by: options.by })
      })
      context.tell(`停止しました: ${options.id}`, { disabled: options.id })
    })
}
