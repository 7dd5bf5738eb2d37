import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { authorizationOf, type Credentials, renewable } from './auth/credentials.ts'
import { pause } from './pause.ts'
import { retryMs } from './retry-after.ts'
import { type HttpAnswer, type HttpGet, type HttpOpen, type HttpStream, openBy } from './wire.ts'

export type { Credentials } from './auth/credentials.ts'

export interface ClientOptions {
  /** `https://…/fhir/`, with a slash at its end. */
  base: string
  credentials: Credentials
  get: HttpGet
  /** For what is read as it comes; without it, by `get`. */
  open?: HttpOpen
  env: Env
  /** Questions a minute, however often they have to be repeated; `null`: no cap but {@link IN_FLIGHT_MAX}. */
  perMinuteMax?: number | null
  attemptsMax?: number
  answerBytesMax?: number
}

export interface Answer {
  url: string
  status: number
  headers: Record<string, string>
  body: Uint8Array
  /** The body as JSON; never used for payloads. */
  value: unknown
}

export interface Question {
  url: string
  /** For people; names nobody. */
  place: string
  method?: 'GET' | 'DELETE' | 'POST'
  /** FHIR JSON. */
  body?: string
  headers?: Record<string, string>
  /** `false`: the credentials stay here (DATA T26). */
  credentials?: boolean
}

export const IN_FLIGHT_MAX = 4
const ATTEMPTS_MAX = 5
/** DATA T31: one answer, with a page of large resources in it. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024
/** A file of an export is not held, but neither is it endless. */
const STREAM_BYTES_MAX = 64 * 1024 ** 3

/** One FHIR server: at most {@link IN_FLIGHT_MAX} questions at once, patient while it is busy; credentials for its origin alone. */
export class FhirClient {
  readonly #options: ClientOptions
  #inFlight = 0
  #nextAt = 0
  readonly #waiting: (() => void)[] = []
  constructor(options: ClientOptions) {
    this.#options = options
  }

  get base(): string {
    return this.#options.base
  }

  /** Types that the credentials let us read, as far as that is told. */
  async allows(signal: AbortSignal): Promise<(type: string) => boolean> {
    const { credentials } = this.#options
    return credentials.kind === 'smart' ? credentials.tokens.allows(signal) : () => true
  }

  /**
   * Answers with any JSON and any status but 401, 403, 429 and 5xx, which throw {@link Refused} once trying again is of
   * no use. `place` is for people and names nobody.
   */
  async get(url: string, place: string, signal: AbortSignal): Promise<Answer> {
    const answer = await this.ask({ url, place }, signal)
    if (answer.value === null && answer.status < 300)
      throw new Refused('SOURCE_ANSWER_BAD', `${place} (not JSON)`)
    return answer
  }

  /** As {@link get}, for answers that need not be JSON. */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const { get, answerBytesMax: bytesMax = ANSWER_BYTES_MAX } = this.#options
    const asked = { ...question, url: new URL(question.url, this.base).href }
    return this.#inTurn(async () => {
      const answer = await this.#patiently(asked, signal, (request) => get({ ...request, bytesMax, signal }))
      return read(asked.url, answer, asked.place)
    })
  }

  /** A file, as it comes. Of anything but a file nothing is given. */
  async open(question: Question, signal: AbortSignal): Promise<HttpStream> {
    const { open = openBy(this.#options.get) } = this.#options
    const asked = { ...question, url: new URL(question.url, this.base).href }
    return this.#patiently(asked, signal, async (request) => {
      const answer = await open({ ...request, bytesMax: STREAM_BYTES_MAX, signal })
      if (answer.status >= 300) for await (const _ of answer.body) break
      return answer
    })
  }

  async #inTurn<T>(turn: () => Promise<T>): Promise<T> {
    while (this.#inFlight >= IN_FLIGHT_MAX) await new Promise<void>((go) => this.#waiting.push(go))
    this.#inFlight++
    try {
      return await turn()
    } finally {
      this.#inFlight--
      this.#waiting.shift()?.()
    }
  }

  /** Each question waits for a moment of its own, evenly spaced. */
  async #moment(signal: AbortSignal): Promise<void> {
    const { env, perMinuteMax = null } = this.#options
    if (perMinuteMax === null) return
    const [now, apart] = [env.now(), 60_000 / perMinuteMax]
    // a clock that was set back must not leave the server alone for as long
    const at = this.#nextAt - now > apart * (IN_FLIGHT_MAX + 1) ? now : Math.max(now, this.#nextAt)
    this.#nextAt = at + apart
    if (at > now) await pause(env, at - now, signal)
  }

  async #patiently<T extends Omit<HttpAnswer, 'body'>>(
    question: Question,
    signal: AbortSignal,
    send: (request: Sent) => Promise<T>,
  ): Promise<T> {
    const { env, attemptsMax = ATTEMPTS_MAX, credentials } = this.#options
    const { place } = question
    let renewed = false
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      const last = attempt + 1 >= attemptsMax
      let sent: string | null = null
      const answer = await once(last, place, async () => {
        await this.#moment(signal)
        const request = await this.#request(question, signal)
        sent = request.headers['authorization'] ?? null
        return send(request)
      })
      if (answer?.status === 401 && !renewed && renewable(credentials, sent)) {
        renewed = true
        continue
      }
      if (answer !== null) {
        if (answer.status === 401 || answer.status === 403) throw new Refused('SOURCE_UNAUTHORIZED', place)
        const busy = answer.status === 429 || answer.status === 503
        if (!busy && answer.status < 500) return answer
        // a server that answers 500 to a question will hardly answer it better the fifth time
        if (last || (!busy && attempt > 0))
          throw new Refused('SOURCE_ANSWER_BAD', `${place} (${answer.status})`)
      }
      await pause(env, retryMs(answer?.headers ?? {}, attempt, env.now()), signal)
    }
  }

  async #request({ url, method = 'GET', body, ...more }: Question, signal: AbortSignal): Promise<Sent> {
    const headers: Record<string, string> = {
      accept: 'application/fhir+json',
      'cache-control': 'no-cache',
      ...(body !== undefined && { 'content-type': 'application/fhir+json' }),
      ...more.headers,
    }
    const own = new URL(url).origin === new URL(this.base).origin
    const authorization =
      own && more.credentials !== false ? await authorizationOf(this.#options.credentials, signal) : null
    if (authorization !== null) headers['authorization'] = authorization
    return { url, method, headers, ...(body !== undefined && { body }) }
  }
}

interface Sent {
  url: string
  method: 'GET' | 'DELETE' | 'POST'
  headers: Record<string, string>
  body?: string
}

/** `null`: no answer came, and another attempt is left. */
async function once<T>(last: boolean, place: string, send: () => Promise<T>): Promise<T | null> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { code, place: what } = error.refusal
    if (code === 'SOURCE_UNREACHABLE' && !last) return null
    throw new Refused(code, what === undefined ? place : `${place}: ${what}`)
  }
}

/** Judged by content, not by what the header says: proxies and servers label errors as they like (DATA T30, T35). */
function read(url: string, answer: HttpAnswer, place: string): Answer {
  const { status, headers, body } = answer
  if (status >= 300 && status < 400) throw new Refused('SOURCE_ANSWER_BAD', `${place} (redirect)`)
  let value: unknown = null
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // what is needed of it is judged by who asked
  }
  return { url, status, headers, body, value }
}
