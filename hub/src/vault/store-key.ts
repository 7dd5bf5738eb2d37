import { closeSync, existsSync, fsyncSync, openSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Store } from '@kakehashi/store/store'
import { rewrapContentKeys } from '../content/key-table.ts'
import { newStoreKey, storeKeyFrom, type StoreKey } from '../content/keys.ts'
import type { ContentTables } from '../content/store.ts'
import { destroyFile, readSecret, writeSecret } from '../key-files.ts'
import type { OpenVault } from './opening.ts'
import type { OpsStore, OpsTx } from './ops.ts'

const ROTATED = 'store-key-rotated'
const current = (folder: string): string => join(folder, 'keys', 'store.key')
const coming = (folder: string): string => join(folder, 'keys', 'store.next.key')
const going = (folder: string): string => join(folder, 'keys', 'store.old.key')

/** The store key in force: the next one from the commit on that wrapped the content keys with it. */
export async function storeKeyOf(ops: OpsStore, folder: string): Promise<StoreKey> {
  const next = existsSync(coming(folder)) ? storeKeyFrom(readSecret(coming(folder))) : null
  if (next && (!existsSync(current(folder)) || (await wraps(ops, next)))) return next
  return storeKeyFrom(readSecret(current(folder)))
}

/** A rotation that a crash cut short: {@link rotateStoreKey} ends it. */
export function isRotating(folder: string): boolean {
  return existsSync(coming(folder)) || existsSync(going(folder))
}

async function wraps(ops: OpsStore, key: StoreKey): Promise<boolean> {
  const row = await ops.db
    .selectFrom('content_key')
    .select('id')
    .where('wrapped_by', '=', key.id)
    .where('destroyed_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Wraps every living content key under a new store key and destroys the old one. No backup taken before can be opened
 * from here on: neither what was erased since, which is why this is done, nor anything else in it.
 * @NOTE At every point of a crash one of the two files opens the table; no process may hold the old key meanwhile.
 */
export async function rotateStoreKey(vault: OpenVault): Promise<{ keys: number }> {
  const { ops, folder, content } = vault
  await endRotation(ops, folder)
  const from = storeKeyFrom(readSecret(current(folder)))
  const next = newStoreKey(ops.env)
  writeSecret(coming(folder), next.secret)
  syncFolder(dirname(coming(folder)))
  const store = ops as unknown as Store<ContentTables>
  const keys = await store.transact(
    (count: number) => ({
      act: 'keys.store-rotated',
      actor: 'office',
      detail: { from: from.id, to: next.id, keys: count },
    }),
    async (tx) => {
      const count = await rewrapContentKeys(tx, { key: from, env: ops.env }, next)
      await noteRotation(tx as unknown as OpsTx, ops.env.now())
      return count
    },
  )
  promote(folder)
  content.key = next
  await ops.scrub()
  return { keys }
}

async function noteRotation(tx: OpsTx, value: number): Promise<void> {
  await tx
    .insertInto('cursor')
    .values({ name: ROTATED, value })
    .onConflict((c) => c.column('name').doUpdateSet({ value }))
    .execute()
}

/** Erasures since the last rotation: their keys can still be unwrapped from a backup taken before them. */
export async function erasuresSinceRotation(ops: OpsStore): Promise<number> {
  const row = await ops.db.selectFrom('cursor').select('value').where('name', '=', ROTATED).executeTakeFirst()
  const done = await ops.db
    .selectFrom('erasure')
    .select((e) => e.fn.countAll().as('n'))
    .where('state', '=', 'done')
    .where('done_at', '>', Number(row?.value ?? 0))
    .executeTakeFirst()
  return Number(done?.n ?? 0)
}

/** What a crash left of an earlier rotation: either it was committed, or it never was. */
async function endRotation(ops: OpsStore, folder: string): Promise<void> {
  if (existsSync(coming(folder))) {
    const next = storeKeyFrom(readSecret(coming(folder)))
    if (!existsSync(current(folder)) || (await wraps(ops, next))) promote(folder)
    else destroyFile(coming(folder))
  }
  if (existsSync(going(folder))) destroyFile(going(folder))
}

function promote(folder: string): void {
  if (existsSync(current(folder))) renameSync(current(folder), going(folder))
  renameSync(coming(folder), current(folder))
  syncFolder(dirname(current(folder)))
  if (existsSync(going(folder))) destroyFile(going(folder))
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
