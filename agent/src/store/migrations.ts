import type { Migration } from '@kakehashi/store/migrate'
import { evidenceMigrations } from '../evidence/store.ts'
import { importMigrations } from '../imports/store.ts'
import { officeMigrations } from '../office/store.ts'
import { outboxMigrations } from '../outbox/store.ts'
import { paperMigrations } from '../papers/store.ts'
import { patientsMigrations } from '../patients/store.ts'
import { registerMigrations } from '../register/store.ts'
import { ssmix2Migrations } from '../sources/ssmix2/store.ts'
import { sourcesMigrations } from '../sources/store.ts'
import { staffMigrations } from '../staff/store.ts'
import { uplinkMigrations } from '../uplink/store.ts'

/** All slices in one file. Append only; each slice keeps its own. */
export const agentMigrations: readonly Migration[] = [
  ...registerMigrations,
  ...sourcesMigrations,
  ...patientsMigrations,
  ...outboxMigrations,
  ...uplinkMigrations,
  ...staffMigrations,
  ...importMigrations,
  ...paperMigrations,
  ...officeMigrations,
  ...evidenceMigrations,
  ...ssmix2Migrations,
]
