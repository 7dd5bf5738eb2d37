import { Refused } from '@kakehashi/protocol/refusals'
import { NOBODYS_SECRET, secretMatches } from '@kakehashi/protocol/secret-hash'
import { activeAccount, type AccountStore, type AccountTx } from './store.ts'
import { freshRecoveryCodes, freshSecret, recoveryHash, stepOfCode } from './totp.ts'

export interface SecondFactor {
  secret: string
  recoveryCodes: string[]
}

/** A new secret and new recovery codes; whatever the account had is void. Shown once, to its owner. */
export async function enrolSecondFactor(
  store: AccountStore,
  asked: { account: string; by: string },
): Promise<SecondFactor> {
  const made = { secret: freshSecret(store.env), recoveryCodes: freshRecoveryCodes(store.env) }
  const { account, by } = asked
  await store.transact({ act: 'account.second-factor', actor: by, detail: { account } }, async (tx) => {
    const known = await tx
      .selectFrom('account')
      .select('account')
      .where('account', '=', account)
      .executeTakeFirst()
    if (!known) throw new Refused('NOT_FOUND', 'account')
    await tx.deleteFrom('account_second_factor').where('account', '=', account).execute()
    await tx.deleteFrom('account_recovery_code').where('account', '=', account).execute()
    await tx
      .insertInto('account_second_factor')
      .values({ account, secret: made.secret, last_step: 0, made_at: store.env.now() })
      .execute()
    await tx
      .insertInto('account_recovery_code')
      .values(made.recoveryCodes.map((code) => ({ account, hash: recoveryHash(code), used_at: null })))
      .execute()
  })
  return made
}

/** Uses up a code of the app or a recovery code. An account without a second factor has none that is right. */
async function spend(tx: AccountTx, account: string, code: string, now: number): Promise<boolean> {
  const factor = await tx
    .selectFrom('account_second_factor')
    .selectAll()
    .where('account', '=', account)
    .executeTakeFirst()
  if (!factor) return false
  const step = stepOfCode(factor.secret, code, now, Number(factor.last_step))
  if (step !== null) {
    await tx
      .updateTable('account_second_factor')
      .set({ last_step: step })
      .where('account', '=', account)
      .execute()
    return true
  }
  const used = await tx
    .updateTable('account_recovery_code')
    .set({ used_at: now })
    .where('account', '=', account)
    .where('hash', '=', recoveryHash(code))
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return Number(used.numUpdatedRows) === 1
}

/** Both factors of a living account, the code used up; each failure takes equally long and leaves the same trace. */
export async function bothFactors(
  store: AccountStore,
  asked: { account: string; passphrase: string; code: string },
  act: 'account.signed-in' | 'account.stepped-up',
): Promise<boolean> {
  const found = await activeAccount(store.db, asked.account)
  const matches = await secretMatches(asked.passphrase, found?.passphrase ?? NOBODYS_SECRET)
  return store.transact(
    (passed: boolean) =>
      passed ? { act, actor: asked.account } : { act: 'account.refused', actor: 'console' },
    async (tx) => matches && found !== null && spend(tx, asked.account, asked.code, store.env.now()),
  )
}
