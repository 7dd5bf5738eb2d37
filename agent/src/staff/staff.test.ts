import { hashSecret } from '@kakehashi/protocol/secret-hash'
import { check, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { Clerk, hospital, PIN } from '../counter/world.fixture.ts'
import { keepStaff, takeOverStaff } from './flow.ts'
import { badgeText, faultOfPin, firstPin, isBadge, PIN_DIGITS_MIN } from './rules.ts'
import { listStaff, readStaff, staffByBadge } from './store.ts'

test('ASVS 6.2.1 PINs that anybody would try first are refused', () => {
  for (const pin of ['000000', '123456', '987654', '121212', '123123', '111222', '890123'])
    expect([pin, faultOfPin(pin, 's-01')]).toEqual([pin, 'easy'])
  for (const pin of ['12345', '1234567890123', 'abcdef', '', '４９３１５８'])
    expect([pin, faultOfPin(pin, 's-01')]).toEqual([pin, 'form'])
  expect(faultOfPin('204177', 'n204177')).toBe('easy')
  expect(faultOfPin(PIN, 's-01')).toBeNull()
})

test('a PIN that the program makes is never an easy one', () => {
  const made = property(integer(), (seed) => {
    let state = seed >>> 0
    const random = (n: number) =>
      Uint8Array.from({ length: n }, () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) >>> 24)
    const pin = firstPin(random)
    return pin.length >= PIN_DIGITS_MIN && faultOfPin(pin, '') === null
  })
  expect(check(made).failed).toBe(false)
})

test('a badge is what the scanner sends, whatever its width and end sign, and no staff number', () => {
  expect(badgeText(' ＭＩＤＯＲＩ-0001-7Q2X\r\n')).toBe('MIDORI-0001-7Q2X')
  expect(isBadge('MIDORI-0001-7Q2X')).toBe(true)
  expect(isBadge('s-01')).toBe(false)
  expect(isBadge('x'.repeat(65))).toBe(false)
})

test('one badge, one person; taken back it opens nothing; nothing secret is kept or logged', async () => {
  const { house, store, context } = await hospital()
  const badge = 'MIDORI-0009-ABCD'
  await keepStaff(house, { id: 's-09', name: '新人', badge, by: 'admin' })
  await expect(keepStaff(house, { id: 's-02', badge, by: 'admin' })).rejects.toThrow('NOT_ALLOWED')
  await expect(keepStaff(house, { id: 's-02', badge: '0002', by: 'admin' })).rejects.toThrow(
    'REQUEST_MALFORMED',
  )
  expect((await staffByBadge(store.db, context.keys, `${badge}\r`))?.id).toBe('s-09')
  await keepStaff(house, { id: 's-09', badge: null, by: 'admin' })
  expect(await staffByBadge(store.db, context.keys, badge)).toBeNull()
  await expect(keepStaff(house, { id: 's-10', by: 'admin' })).rejects.toThrow('氏名')
  const leaves = await store.db.selectFrom('audit_leaf').select('leaf').execute()
  const kept = JSON.stringify(await store.db.selectFrom('staff').selectAll().execute())
  const said = kept + leaves.map((one) => new TextDecoder().decode(one.leaf)).join()
  expect(said).not.toMatch(new RegExp(`${badge}|${PIN}`))
  expect(said).toContain('staff.added')
})

test('whoever is changed keeps what was not said', async () => {
  const { house, store } = await hospital()
  const before = await readStaff(store.db, 's-02')
  await keepStaff(house, { id: 's-02', disabled: true, by: 'admin' })
  const after = await readStaff(store.db, 's-02')
  expect(after).toEqual({
    ...before,
    disabled: true,
    disabledAt: expect.any(Number),
    version: (before?.version ?? 0) + 1,
  })
  expect((await listStaff(store.db)).map((one) => one.id)).toEqual(['s-01', 's-02', 's-03', 's-04'])
})

test('staff of an older configuration sign in with the PIN they had, and are not brought back once changed', async () => {
  const { app, house, store, context } = await hospital()
  const pinHash = await hashSecret('204177', context.env, { N: 1024, r: 8, p: 1 })
  const before = [{ id: 'old-1', name: '古川', pinHash }]
  await takeOverStaff(house, before)
  const clerk = new Clerk(app)
  expect((await clerk.signIn('old-1', '204177')).text).toContain('古川')
  await keepStaff(house, { id: 'old-1', disabled: true, by: 'admin' })
  await takeOverStaff(house, before)
  expect((await readStaff(store.db, 'old-1'))?.disabled).toBe(true)
})
