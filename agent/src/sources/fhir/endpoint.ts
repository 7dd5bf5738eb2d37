import type { Env } from '@kakehashi/protocol/env'
import type { PatientKey } from '@kakehashi/protocol/ids'
import type { FetchEvent, SourceProfile } from '../connector.ts'
import { type Capability, capabilityOf } from './capability.ts'
import { type ClientOptions, FhirClient } from './client.ts'
import { fetchFromServer } from './rest-fetch.ts'
import type { FhirReading } from './telling.ts'

export interface EndpointOptions extends Omit<FhirReading, 'bases'> {
  client: Omit<ClientOptions, 'env'>
  env: Env
  /** Other addresses under which the server's own resources are referred to. */
  aliases?: readonly string[]
}

/** The REST side of one FHIR server, which search and export both need. */
export class FhirEndpoint {
  readonly client: FhirClient
  readonly reading: FhirReading
  #capability: Capability | null = null
  constructor({ client, env, source, facility, labels, index, aliases = [] }: EndpointOptions) {
    const base = client.base.replace(/\/*$/, '/')
    this.client = new FhirClient({ ...client, base, env })
    this.reading = { source, facility, labels, index, bases: [base, ...aliases] }
  }

  /** What the server said it can do; asked once, or `anew`. */
  async capability(signal: AbortSignal, anew: boolean): Promise<Capability> {
    if (anew || this.#capability === null) this.#capability = await capabilityOf(this.client, signal)
    return this.#capability
  }

  /** `count`: asked for per page. */
  async *fetchPatients(
    patients: readonly PatientKey[],
    count: number,
    signal: AbortSignal,
  ): AsyncGenerator<FetchEvent> {
    const capability = await this.capability(signal, false)
    yield* fetchFromServer(
      { client: this.client, reading: this.reading, capability, count },
      patients,
      signal,
    )
  }
}

/** `now`: our clock at the time of asking. */
export function profileOf(
  capability: Capability,
  now: number,
  types: Iterable<string> = capability.types.keys(),
): SourceProfile {
  const { software, fhirVersion, everything, history, serverNow } = capability
  const deletes = history.size > 0 ? 'history' : 'sweep'
  const skewMs = serverNow === null ? null : serverNow - now
  return { software, fhirVersion, types: [...types], deletes, skewMs, everything }
}
