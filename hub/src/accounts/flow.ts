import { Refused } from '@kakehashi/protocol/refusals'
import { hashSecret, type SecretCost } from '@kakehashi/protocol/secret-hash'
import { accountFaults, type Role } from './rules.ts'
import { bothFactors } from './second-factor.ts'
import { activeAccount, type Account, type AccountStore } from './store.ts'

export interface NewAccount {
  account: string
  name: string
  roles: readonly Role[]
  passphrase: string
  by: string
}

/** Throws `REQUEST_MALFORMED` naming the faulty fields, `DUPLICATE_CONFLICT` when the id is taken. */
export async function createAccount(
  store: AccountStore,
  asked: NewAccount,
  cost?: SecretCost,
): Promise<void> {
  const faults = accountFaults(asked)
  if (faults.length > 0) throw new Refused('REQUEST_MALFORMED', faults.join(', '))
  const passphrase = await hashSecret(asked.passphrase, store.env, cost)
  const detail = { account: asked.account, roles: asked.roles.join(' ') }
  await store.transact({ act: 'account.created', actor: asked.by, detail }, async (tx) => {
    const taken = await tx
      .selectFrom('account')
      .select('account')
      .where('account', '=', asked.account)
      .executeTakeFirst()
    if (taken) throw new Refused('DUPLICATE_CONFLICT', 'account')
    await tx
      .insertInto('account')
      .values({
        account: asked.account,
        name: asked.name.trim(),
        roles: asked.roles.join(' '),
        passphrase,
        made_at: store.env.now(),
        made_by: asked.by,
        disabled_at: null,
      })
      .execute()
  })
}

export async function changePassphrase(
  store: AccountStore,
  asked: { account: string; passphrase: string; by: string },
  cost?: SecretCost,
): Promise<void> {
  const faults = accountFaults({ ...asked, name: 'x', roles: ['auditor'] })
  if (faults.length > 0) throw new Refused('REQUEST_MALFORMED', faults.join(', '))
  const passphrase = await hashSecret(asked.passphrase, store.env, cost)
  const detail = { account: asked.account }
  await store.transact({ act: 'account.passphrase-changed', actor: asked.by, detail }, async (tx) => {
    const done = await tx
      .updateTable('account')
      .set({ passphrase })
      .where('account', '=', asked.account)
      .executeTakeFirst()
    if (Number(done.numUpdatedRows) !== 1) throw new Refused('NOT_FOUND', 'account')
  })
}

/** From now on the account signs in no more; its votes and acts stay its own. */
export async function disableAccount(
  store: AccountStore,
  asked: { account: string; by: string },
): Promise<void> {
  const detail = { account: asked.account }
  await store.transact({ act: 'account.disabled', actor: asked.by, detail }, async (tx) => {
    const done = await tx
      .updateTable('account')
      .set({ disabled_at: store.env.now() })
      .where('account', '=', asked.account)
      .where('disabled_at', 'is', null)
      .executeTakeFirst()
    if (Number(done.numUpdatedRows) !== 1) throw new Refused('NOT_FOUND', 'account')
  })
}

/** `null`: no such account, disabled, another passphrase, or a code that is not or no longer good. */
export async function signIn(
  store: AccountStore,
  asked: { account: string; passphrase: string; code: string },
): Promise<Account | null> {
  if (!(await bothFactors(store, asked, 'account.signed-in'))) return null
  const found = await activeAccount(store.db, asked.account)
  return found && { account: found.account, name: found.name, roles: found.roles }
}
