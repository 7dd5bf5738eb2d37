import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { keyIdOf, fromBase64, toBase64 } from '@kakehashi/protocol/signing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ContentUnreadable, newStoreKey, openUnder, storeKeyFrom } from '../content/keys.ts'
import { unwrapKey } from '../content/key-table.ts'
import { settle } from '../content/settle.ts'
import { patientState } from '../hospital.fixture.ts'
import { readSecret, writeSecret } from '../key-files.ts'
import { restoreBackup, takeBackup } from './backup.ts'
import { BOX_OVERLAP_MS, dropFormerBoxes, rotateBoxKey } from './box-key.ts'
import { hospital, houseOnDisk } from './on-disk.fixture.ts'
import type { OpenVault } from './opening.ts'
import { erasuresSinceRotation, isRotating, rotateStoreKey } from './store-key.ts'
import { createVault } from './vault.ts'

let root = ''
let dir = ''
const closing: (() => Promise<void>)[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kakehashi-keys-'))
  dir = join(root, 'hub')
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  rmSync(root, { recursive: true, force: true })
})

const keyFile = (name: string): string => join(dir, 'vault', 'keys', name)

/** Wrapped content keys as a backup of the operations store holds them. */
function wrappedIn(backup: string): { id: string; wrapped: Uint8Array }[] {
  const db = new DatabaseSync(join(backup, 'vault/ops.sqlite'), { readOnly: true })
  const rows = db.prepare('SELECT id, wrapped FROM content_key WHERE destroyed_at IS NULL').all()
  db.close()
  return rows as never
}

function opens(secret: Uint8Array, row: { id: string; wrapped: Uint8Array }): boolean {
  try {
    return openUnder(secret, row.wrapped, `kakehashi/content-key/${row.id}`).length === 32
  } catch (error) {
    if (error instanceof ContentUnreadable) return false
    throw error
  }
}

async function readable(vault: OpenVault): Promise<number> {
  const rows = await vault.ops.db
    .selectFrom('content_key')
    .select('id')
    .where('destroyed_at', 'is', null)
    .execute()
  for (const { id } of rows) await unwrapKey(vault.content.store.db, vault.content, id)
  return rows.length
}

test('R20 T32 a key destroyed by an erasure opens from an old backup until the store key is rotated, and never after', async () => {
  const house = await houseOnDisk(dir, closing)
  const vault = await house.open()
  closing.push(() => vault.close())
  const hand = await hospital(vault, house.gateway)
  await settle(vault.content)
  const old = join(root, 'backup')
  takeBackup(dir, old, house.env)
  await hand.say({
    type: 'erasure-requested',
    patients: ['hospital-a/0001'],
    stop: null,
    askedAt: house.env.now(),
  })
  await createVault(vault.parts).round()
  const { id: destroyed } = await vault.ops.db
    .selectFrom('content_key')
    .select('id')
    .where('destroyed_at', 'is not', null)
    .where('purpose', '=', 'file')
    .executeTakeFirstOrThrow()
  const held = wrappedIn(old).find((row) => row.id === destroyed)!
  expect(opens(readSecret(keyFile('store.key')), held)).toBe(true)
  expect(await erasuresSinceRotation(vault.ops)).toBe(1)

  const before = await readable(vault)
  expect(await rotateStoreKey(vault)).toEqual({ keys: before })
  expect(opens(readSecret(keyFile('store.key')), held)).toBe(false)
  expect(await erasuresSinceRotation(vault.ops)).toBe(0)
  expect(isRotating(vault.folder)).toBe(false)
  expect(readdirSync(join(dir, 'vault', 'keys')).filter((name) => name.startsWith('store'))).toEqual([
    'store.key',
  ])
  // everything else goes on, here and after a start anew
  expect(await readable(vault)).toBe(before)
  await hand.send(hand.content(patientState(hand.facility, '0003')))
  expect((await createVault(vault.parts).round()).batches.accepted).toBe(1)
  await settle(vault.content)
  const again = await house.open()
  closing.push(() => again.close())
  expect(await readable(again)).toBeGreaterThan(0)
})

test('R20 a rotation of the store key cut short at any point loses no key and is ended by the next', async () => {
  const house = await houseOnDisk(dir, closing)
  const first = await house.open()
  await hospital(first, house.gateway)
  const keys = await readable(first)
  await first.close()
  const whole = join(root, 'whole')
  const lives = async (change: () => Promise<void>): Promise<void> => {
    rmSync(dir, { recursive: true, force: true })
    cpSync(whole, dir, { recursive: true })
    await change()
    const vault = await house.open()
    try {
      expect(isRotating(vault.folder)).toBe(true)
      expect(await readable(vault)).toBe(keys)
      await rotateStoreKey(vault)
      expect(await readable(vault)).toBe(keys)
      expect(isRotating(vault.folder)).toBe(false)
    } finally {
      await vault.close()
    }
  }
  cpSync(dir, whole, { recursive: true })
  // the new key is written, the transaction never was
  await lives(async () => writeSecret(keyFile('store.next.key'), newStoreKey(house.env).secret))
  // committed; the names were not exchanged yet, or by half, or the old one is still there
  const committed = async (): Promise<Uint8Array> => {
    const old = readSecret(keyFile('store.key'))
    const vault = await house.open()
    await rotateStoreKey(vault)
    await vault.close()
    renameSync(keyFile('store.key'), keyFile('store.next.key'))
    return old
  }
  await lives(async () => writeSecret(keyFile('store.key'), await committed()))
  await lives(async () => writeSecret(keyFile('store.old.key'), await committed()))
  await lives(async () => {
    writeSecret(keyFile('store.old.key'), await committed())
    renameSync(keyFile('store.next.key'), keyFile('store.key'))
  })
})

test('T32 a backup taken before the rotation is refused before anything is replaced; one taken after it restores', async () => {
  const house = await houseOnDisk(dir, closing)
  const vault = await house.open()
  await hospital(vault, house.gateway)
  takeBackup(dir, join(root, 'before'), house.env)
  await rotateStoreKey(vault)
  takeBackup(dir, join(root, 'after'), house.env)
  await vault.close()
  expect(() => restoreBackup(join(root, 'before'), dir)).toThrow(/鍵の更新/)
  expect(existsSync(join(dir, 'vault', 'ops.sqlite'))).toBe(true)
  restoreBackup(join(root, 'after'), dir)
  const restored = await house.open()
  closing.push(() => restored.close())
  expect(await readable(restored)).toBeGreaterThan(0)
  expect(restored.content.key.id).toBe(storeKeyFrom(readSecret(keyFile('store.key'))).id)
})

test('R25 a new sealing key: agents are told, what was sealed to the former key still opens for the overlap and no longer', async () => {
  const house = await houseOnDisk(dir, closing)
  const vault = await house.open()
  const hand = await hospital(vault, house.gateway)
  const former = vault.parts.keys.box
  const { publicKey, changed } = await rotateBoxKey(vault, dir)
  expect(changed.toSorted()).toEqual(['gateway/gateway.json', 'portal/portal.json', 'public.json'])
  for (const name of changed) expect(readFileSync(join(dir, name), 'utf8')).toContain(publicKey)
  await vault.close()
  expect(keyIdOf(fromBase64(publicKey))).not.toBe(former.id)

  const after = await house.open()
  closing.push(() => after.close())
  const core = createVault(after.parts)
  // a batch and a message to the former key arrive late
  await hand.send(hand.content(patientState(hand.facility, '0003')))
  await hand.declare()
  expect(await core.round()).toMatchObject({ controls: 1, batches: { accepted: 1 } })
  const told = (await hand.mail()).filter((one) => one.type === 'key-changed')
  expect(told.at(-1)).toMatchObject({ vaultKey: publicKey, from: house.env.now() })
  await hand.send(hand.content(patientState(hand.facility, '0004')), { vault: fromBase64(publicKey) })
  expect((await core.round()).batches.accepted).toBe(1)

  house.env.pass(BOX_OVERLAP_MS)
  expect(dropFormerBoxes(after.folder, house.env.now())).toBe(1)
  for (const name of readdirSync(join(dir, 'vault', 'keys')))
    expect(readFileSync(keyFile(name), 'utf8')).not.toContain(toBase64(former.secret))
})
