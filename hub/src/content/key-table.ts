import { createHmac } from 'node:crypto'
import type { Env } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { Tx } from '@kakehashi/store/store'
import type { Reading } from './reading.ts'
import { ContentUnreadable, openUnder, sealUnder, type StoreKey } from './keys.ts'
import type { ContentTables } from './store.ts'

export interface ContentKeys {
  key: StoreKey
  env: Env
}

export interface ContentKey {
  id: string
  secret: Uint8Array
}

const about = (id: string): string => `kakehashi/content-key/${id}`

export function newContentKey(env: Env): ContentKey {
  return { id: env.id(), secret: env.random(32) }
}

export async function keepKey(
  tx: Tx<ContentTables>,
  keys: ContentKeys,
  key: ContentKey,
  use: { purpose: ContentTables['content_key']['purpose']; partition: number },
): Promise<void> {
  const wrapped = sealUnder(keys.key.secret, key.secret, about(key.id), keys.env)
  await tx
    .insertInto('content_key')
    .values({
      id: key.id,
      ...use,
      wrapped,
      wrapped_by: keys.key.id,
      made_at: keys.env.now(),
      destroyed_at: null,
    })
    .execute()
}

export async function unwrapKey(
  db: Reading<ContentTables>,
  keys: ContentKeys,
  id: string,
): Promise<ContentKey> {
  const row = await db
    .selectFrom('content_key')
    .select(['wrapped', 'wrapped_by', 'destroyed_at'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row || row.destroyed_at !== null) throw new ContentUnreadable('the content key was destroyed')
  if (row.wrapped_by !== keys.key.id)
    throw new ContentUnreadable('the content key is wrapped by another store key')
  return { id, secret: openUnder(keys.key.secret, row.wrapped, about(id)) }
}

/** The key itself is overwritten (`secure_delete`); its id stays for the certificate. */
export async function destroyKey(tx: Tx<ContentTables>, id: string, at: number): Promise<void> {
  await tx
    .updateTable('content_key')
    .set({ wrapped: new Uint8Array(0), destroyed_at: at })
    .where('id', '=', id)
    .where('destroyed_at', 'is', null)
    .execute()
}

/** The living key of one purpose and partition, made when there is none. */
export async function currentKey(
  tx: Tx<ContentTables>,
  keys: ContentKeys,
  use: { purpose: 'landing' | 'tombstone'; partition: number },
): Promise<ContentKey> {
  const row = await tx
    .selectFrom('content_key')
    .select('id')
    .where('purpose', '=', use.purpose)
    .where('partition', '=', use.partition)
    .where('destroyed_at', 'is', null)
    .executeTakeFirst()
  if (row) return unwrapKey(tx, keys, row.id)
  const key = newContentKey(keys.env)
  await keepKey(tx, keys, key, use)
  return key
}

/** Keyed hash by which erased patients are known again without being named. */
export async function tombstoneHandles(
  tx: Tx<ContentTables>,
  keys: ContentKeys,
): Promise<(patient: PatientKey) => string> {
  const { secret } = await currentKey(tx, keys, { purpose: 'tombstone', partition: -1 })
  return (patient) => createHmac('sha256', secret).update(patient).digest('hex')
}

/**
 * Wraps every living key anew. With the old store key destroyed afterwards, no backup taken before can open a key
 * that was destroyed since, although the backup still holds its wrapped bytes.
 */
export async function rewrapContentKeys(
  tx: Tx<ContentTables>,
  from: ContentKeys,
  to: StoreKey,
): Promise<number> {
  const rows = await tx.selectFrom('content_key').select('id').where('destroyed_at', 'is', null).execute()
  for (const { id } of rows) {
    const key = await unwrapKey(tx, from, id)
    const wrapped = sealUnder(to.secret, key.secret, about(id), from.env)
    await tx.updateTable('content_key').set({ wrapped, wrapped_by: to.id }).where('id', '=', id).execute()
  }
  return rows.length
}
