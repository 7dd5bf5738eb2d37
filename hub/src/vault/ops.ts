import type { Env } from '@kakehashi/protocol/env'
import type { AuditTables } from '@kakehashi/store/audit'
import type { Migration } from '@kakehashi/store/migrate'
import { openStore, type Location, type Store, type Tx } from '@kakehashi/store/store'
import { accountMigrations, type AccountTables } from '../accounts/store.ts'
import { contentMigrations, type ContentTables } from '../content/store.ts'
import { releaseMigrations, type ReleaseTables } from '../release/store.ts'
import { requestMigrations, type RequestTables } from '../requests/store.ts'
import { vaultMigrations, type VaultTables } from './store.ts'

/** The operations store: everything the vault does, but neither who anybody is nor clinical plaintext. */
type OwnTables = VaultTables & RequestTables & ContentTables & AccountTables & ReleaseTables
export type OpsTables = OwnTables & AuditTables
export type OpsStore = Store<OpsTables>
export type OpsTx = Tx<OpsTables>

export const opsMigrations: readonly Migration[] = [
  ...vaultMigrations,
  ...requestMigrations,
  ...contentMigrations,
  ...accountMigrations,
  ...releaseMigrations,
]

export async function openOpsStore(location: Location, env: Env): Promise<OpsStore> {
  return openStore<OwnTables>(location, opsMigrations, env)
}
