import type { FacilityId } from '@kakehashi/protocol/ids'
import type { AgentConfig, SourceConfig } from './config.ts'
import { patientByIdentifier } from './patients/store.ts'
import type { SourceConnector } from './sources/connector.ts'
import { BulkFolder } from './sources/fhir/bulk-folder.ts'
import { FhirBulk } from './sources/fhir/bulk/export.ts'
import type { Level } from './sources/fhir/bulk/job.ts'
import { FhirRest } from './sources/fhir/rest.ts'
import { clientOf } from './sources/fhir/server.ts'
import { type HttpGet, openBy } from './sources/fhir/wire.ts'
import { LABEL_POLICY } from './sources/labels.ts'
import { sourceIndex } from './sources/source-index.ts'
import { Ssmix2Storage } from './sources/ssmix2/storage.ts'
import { folderIndex } from './sources/ssmix2/store.ts'
import type { AgentStore } from './store/store.ts'

/** The readers that the configuration names; `secret` gives what it names by the name of an environment variable. */
export function connectorsOf(
  config: AgentConfig,
  store: AgentStore,
  get?: HttpGet,
  secret: (name: string) => string | undefined = (name) => process.env[name],
): SourceConnector[] {
  const index = sourceIndex(store as never, (system, value) =>
    patientByIdentifier(store.db as never, system, value),
  )
  const facility = config.facility as FacilityId
  const { env } = store
  const around = { env, secret, ...(get === undefined ? {} : { open: openBy(get) }) }
  return config.sources.map((source) => {
    const common = { source: source.id, facility, labels: LABEL_POLICY, index }
    switch (source.kind) {
      case 'fhir-folder':
        return new BulkFolder({ ...common, folder: source.folder, bases: [] })
      case 'ssmix2':
        return storageOf(source, facility, store)
      case 'fhir-rest': {
        const { aliases } = source
        return new FhirRest({ ...common, client: clientOf(source, around), env, aliases })
      }
      case 'fhir-bulk': {
        const { aliases, types, level } = source
        const times = { everyMs: source.everyHours * HOUR_MS, fullEveryMs: source.fullEveryHours * HOUR_MS }
        const client = clientOf(source, around)
        return new FhirBulk({ ...common, client, env, aliases, types, level: level as Level, ...times })
      }
    }
  })
}

const HOUR_MS = 3600 * 1000

function storageOf(
  { id, folder, institution, transactions, indexTable }: Extract<SourceConfig, { kind: 'ssmix2' }>,
  facility: FacilityId,
  store: AgentStore,
): Ssmix2Storage {
  const place = { source: id, facility, folder, institution, transactions, indexTable }
  return new Ssmix2Storage({
    ...place,
    labels: LABEL_POLICY,
    env: store.env,
    index: folderIndex(store as never),
  })
}
