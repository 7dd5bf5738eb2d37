import { Refused } from '@kakehashi/protocol/refusals'
import type { FhirClient } from './client.ts'
import { PATIENT_ELEMENTS, SHARED_TYPES } from './compartment.ts'

export interface Capability {
  software: string
  fhirVersion: string
  /** Types we read, with the search parameter that finds one patient's (`null`: none is known). */
  types: Map<string, string | null>
  everything: boolean
  /** Types whose changes and deletions it says it can list. */
  history: ReadonlySet<string>
  /** The server's clock when it answered. */
  serverNow: number | null
}

interface Statement {
  resourceType?: unknown
  fhirVersion?: unknown
  software?: { name?: unknown; version?: unknown }
  rest?: { mode?: unknown; resource?: Offered[] }[]
}

interface Offered {
  type?: unknown
  interaction?: { code?: unknown }[]
  searchParam?: { name?: unknown }[]
  operation?: { name?: unknown; definition?: unknown }[]
}

/** Asks the server what it can do. Throws {@link Refused} for anything but a FHIR R4 server that speaks JSON. */
export async function capabilityOf(client: FhirClient, signal: AbortSignal): Promise<Capability> {
  const answer = await client.get('metadata', 'CapabilityStatement', signal)
  const statement = answer.value as Statement | null
  if (answer.status !== 200 || statement?.resourceType !== 'CapabilityStatement')
    throw new Refused('SOURCE_ANSWER_BAD', `CapabilityStatement (${answer.status})`)
  const version = String(statement.fhirVersion)
  if (!/^4\.(0|3)\./.test(version))
    throw new Refused('SOURCE_ANSWER_BAD', 'CapabilityStatement (FHIR R4 is needed)')
  const offered = statement.rest?.find((rest) => rest.mode === 'server')?.resource ?? []
  const told = offered.filter(searchable)
  const date = Date.parse(answer.headers['date'] ?? '')
  return {
    software: [statement.software?.name, statement.software?.version].filter(Boolean).join(' '),
    fhirVersion: version,
    types: new Map(told.map((one) => [String(one.type), patientParameter(one)])),
    everything: offered.some((one) => one.type === 'Patient' && one.operation?.some(isEverything)),
    history: new Set(told.filter(listsHistory).map((one) => String(one.type))),
    serverNow: Number.isNaN(date) ? null : date,
  }
}

function searchable({ type, interaction }: Offered): boolean {
  const known = typeof type === 'string' && (Object.hasOwn(PATIENT_ELEMENTS, type) || SHARED_TYPES.has(type))
  return known && (interaction === undefined || interaction.some(({ code }) => code === 'search-type'))
}

function listsHistory({ interaction }: Offered): boolean {
  return interaction?.some(({ code }) => code === 'history-type') === true
}

function isEverything({ name, definition }: { name?: unknown; definition?: unknown }): boolean {
  return name === 'everything' || String(definition).endsWith('Patient-everything')
}

const PARAMETERS = ['patient', 'subject', 'beneficiary', 'individual', 'candidate', 'actor']

function patientParameter({ type, searchParam }: Offered): string | null {
  if (type === 'Patient') return '_id'
  if (type === 'Coverage') return 'beneficiary'
  const names = new Set(searchParam?.map(({ name }) => name))
  if (SHARED_TYPES.has(String(type)) && !names.has('patient')) return null
  return PARAMETERS.find((name) => names.has(name)) ?? null
}
