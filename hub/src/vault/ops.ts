import type { Env } from '@kakehashi/protocol/env'
import type { AuditTables } from '@kakehashi/store/audit'
import type { Migration } from '@kakehashi/store/migrate'
import { openStore, type Location, type Store, type Tx } from '@kakehashi/store/store'
import { accountMigrations, type AccountTables } from '../accounts/store.ts'
import { contentMigrations, type ContentTables } from '../content/store.ts'
import { requestMigrations, type RequestTables } from '../requests/store.ts'
import { vaultMigrations, type VaultTables } from './store.ts'

/** The operations store: everything the vault does, but neither who anybody is nor clinical plaintext. */
export type OpsTables = VaultTables & RequestTables & ContentTables & AccountTables & AuditTables
export type OpsStore = Store<OpsTables>
export type OpsTx = Tx<OpsTables>

export const opsMigrations: readonly Migration[] = [
  ...vaultMigrations,
  ...requestMigrations,
  ...contentMigrations,
  ...accountMigrations,
]

export async function openOpsStore(location: Location, env: Env): Promise<OpsStore> {
  return openStore<VaultTables & RequestTables & ContentTables & AccountTables>(location, opsMigrations, env)
}
