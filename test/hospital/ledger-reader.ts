import { takePatient } from '@kakehashi/agent/patients/flow'
import { patientByIdentifier } from '@kakehashi/agent/patients/store'
import type { SourceConnector } from '@kakehashi/agent/sources/connector'
import { BulkFolder } from '@kakehashi/agent/sources/fhir/bulk-folder'
import { gather, type Gathered } from '@kakehashi/agent/sources/flow'
import { LABEL_POLICY } from '@kakehashi/agent/sources/labels'
import { sourceIndex } from '@kakehashi/agent/sources/source-index'
import { type AgentStore, openAgentStore } from '@kakehashi/agent/store/store'
import { systemEnv } from '@kakehashi/protocol/env'
import { facilityId } from '@kakehashi/protocol/ids'
import { silentLog } from '@kakehashi/protocol/log'

export interface LedgerReader {
  store: AgentStore
  connector: BulkFolder
  gather(): Promise<Gathered>
}

/** The agent's reader of a folder of exports over its real store in a file, for processes that do nothing else. */
export async function openLedgerReader(folder: string, location: string): Promise<LedgerReader> {
  const env = systemEnv()
  const store = await openAgentStore(location, env)
  const index = sourceIndex(store as never, (system, value) => patientByIdentifier(store.db, system, value))
  const facility = facilityId('hospital')
  const connector = new BulkFolder({
    source: 'ehr',
    facility,
    labels: LABEL_POLICY,
    bases: [],
    folder,
    index,
  })
  return { store, connector, gather: () => oneRound(store, connector) }
}

/** One round of one source into the ledger and the index of patients. */
export function oneRound(store: AgentStore, connector: SourceConnector): Promise<Gathered> {
  const { env } = store
  return gather({
    store: store as never,
    connector,
    env,
    log: silentLog,
    signal: new AbortController().signal,
    showPatient: (tx, shown) => takePatient(tx as never, shown, env.now(), async () => {}),
  })
}
