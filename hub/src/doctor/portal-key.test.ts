import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv } from '@kakehashi/protocol/env'
import { newBoxKey, toBase64 } from '@kakehashi/protocol/signing'
import { afterEach, expect, test } from 'vitest'
import { houseOnDisk } from '../vault/on-disk.fixture.ts'
import { examine } from './doctor.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

test('R16 the doctor says when the portal seals to another key than the vault’s, or to its former one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kakehashi-doctor-'))
  closing.push(async () => rmSync(dir, { recursive: true, force: true }))
  const house = await houseOnDisk(dir, closing)
  const vault = await house.open()
  closing.push(() => vault.close())
  const level = async () => (await examine(dir, vault)).find((one) => one.check === 'portal-key')?.level
  expect(await level()).toBe('ok')
  const path = join(dir, 'portal', 'portal.json')
  const other = newBoxKey(systemEnv())
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace(toBase64(vault.parts.keys.box.public), toBase64(other.public)))
  expect(await level()).toBe('fail')
  vault.parts.keys.formerBoxes = [other]
  expect(await level()).toBe('warn')
  rmSync(path)
  expect(await level()).toBe('ok')
})
