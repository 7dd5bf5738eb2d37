import type { Command } from 'commander'
import { NoSecret, readSecrets } from '@kakehashi/protocol/secret-input'
import { OFFICERS, officersNeeded, type Role } from '../accounts/rules.ts'
import { bothFactors } from '../accounts/second-factor.ts'
import { activeAccount, attemptsAt, listAccounts, type AccountStore } from '../accounts/store.ts'
import type { OpenVault } from '../vault/opening.ts'
import type { VaultParts } from '../vault/parts.ts'
import type { HubContext } from './context.ts'

export { OFFICERS }
export const REVIEWERS: readonly Role[] = ['reviewer']

export interface ProofOptions {
  secretStdin?: boolean
}

/** The option of every command that asks who acts. */
export function withSecrets(command: Command): Command {
  return command.option(
    '--secret-stdin',
    'コンソールと同じ合言葉と確認の番号を、端末で尋ねる代わりに標準入力から読む（1人につき、合言葉の行と番号の行）',
  )
}

/**
 * Everybody named shows both factors of their account, as at the console; wrong ones are counted together with the
 * console's. Never by argument.
 */
export async function proven(
  context: HubContext,
  vault: Pick<OpenVault, 'ops' | 'parts'>,
  options: ProofOptions,
  roles: readonly Role[],
  accounts: readonly string[],
): Promise<void> {
  refuseOneForTwo(context, accounts)
  const secrets = await readPairs(context, options, accounts)
  await proveAccounts(context, vault, roles, secrets)
}

/** The act of one person: proved as the acts of two are, once the hub has accounts. */
export async function provenOnceKnown(
  context: HubContext,
  vault: Pick<OpenVault, 'ops' | 'parts'>,
  options: ProofOptions,
  roles: readonly Role[],
  by: string,
): Promise<void> {
  const { db } = vault.ops as unknown as AccountStore
  if ((await listAccounts(db)).length > 0) await proven(context, vault, options, roles, [by])
}

export interface KeepingOptions extends ProofOptions {
  by: string
  second?: string
}

/** An account is made or renewed (`makes`), or disabled, by who keeps the accounts. */
export async function provenKeepers(
  context: HubContext,
  vault: Pick<OpenVault, 'ops' | 'parts'>,
  options: KeepingOptions,
  makes: boolean,
): Promise<void> {
  const { db } = vault.ops as unknown as AccountStore
  const needed = officersNeeded(await listAccounts(db), makes, context.env.now())
  const ids = [options.by, ...(options.second === undefined ? [] : [options.second])]
  if (needed > ids.length)
    context.fail(
      '職員を登録する・作り直すには、二人が要ります。\n次にすること: --by と --second に、privacy か auditor の二人を指定してください。',
    )
  if (needed > 0) await proven(context, vault, options, OFFICERS, ids)
}

function refuseOneForTwo(context: Pick<HubContext, 'fail'>, accounts: readonly string[]): void {
  if (new Set(accounts).size < accounts.length)
    context.fail('二人は別の職員でなければなりません。別の人の番号を指定してください。')
}

export interface Shown {
  account: string
  passphrase: string
  code: string
}

export async function proveAccounts(
  context: Pick<HubContext, 'fail'>,
  { ops, parts }: Pick<OpenVault, 'ops'> & { parts: Pick<VaultParts, 'keys'> },
  roles: readonly Role[],
  shown: readonly Shown[],
): Promise<void> {
  refuseOneForTwo(
    context,
    shown.map((one) => one.account),
  )
  const store = ops as unknown as AccountStore
  const attempts = attemptsAt(store, parts.keys)
  for (const [at, one] of shown.entries()) {
    const wait = await attempts.begin(one.account)
    if (wait > 0) context.fail(`まちがいが続いたため、${Math.ceil(wait / 1000)}秒お待ちください。`)
    const known = await activeAccount(store.db, one.account)
    const passed = await bothFactors(store, one, 'account.stepped-up')
    if (passed) await attempts.succeeded(one.account)
    if (!passed || !known?.roles.some((role) => roles.includes(role)))
      context.fail(
        `${at + 1}人目の番号・合言葉・確認の番号のどれかが違うか、この操作のできる役割（${roles.join('、')}）ではありません。\n次にすること: 認証アプリの新しい番号で、もう一度実行してください。`,
      )
  }
}

async function readPairs(
  context: HubContext,
  options: ProofOptions,
  accounts: readonly string[],
): Promise<Shown[]> {
  const questions = accounts.flatMap((id) => [`${id} の合言葉: `, `${id} の確認の番号: `])
  try {
    const typed = await readSecrets(questions, options.secretStdin === true)
    return accounts.map((account, at) => ({
      account,
      passphrase: typed[2 * at] ?? '',
      code: typed[2 * at + 1] ?? '',
    }))
  } catch (error) {
    if (!(error instanceof NoSecret)) throw error
    return context.fail(
      '職員の合言葉と確認の番号が要ります。端末で実行するか、--secret-stdin を付けて標準入力から渡してください。',
    )
  }
}
