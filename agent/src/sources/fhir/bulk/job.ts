import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import type { Answer, FhirClient } from '../client.ts'
import { nextUrl } from '../links.ts'
import { pause } from '../pause.ts'
import { retryMs } from '../retry-after.ts'
import { JSON_ANSWER, type Manifest, readManifest } from './manifest.ts'

/** `Patient`, `Group/<id>`, or the whole system. */
export type Level = '' | 'Patient' | `Group/${string}`

export interface Kickoff {
  level: Level
  since: string | null
  types: readonly string[] | null
  /** These alone, by their ids; needs the level `Patient`. */
  patients?: readonly string[]
}

/** Starts an export; answers where its status is asked. */
export async function kickOff(client: FhirClient, asked: Kickoff, signal: AbortSignal): Promise<string> {
  const { level, patients } = asked
  const wanted = parametersOf(asked)
  const url = `${level === '' ? '' : `${level}/`}$export`
  const answer = await client.ask(
    patients === undefined
      ? { url: `${url}?${new URLSearchParams(wanted).toString()}`, ...ASYNC }
      : { url, ...ASYNC, method: 'POST', body: JSON.stringify(bodyOf(wanted, patients)) },
    signal,
  )
  const status = answer.headers['content-location']
  if (answer.status !== 202 || status === undefined)
    throw new Refused('SOURCE_ANSWER_BAD', `$export (${answer.status})`)
  return nextUrl(status, answer.url, client.base)
}

const ASYNC = { place: '$export', headers: { prefer: 'respond-async' } }

function parametersOf({ since, types }: Kickoff): Record<string, string> {
  return {
    _outputFormat: 'application/fhir+ndjson',
    ...(since !== null && { _since: since }),
    ...(types !== null && { _type: types.join(',') }),
  }
}

/** Bulk Data Access 2.0, section 2.1.2: patients are named in a POST. */
function bodyOf(wanted: Record<string, string>, patients: readonly string[]): object {
  return {
    resourceType: 'Parameters',
    parameter: [
      ...Object.entries(wanted).map(([name, text]) =>
        name === '_since' ? { name, valueInstant: text } : { name, valueString: text },
      ),
      ...patients.map((id) => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } })),
    ],
  }
}

/** The server knows nothing of this job any more. */
export class JobLost extends Error {
  override name = 'JobLost'
}

/** Longer than any export we know of; then it is given up and begun anew. */
export const JOB_MS_MAX = 24 * 3600 * 1000
const TRANSIENT_MAX = 5

/** Waits until the export is done. A 202 is never its end, whatever body it brings (DATA T25). */
export async function awaited(
  client: FhirClient,
  job: { status: string; startedAt: number },
  env: Env,
  signal: AbortSignal,
): Promise<Manifest> {
  let transient = 0
  for (let polls = 0; ; polls++) {
    if (env.now() - job.startedAt > JOB_MS_MAX) throw new JobLost('too long')
    const answer = await polled(client, job.status, signal)
    if (answer?.status === 200) return readManifest(answer.value, answer.url, client.base)
    if (answer?.status === 404 || answer?.status === 410) throw new JobLost('gone')
    if (answer !== null && answer.status !== 202)
      throw new Refused('SOURCE_ANSWER_BAD', `$export status (${answer.status})`)
    if (answer === null && ++transient > TRANSIENT_MAX) throw new JobLost('failed')
    await pause(env, retryMs(answer?.headers ?? {}, polls, env.now()), signal)
  }
}

/** `null`: the server failed at answering, which need not mean that the export failed. */
async function polled(client: FhirClient, url: string, signal: AbortSignal): Promise<Answer | null> {
  try {
    return await client.ask({ url, place: '$export status', headers: JSON_ANSWER }, signal)
  } catch (error) {
    if (error instanceof Refused && /\(5\d\d\)/.test(error.message)) return null
    throw error
  }
}

/** DATA T27: nothing of ours is left on the server; that it is gone already is as good. */
export async function cleanUp(client: FhirClient, status: string, signal: AbortSignal): Promise<void> {
  try {
    await client.ask({ url: status, place: '$export status', method: 'DELETE' }, signal)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
  }
}
