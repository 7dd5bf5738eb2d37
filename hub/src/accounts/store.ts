import { attemptMigration, Attempts, type AttemptTables } from '@kakehashi/store/attempts'
import type { AuditTables } from '@kakehashi/store/audit'
import type { Migration } from '@kakehashi/store/migrate'
import type { Store, Tx } from '@kakehashi/store/store'
import type { Kysely } from 'kysely'
import { isRole, type Role } from './rules.ts'

export interface AccountTables extends AttemptTables {
  /** Staff of the operator. `roles`: words apart by spaces. */
  account: {
    account: string
    name: string
    roles: string
    passphrase: string
    made_at: number
    made_by: string
    disabled_at: number | null
  }
  /** `last_step`: the newest code used; none is good twice. */
  account_second_factor: { account: string; secret: string; last_step: number; made_at: number }
  account_recovery_code: { account: string; hash: string; used_at: number | null }
}

/** Any store that holds the accounts, whatever else it holds. */
export type AccountStore = Store<AccountTables & AuditTables>
export type AccountTx = Tx<AccountTables & AuditTables>
export type AccountReader = Kysely<AccountTables>

export const accountMigrations: readonly Migration[] = [
  {
    name: '040-accounts',
    up: (w) => [
      `CREATE TABLE account (account ${w.text} PRIMARY KEY, name ${w.text} NOT NULL, roles ${w.text} NOT NULL, passphrase ${w.text} NOT NULL, made_at ${w.int} NOT NULL, made_by ${w.text} NOT NULL, disabled_at ${w.int})${w.strict}`,
    ],
  },
  {
    name: '041-second-factor',
    up: (w) => [
      `CREATE TABLE account_second_factor (account ${w.text} PRIMARY KEY, secret ${w.text} NOT NULL, last_step ${w.int} NOT NULL, made_at ${w.int} NOT NULL)${w.strict}`,
      `CREATE TABLE account_recovery_code (account ${w.text} NOT NULL, hash ${w.text} NOT NULL, used_at ${w.int}, PRIMARY KEY (account, hash))${w.strict}`,
    ],
  },
  attemptMigration('042-attempts'),
]

/** Guesses at passphrases and codes, counted alike in the console and on the command line. */
export function attemptsAt(store: AccountStore, keys: { tombstone: Uint8Array }): Attempts {
  return new Attempts(store as unknown as Store<AttemptTables>, keys.tombstone)
}

export interface Account {
  account: string
  name: string
  roles: Role[]
}

/** With what it takes to sign in; `null` when unknown or disabled. */
export async function activeAccount(
  db: AccountReader,
  account: string,
): Promise<(Account & { passphrase: string }) | null> {
  const row = await db
    .selectFrom('account')
    .selectAll()
    .where('account', '=', account)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  if (!row) return null
  return { ...shown(row), passphrase: row.passphrase }
}

export async function listAccounts(
  db: AccountReader,
): Promise<(Account & { disabled: boolean; disabledAt: number | null })[]> {
  const rows = await db.selectFrom('account').selectAll().orderBy('account').execute()
  return rows.map((row) => ({
    ...shown(row),
    disabled: row.disabled_at !== null,
    disabledAt: row.disabled_at === null ? null : Number(row.disabled_at),
  }))
}

function shown(row: AccountTables['account']): Account {
  return { account: row.account, name: row.name, roles: row.roles.split(' ').filter((role) => isRole(role)) }
}
