import type { Env } from '@kakehashi/protocol/env'
import type { AuditTables } from '@kakehashi/store/audit'
import { openStore, type Location, type Store, type Tx } from '@kakehashi/store/store'
import type { EvidenceTables } from '../evidence/store.ts'
import type { ImportTables } from '../imports/store.ts'
import type { OfficeTables } from '../office/store.ts'
import type { OutboxTables } from '../outbox/store.ts'
import type { PaperTables } from '../papers/store.ts'
import type { PatientsTables } from '../patients/store.ts'
import type { RegisterTables } from '../register/store.ts'
import type { SourcesTables } from '../sources/store.ts'
import type { StaffTables } from '../staff/store.ts'
import type { UplinkTables } from '../uplink/store.ts'
import { agentMigrations } from './migrations.ts'

export type AgentTables = AuditTables &
  RegisterTables &
  SourcesTables &
  PatientsTables &
  OutboxTables &
  UplinkTables &
  StaffTables &
  ImportTables &
  PaperTables &
  OfficeTables &
  EvidenceTables
export type AgentStore = Store<AgentTables>
export type AgentTx = Tx<AgentTables>

/** The one SQLite file of an agent: WAL, `synchronous=FULL`. */
export async function openAgentStore(location: Location, env: Env): Promise<AgentStore> {
  return openStore<AgentTables>(location, agentMigrations, env)
}
