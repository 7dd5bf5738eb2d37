import type { Env } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { retryMs } from './retry-after.ts'
import type { HttpAnswer, HttpGet } from './wire.ts'

export type Credentials =
  | { kind: 'none' }
  | { kind: 'bearer'; token: string }
  | { kind: 'basic'; user: string; password: string }

export interface ClientOptions {
  /** `https://…/fhir/`, with a slash at its end. */
  base: string
  credentials: Credentials
  get: HttpGet
  env: Env
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

export const IN_FLIGHT_MAX = 4
const ATTEMPTS_MAX = 5
/** DATA T31: one answer, with a page of large resources in it. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** GETs of one FHIR server: at most {@link IN_FLIGHT_MAX} at once, patient with a busy server, never off its origin. */
export class FhirClient {
  readonly #options: ClientOptions
  #inFlight = 0
  readonly #waiting: (() => void)[] = []
  constructor(options: ClientOptions) {
    this.#options = options
  }

  get base(): string {
    return this.#options.base
  }

  /**
   * Answers with any JSON and any status but 401, 403, 429 and 5xx, which throw {@link Refused} once trying again is of
   * no use. `place` is for people and names nobody.
   */
  async get(url: string, place: string, signal: AbortSignal): Promise<Answer> {
    await this.#enter()
    try {
      return await this.#patiently(new URL(url, this.#options.base).href, place, signal)
    } finally {
      this.#inFlight--
      this.#waiting.shift()?.()
    }
  }

  async #enter(): Promise<void> {
    while (this.#inFlight >= IN_FLIGHT_MAX) await new Promise<void>((go) => this.#waiting.push(go))
    this.#inFlight++
  }

  async #patiently(url: string, place: string, signal: AbortSignal): Promise<Answer> {
    const { env, attemptsMax = ATTEMPTS_MAX } = this.#options
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      const last = attempt + 1 >= attemptsMax
      const answer = await this.#once(url, signal, last, place)
      if (answer !== null) {
        if (answer.status === 401 || answer.status === 403) throw new Refused('SOURCE_UNAUTHORIZED', place)
        const busy = answer.status === 429 || answer.status === 503
        if (!busy && answer.status < 500) return read(url, answer, place)
        // a server that answers 500 to a question will hardly answer it better the fifth time
        if (last || (!busy && attempt > 0))
          throw new Refused('SOURCE_ANSWER_BAD', `${place} (${answer.status})`)
      }
      await pause(env, retryMs(answer?.headers ?? {}, attempt, env.now()), signal)
    }
  }

  /** `null`: no answer came, and another attempt is left. */
  async #once(url: string, signal: AbortSignal, last: boolean, place: string): Promise<HttpAnswer | null> {
    const { get, answerBytesMax = ANSWER_BYTES_MAX } = this.#options
    try {
      return await get({ url, headers: this.#headers(), bytesMax: answerBytesMax, signal })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const { code, place: what } = error.refusal
      if (code === 'SOURCE_UNREACHABLE' && !last) return null
      throw new Refused(code, what === undefined ? place : `${place}: ${what}`)
    }
  }

  #headers(): Record<string, string> {
    const { credentials } = this.#options
    const headers: Record<string, string> = { accept: 'application/fhir+json', 'cache-control': 'no-cache' }
    if (credentials.kind === 'bearer') headers['authorization'] = `Bearer ${credentials.token}`
    if (credentials.kind === 'basic') {
      const pair = Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8')
      headers['authorization'] = `Basic ${pair.toString('base64')}`
    }
    return headers
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
    if (status < 300) throw new Refused('SOURCE_ANSWER_BAD', `${place} (not JSON)`)
  }
  return { url, status, headers, body, value }
}

export async function pause(env: Env, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((done) => {
    const end = () => {
      signal.removeEventListener('abort', end)
      cancel()
      done()
    }
    const cancel = env.after(ms, end)
    signal.addEventListener('abort', end)
  })
  signal.throwIfAborted()
}
