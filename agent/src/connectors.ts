import type { FacilityId } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { AgentConfig, SourceConfig } from './config.ts'
import { patientByIdentifier } from './patients/store.ts'
import type { SourceConnector } from './sources/connector.ts'
import { BulkFolder } from './sources/fhir/bulk-folder.ts'
import type { Credentials } from './sources/fhir/client.ts'
import { FhirRest } from './sources/fhir/rest.ts'
import { httpGet, type HttpGet } from './sources/fhir/wire.ts'
import { LABEL_POLICY } from './sources/labels.ts'
import { sourceIndex } from './sources/source-index.ts'
import { Ssmix2Storage } from './sources/ssmix2/storage.ts'
import { folderIndex } from './sources/ssmix2/store.ts'
import type { AgentStore } from './store/store.ts'

type RestConfig = Extract<SourceConfig, { kind: 'fhir-rest' }>

/** The readers that the configuration names; `secret` gives what it names by the name of an environment variable. */
export function connectorsOf(
  config: AgentConfig,
  store: AgentStore,
  get: HttpGet = httpGet(),
  secret: (name: string) => string | undefined = (name) => process.env[name],
): SourceConnector[] {
  const index = sourceIndex(store as never, (system, value) =>
    patientByIdentifier(store.db as never, system, value),
  )
  const facility = config.facility as FacilityId
  return config.sources.map((source) => {
    const common = { source: source.id, facility, labels: LABEL_POLICY, index }
    if (source.kind === 'fhir-bulk') return new BulkFolder({ ...common, folder: source.folder, bases: [] })
    if (source.kind === 'ssmix2') return storageOf(source, facility, store)
    const client = { base: source.base, credentials: credentialsOf(source, secret), get }
    return new FhirRest({ ...common, client, env: store.env })
  })
}

function storageOf(
  { id, folder, institution, transactions }: Extract<SourceConfig, { kind: 'ssmix2' }>,
  facility: FacilityId,
  store: AgentStore,
): Ssmix2Storage {
  const place = { source: id, facility, folder, institution, transactions }
  return new Ssmix2Storage({
    ...place,
    labels: LABEL_POLICY,
    env: store.env,
    index: folderIndex(store as never),
  })
}

function credentialsOf({ id, auth }: RestConfig, secret: (name: string) => string | undefined): Credentials {
  if (auth.kind === 'none') return { kind: 'none' }
  const told = (name: string): string => {
    const text = secret(name)
    if (text === undefined || text === '') throw new Refused('SOURCE_UNAUTHORIZED', `${id}: ${name}`)
    return text
  }
  if (auth.kind === 'bearer') return { kind: 'bearer', token: told(auth.tokenEnv) }
  return { kind: 'basic', user: told(auth.userEnv), password: told(auth.passwordEnv) }
}
