import type { FacilityId } from '@kakehashi/protocol/ids'
import type { AgentConfig } from './config.ts'
import { patientByIdentifier } from './patients/store.ts'
import type { SourceConnector } from './sources/connector.ts'
import { BulkFolder } from './sources/fhir/bulk-folder.ts'
import { LABEL_POLICY } from './sources/labels.ts'
import { sourceIndex } from './sources/source-index.ts'
import type { AgentStore } from './store/store.ts'

/** The readers that the configuration names. */
export function connectorsOf(config: AgentConfig, store: AgentStore): SourceConnector[] {
  const index = sourceIndex(store as never, (system, value) =>
    patientByIdentifier(store.db as never, system, value),
  )
  const facility = config.facility as FacilityId
  return config.sources.flatMap((source) =>
    source.kind === 'fhir-bulk'
      ? [
          new BulkFolder({
            source: source.id,
            folder: source.folder,
            facility,
            bases: [],
            labels: LABEL_POLICY,
            index,
          }),
        ]
      : [],
  )
}
