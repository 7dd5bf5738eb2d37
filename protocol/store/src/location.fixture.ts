import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemEnv } from '@kakehashi/protocol/env'
import { sql } from 'kysely'
import { openDatabase } from './sqlite.ts'
import type { Location, Store } from './store.ts'

/** PostgreSQL joins in when `DATABASE_URL` names one; its absence is said by a skipped test. */
export const POSTGRES_URL = process.env['DATABASE_URL'] ?? ''
export const ENGINES: ('sqlite' | 'postgres')[] = POSTGRES_URL === '' ? ['sqlite'] : ['sqlite', 'postgres']

/** A place of its own for one test. */
export function freshLocation(engine: 'sqlite' | 'postgres'): Location {
  if (engine === 'sqlite') return openDatabase(':memory:')
  return { postgres: POSTGRES_URL, schema: `t_store_${systemEnv().id().replaceAll('-', '').slice(0, 16)}` }
}

export async function closeFresh<DB>(store: Store<DB>, at: Location): Promise<void> {
  if (typeof at === 'object' && 'schema' in at)
    await sql.raw(`DROP SCHEMA ${at.schema} CASCADE`).execute(store.db)
  await store.close()
}

/** A folder that is removed when the test ends. */
export function freshFolder(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'kakehashi-store-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
