import { systemEnv } from '@kakehashi/protocol/env'
import { openStore } from '@kakehashi/store/store'
import { expect, test } from 'vitest'
import { changePassphrase, createAccount, disableAccount, signIn } from './flow.ts'
import { accountFaults } from './rules.ts'
import { enrolSecondFactor } from './second-factor.ts'
import { accountMigrations, listAccounts, type AccountTables } from './store.ts'
import { base32, codeAt, enrolmentUri, STEP_MS, stepAt } from './totp.ts'

const CHEAP = { N: 1024, r: 8, p: 1 }
const PASSPHRASE = 'a long enough passphrase'

async function accounts() {
  const clock = { now: Date.parse('2026-11-25T09:00:00+09:00') }
  const env = { ...systemEnv(), now: () => clock.now }
  const store = await openStore<AccountTables>(':memory:', accountMigrations, env)
  const person = {
    account: 'sato',
    name: '佐藤',
    roles: ['reviewer'] as const,
    passphrase: PASSPHRASE,
    by: 'init',
  }
  await createAccount(store, person, CHEAP)
  const factor = await enrolSecondFactor(store, { account: 'sato', by: 'init' })
  return { store, person, clock, factor }
}

test('an account signs in with passphrase and code until it is disabled', async () => {
  const { store, clock, factor } = await accounts()
  const code = () => codeAt(factor.secret, stepAt((clock.now += STEP_MS)))
  const enter = (passphrase: string, account = 'sato') => signIn(store, { account, passphrase, code: code() })
  expect(await enter(PASSPHRASE)).toEqual({ account: 'sato', name: '佐藤', roles: ['reviewer'] })
  expect(await enter('something else')).toBeNull()
  expect(await enter(PASSPHRASE, 'nobody')).toBeNull()
  await changePassphrase(store, { account: 'sato', passphrase: 'quite another one', by: 'sato' }, CHEAP)
  expect(await enter(PASSPHRASE)).toBeNull()
  expect(await enter('quite another one')).not.toBeNull()
  await disableAccount(store, { account: 'sato', by: 'init' })
  expect(await enter('quite another one')).toBeNull()
  expect(await listAccounts(store.db)).toMatchObject([{ account: 'sato', disabled: true }])
})

test('the code is RFC 6238: its own test vectors', () => {
  const secret = base32(Buffer.from('12345678901234567890'))
  for (const [seconds, code] of [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_234_567_890, '89005924'],
    [20_000_000_000, '65353130'],
  ] as const)
    expect(codeAt(secret, stepAt(seconds * 1000), 8)).toBe(code)
  expect(base32(Buffer.from('foobar'))).toBe('MZXW6YTBOI')
  expect(enrolmentUri('架け橋', 'sato', secret)).toMatch(
    /^otpauth:\/\/totp\/%E6.*secret=[A-Z2-7]{32}&issuer=/,
  )
})

test('ASVS 6.5.1, 6.5.4, 6.5.5 codes: once, six digits, good for at most 90 seconds', async () => {
  const { store, clock, factor } = await accounts()
  const enter = (code: string) => signIn(store, { account: 'sato', passphrase: PASSPHRASE, code })
  const code = codeAt(factor.secret, stepAt(clock.now))
  expect(code).toMatch(/^\d{6}$/)
  expect(await enter(code)).not.toBeNull()
  expect(await enter(code)).toBeNull()
  const old = codeAt(factor.secret, stepAt((clock.now += STEP_MS)))
  clock.now += 2 * STEP_MS
  expect(await enter(old)).toBeNull()
  expect(await enter(codeAt(factor.secret, stepAt(clock.now) + 2))).toBeNull()
  expect(await enter(codeAt(factor.secret, stepAt(clock.now) - 1))).not.toBeNull()
})

test('ASVS 6.5.1 recovery codes: each once, void when renewed, 118 bits, kept as hashes', async () => {
  const { store, factor } = await accounts()
  const enter = (code: string) => signIn(store, { account: 'sato', passphrase: PASSPHRASE, code })
  const [one = '', two = ''] = factor.recoveryCodes
  expect(new Set(factor.recoveryCodes).size).toBe(8)
  expect(one).toMatch(/^([a-z2-9]{4}-){5}[a-z2-9]{4}$/)
  expect(await enter(one.toUpperCase())).not.toBeNull()
  expect(await enter(one)).toBeNull()
  await enrolSecondFactor(store, { account: 'sato', by: 'init' })
  expect(await enter(two)).toBeNull()
  const kept = JSON.stringify(await store.db.selectFrom('account_recovery_code').selectAll().execute())
  for (const code of factor.recoveryCodes) expect(kept).not.toContain(code)
})

test('ASVS 6.3.3 without a second factor nobody comes in', async () => {
  const { store, person } = await accounts()
  await createAccount(store, { ...person, account: 'older' }, CHEAP)
  expect(await signIn(store, { account: 'older', passphrase: PASSPHRASE, code: '' })).toBeNull()
  expect(await signIn(store, { account: 'older', passphrase: PASSPHRASE, code: '000000' })).toBeNull()
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
