import { expect, test } from 'vitest'
import { operatorRoom, PASSPHRASE, Visitor } from '../console/world.fixture.ts'
import type { AccountStore } from '../accounts/store.ts'
import type { OpenVault } from '../vault/opening.ts'
import type { HubContext } from './context.ts'
import { OFFICERS, proveAccounts, provenKeepers, provenOnceKnown, REVIEWERS } from './proof.ts'

test('R46 ASVS 6.3.1 who acts on the command line shows both factors, once each, of the right role; counted with the console’s', async () => {
  const place = await operatorRoom()
  const said: string[] = []
  const context = {
    fail(sentence: string): never {
      said.push(sentence)
      throw new Error('failed')
    },
  }
  const vault = { ops: place.ops, parts: place.parts.vault }
  const shown = (account: string, change = {}) => ({
    ...{ account, passphrase: PASSPHRASE, code: place.codeOf(account) },
    ...change,
  })
  const prove = (roles: typeof OFFICERS, ...all: ReturnType<typeof shown>[]) =>
    proveAccounts(context, vault, roles, all).then(
      () => null,
      () => said.at(-1),
    )
  expect(await prove(OFFICERS, shown('privacy'), shown('auditor'))).toBeNull()
  expect(await prove(REVIEWERS, shown('one'))).toBeNull()
  expect(await prove(OFFICERS, shown('privacy'), shown('privacy'))).toContain('別の職員')
  expect(await prove(OFFICERS, shown('privacy'), shown('desk'))).toContain('2人目')
  expect(await prove(REVIEWERS, shown('privacy'))).toContain('1人目')
  const once = shown('auditor')
  expect(await prove(OFFICERS, once)).toBeNull()
  expect(await prove(OFFICERS, once)).toContain('1人目')
  const guess = { passphrase: 'correct horse batterie' }
  for (let n = 0; n < 2; n++) expect(await prove(OFFICERS, shown('auditor', guess))).toContain('1人目')
  const visitor = new Visitor(place.app)
  for (let n = 0; n < 2; n++)
    await visitor.post('/sign-in', { account: 'auditor', passphrase: 'x', code: '0' })
  const next = { account: 'auditor', passphrase: PASSPHRASE, code: '000000' }
  expect(await prove(OFFICERS, next)).toMatch(/\d+秒お待ちください/)
  expect(await prove(OFFICERS, shown('nobody'))).toContain('1人目')
})

test('R46 one person’s act: a typed name does while the hub has no accounts, and never again, not even with all disabled', async () => {
  const place = await operatorRoom()
  const context = {
    env: place.parts.env,
    fail(sentence: string): never {
      throw new Error(sentence)
    },
  } as HubContext
  const vault = { ops: place.ops, parts: place.parts.vault } as unknown as OpenVault
  const accounts = place.ops as unknown as AccountStore
  const act = () => provenOnceKnown(context, vault, {}, ['desk'], 'desk')
  const keep = (makes: boolean, second = {}) =>
    provenKeepers(context, vault, { by: 'privacy', ...second }, makes)
  const unread = '--secret-stdin を付けて'
  await expect(act()).rejects.toThrow(unread)
  await expect(keep(true)).rejects.toThrow('二人が要ります')
  await expect(keep(true, { second: 'privacy' })).rejects.toThrow('別の職員')
  await expect(keep(true, { second: 'auditor' })).rejects.toThrow(unread)
  await expect(keep(false)).rejects.toThrow(unread)
  const disabled = { disabled_at: place.clock.now }
  await accounts.bookkeep((tx) => tx.updateTable('account').set(disabled).execute())
  await expect(act()).rejects.toThrow(unread)
  await accounts.bookkeep((tx) => tx.deleteFrom('account').execute())
  await act()
  await keep(true)
})
