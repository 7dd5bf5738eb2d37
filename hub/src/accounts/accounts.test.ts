import { systemEnv } from '@kakehashi/protocol/env'
import { openStore } from '@kakehashi/store/store'
import { expect, test } from 'vitest'
import { changePassphrase, createAccount, disableAccount, signIn } from './flow.ts'
import { accountFaults } from './rules.ts'
import { accountMigrations, listAccounts, type AccountTables } from './store.ts'

const CHEAP = { N: 1024, r: 8, p: 1 }
const PASSPHRASE = 'a long enough passphrase'

async function accounts() {
  const store = await openStore<AccountTables>(':memory:', accountMigrations, systemEnv())
  const person = {
    account: 'sato',
    name: '佐藤',
    roles: ['reviewer'] as const,
    passphrase: PASSPHRASE,
    by: 'init',
  }
  await createAccount(store, person, CHEAP)
  return { store, person }
}

test('an account signs in with its passphrase until it is disabled', async () => {
  const { store } = await accounts()
  expect(await signIn(store, { account: 'sato', passphrase: PASSPHRASE })).toEqual({
    account: 'sato',
    name: '佐藤',
    roles: ['reviewer'],
  })
  expect(await signIn(store, { account: 'sato', passphrase: 'something else' })).toBeNull()
  expect(await signIn(store, { account: 'nobody', passphrase: PASSPHRASE })).toBeNull()
  await changePassphrase(store, { account: 'sato', passphrase: 'quite another one', by: 'sato' }, CHEAP)
  expect(await signIn(store, { account: 'sato', passphrase: PASSPHRASE })).toBeNull()
  await disableAccount(store, { account: 'sato', by: 'init' })
  expect(await signIn(store, { account: 'sato', passphrase: 'quite another one' })).toBeNull()
  expect(await listAccounts(store.db)).toMatchObject([{ account: 'sato', disabled: true }])
})

test('an id is used once, and a faulty account is refused with all its faults', async () => {
  const { store, person } = await accounts()
  await expect(createAccount(store, person, CHEAP)).rejects.toThrow('DUPLICATE_CONFLICT')
  expect(accountFaults({ account: 'S!', name: ' ', roles: ['king'], passphrase: 'short' })).toEqual([
    'id',
    'name',
    'roles',
    'passphrase',
  ])
  expect(accountFaults({ ...person, roles: [] })).toEqual(['roles'])
})

test('the store never holds a passphrase', async () => {
  const { store } = await accounts()
  const rows = JSON.stringify(await store.db.selectFrom('account').selectAll().execute())
  expect(rows).not.toContain(PASSPHRASE)
})
