import type { Env } from '@kakehashi/protocol/env'
import type { Store } from '@kakehashi/store/store'
import type { StoreKey } from './keys.ts'
import type { ContentTables } from './store.ts'

/** The content store of one vault: its rows in the operations store, its sealed files in `directory`. */
export interface Content {
  store: Store<ContentTables>
  directory: string
  /** Where opened partitions may exist: a memory-backed file system ({@link MEMORY_ROOT}). */
  memory: string
  key: StoreKey
  env: Env
}

/** Columns of a partition file, in order. */
export const COLUMNS = `
  owner VARCHAR, type VARCHAR, record VARCHAR, item VARCHAR, system VARCHAR, code VARCHAR, effective VARCHAR,
  number DOUBLE, value_code VARCHAR, unit VARCHAR, status VARCHAR, people INTEGER, batch VARCHAR, seq BIGINT,
  media VARCHAR, payload VARCHAR`
