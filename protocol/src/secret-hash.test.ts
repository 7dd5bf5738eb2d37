import { expect, test } from 'vitest'
import { systemEnv } from './env.ts'
import { hashSecret, NOBODYS_SECRET, secretMatches } from './secret-hash.ts'

const CHEAP = { N: 1024, r: 8, p: 1 }

test('a secret matches its own hash and no other, in full or half width', async () => {
  const env = systemEnv()
  const stored = await hashSecret('4931', env, CHEAP)
  expect(stored).not.toContain('4931')
  expect(await hashSecret('4931', env, CHEAP)).not.toBe(stored)
  expect(await secretMatches('4931', stored)).toBe(true)
  expect(await secretMatches('４９３１', stored)).toBe(true)
  expect(await secretMatches('4932', stored)).toBe(false)
})

test('what is no hash matches nothing', async () => {
  for (const stored of ['', '4931', 'scrypt$$$$$', 'md5$1$1$1$AA==$AA=='])
    expect(await secretMatches('4931', stored)).toBe(false)
  expect(await secretMatches('', NOBODYS_SECRET)).toBe(false)
})
