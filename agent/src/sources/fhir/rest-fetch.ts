import { localNumberOf, type PatientKey } from '@kakehashi/protocol/ids'
import { Refused } from '@kakehashi/protocol/refusals'
import type { FetchEvent, SourceEvent } from '../connector.ts'
import type { Capability } from './capability.ts'
import { type FhirClient, IN_FLIGHT_MAX } from './client.ts'
import { type Page, PagesExpired, pagesOf } from './pages.ts'
import { type FhirReading, tell } from './telling.ts'

export interface ServerReading {
  client: FhirClient
  reading: FhirReading
  capability: Capability
  /** Asked for per page. */
  count: number
}

export async function tellPage(
  reading: FhirReading,
  client: FhirClient,
  page: Page,
  place: string,
  run: string,
): Promise<SourceEvent[]> {
  return tell(reading, page.answer.body, { provenance: { url: client.base, run }, place })
}

/** Reads patient after patient, a few ahead; holds at most {@link IN_FLIGHT_MAX} of them at a time. */
export async function* fetchFromServer(
  server: ServerReading,
  patients: readonly PatientKey[],
  signal: AbortSignal,
): AsyncGenerator<FetchEvent> {
  const ahead: Promise<FetchEvent[]>[] = []
  let next = 0
  while (next < patients.length || ahead.length > 0) {
    while (next < patients.length && ahead.length < IN_FLIGHT_MAX) {
      const reading = onePatient(server, patients[next++] as PatientKey, signal)
      // it is awaited later; until then a failure is nobody's
      reading.catch(() => {})
      ahead.push(reading)
    }
    yield* (await ahead.shift()) ?? []
  }
}

async function onePatient(
  server: ServerReading,
  patient: PatientKey,
  signal: AbortSignal,
): Promise<FetchEvent[]> {
  const number = encodeURIComponent(localNumberOf(patient))
  if (server.capability.everything) {
    const url = `Patient/${number}/$everything?_count=${server.count}`
    const whole = await answers(server, patient, url, '$everything', signal)
    if (whole.complete) return [...whole.events, { t: 'patient-read', patient, complete: true }]
  }
  const found = new Map<string, FetchEvent>()
  // a server that lets nothing be searched has not said that the patient has nothing
  const questions = [...searches(number, server)]
  let complete = questions.length > 0
  if (!complete)
    found.set('fault', { t: 'fault', code: 'SOURCE_ANSWER_BAD', place: 'no search', retryable: true })
  for (const { url, type } of questions) {
    const part = await answers(server, patient, url, type, signal)
    for (const event of part.events) found.set(keyOf(event) ?? `other ${found.size}`, event)
    complete &&= part.complete
  }
  return [...found.values(), { t: 'patient-read', patient, complete }]
}

/** Every page of one question, as far as it is about the patient; each record once. */
async function answers(
  { client, reading }: ServerReading,
  patient: PatientKey,
  url: string,
  place: string,
  signal: AbortSignal,
): Promise<{ events: FetchEvent[]; complete: boolean }> {
  const found = new Map<string, FetchEvent>()
  let complete = true
  try {
    for await (const page of pagesOf(client, url, place, signal))
      for (const event of await tellPage(reading, client, page, place, 'fetch')) {
        if (event.t === 'quarantined') complete = false
        if (event.t === 'record' && !event.record.patients.includes(patient)) continue
        if (event.t === 'held' && !event.patients.includes(patient)) continue
        found.set(keyOf(event) ?? `other ${found.size}`, event)
      }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof PagesExpired) && !(error instanceof Refused)) throw error
    if (error instanceof Refused && error.refusal.code !== 'SOURCE_ANSWER_BAD') throw error
    complete = false
    found.set('fault', { t: 'fault', code: 'SOURCE_ANSWER_BAD', place, retryable: true })
  }
  return { events: [...found.values()], complete }
}

/** For a server without `$everything`, or that turned out not to have it. */
function* searches(
  number: string,
  { capability, count }: ServerReading,
): Generator<{ url: string; type: string }> {
  for (const [type, parameter] of capability.types) {
    if (parameter === null) continue
    const value = parameter === '_id' ? number : `Patient/${number}`
    yield { url: `${type}?${parameter}=${value}&_count=${count}`, type }
  }
}

function keyOf(event: FetchEvent): string | null {
  const key = event.t === 'record' ? event.record.key : event.t === 'held' ? event.key : null
  return key === null ? null : `${key.type}/${key.id}`
}
