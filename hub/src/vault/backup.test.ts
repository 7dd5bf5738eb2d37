import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyAuditLog } from '@kakehashi/store/audit-log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { auditOrigin } from '../audit/origin.ts'
import { settle } from '../content/settle.ts'
import { OPERATOR } from '../hub.fixture.ts'
import { restoreBackup, takeBackup } from './backup.ts'
import { hospital, houseOnDisk } from './on-disk.fixture.ts'
import type { OpenVault } from './opening.ts'
import { publish } from './running.ts'
import { createVault } from './vault.ts'

let root = ''
let dir = ''
const closing: (() => Promise<void>)[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kakehashi-backup-'))
  dir = join(root, 'hub')
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  rmSync(root, { recursive: true, force: true })
})

async function charts(vault: OpenVault): Promise<string[]> {
  const rows = await vault.identity.db
    .selectFrom('identity_patient')
    .select('patient')
    .orderBy('patient')
    .execute()
  return rows.map((row) => row.patient)
}

test('T32 on disk: backup, erasure, restore; the erased is erased again at start and the audit log goes on where it was signed', async () => {
  const house = await houseOnDisk(dir, closing)
  const before = await house.open()
  const hand = await hospital(before, house.gateway)
  await settle(before.content)
  await publish(before)
  const to = join(root, 'backup')
  const manifest = takeBackup(dir, to, house.env)
  expect(manifest.files.map((file) => file.name)).toContain('vault/ops.sqlite')
  expect(manifest.files.some((file) => file.name.includes('keys/') || file.name.endsWith('.ndjson'))).toBe(
    false,
  )

  await hand.say({
    type: 'erasure-requested',
    patients: ['hospital-a/0001'],
    stop: null,
    askedAt: house.env.now(),
  })
  await createVault(before.parts).round()
  expect(await charts(before)).toEqual(['hospital-a/0002'])
  await publish(before)
  await before.close()

  restoreBackup(to, dir)
  const after = await house.open()
  closing.push(() => after.close())
  expect(await charts(after)).toEqual(['hospital-a/0001', 'hospital-a/0002'])
  expect((await createVault(after.parts).start()).replayed).toBe(1)
  expect(await charts(after)).toEqual(['hospital-a/0002'])
  await publish(after)
  const origin = auditOrigin(OPERATOR.operator)
  const report = verifyAuditLog(join(dir, 'vault', 'audit'), origin, after.parts.keys.audit.public)
  expect(report).toMatchObject({ ok: true, problems: [] })
})

test('a damaged backup is refused before anything is replaced', async () => {
  const house = await houseOnDisk(dir, closing)
  const vault = await house.open()
  await vault.close()
  const to = join(root, 'backup')
  takeBackup(dir, to, house.env)
  expect(() => takeBackup(dir, to, house.env)).toThrow(/すでに/)
  const file = join(to, 'vault/ops.sqlite')
  const bytes = readFileSync(file)
  bytes[200] = (bytes[200] ?? 0) ^ 1
  writeFileSync(file, bytes)
  expect(() => restoreBackup(to, dir)).toThrow(/壊れています/)
  expect(existsSync(join(dir, 'vault', 'ops.sqlite'))).toBe(true)
  expect(() => restoreBackup(root, dir)).toThrow(/目録/)
})
