import type { Env, Instant } from '@kakehashi/protocol/env'
import { Refused } from '@kakehashi/protocol/refusals'
import { z } from 'zod'
import { pause } from '../pause.ts'
import type { HttpAnswer, HttpGet } from '../wire.ts'
import { discover, jsonOf, type SmartServer } from './discovery.ts'
import { type ClientKey, signed } from './keys.ts'
import { grantedTypes } from './scope.ts'
import { skewOf, skewSaid } from './skew.ts'

export interface SmartOptions {
  /** The FHIR base, with a slash at its end. */
  base: string
  clientId: string
  /** Newest first. */
  keys: readonly ClientKey[]
  scope: string
  /** Where the server tells no `.well-known/smart-configuration`. */
  tokenUrl?: string | null
  get: HttpGet
  env: Env
}

interface Held {
  token: string
  /** Asked for anew from here on. */
  renewAt: Instant
  endsAt: Instant
  allows: (type: string) => boolean
}

const ASSERTION_MS = 4 * 60 * 1000
const RENEW_SHARE = 0.8
/** When the server does not say. */
const LIFETIME_MS = 5 * 60 * 1000
const LIFETIME_MS_MAX = 24 * 3600 * 1000
/** DATA §6.5: never more than one token in a minute. */
const PAUSE_MS = 60_000
const ANSWER_BYTES_MAX = 64 * 1024

const granted = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce.number().positive().optional(),
  scope: z.string().optional(),
})

/** SMART Backend Services: a token by an assertion that we sign. The token lives in memory alone. */
export class SmartTokens {
  readonly #options: SmartOptions
  #server: SmartServer | null = null
  #held: Held | null = null
  #askedAt: Instant | null = null
  #asking: Promise<Held> | null = null
  /** The key that the server took last, or the first that it may take. */
  #key = 0
  constructor(options: SmartOptions) {
    this.#options = options
  }

  async token(signal: AbortSignal): Promise<string> {
    return (await this.#valid(signal)).token
  }

  /** May differ from what was asked for. */
  async allows(signal: AbortSignal): Promise<(type: string) => boolean> {
    return (await this.#valid(signal)).allows
  }

  /** The server no longer takes this token. */
  refused(token: string): void {
    if (this.#held?.token === token) this.#held = null
  }

  async #valid(signal: AbortSignal): Promise<Held> {
    const now = this.#options.env.now()
    const held = this.#held
    if (held && now < held.renewAt) return held
    const soon = this.#askedAt !== null && now - this.#askedAt < PAUSE_MS
    if (held && soon && now < held.endsAt) return held
    this.#asking ??= this.#ask(signal).finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  async #ask(signal: AbortSignal): Promise<Held> {
    const { env } = this.#options
    const wait = this.#askedAt === null ? 0 : this.#askedAt + PAUSE_MS - env.now()
    if (wait > 0) await pause(env, wait, signal)
    this.#server ??= await this.#find(signal)
    const keys = this.#usable(this.#server)
    for (let tried = 0; ; tried++) {
      const key = keys[(this.#key + tried) % keys.length] as ClientKey
      this.#askedAt = env.now()
      const answer = await this.#post(this.#server.tokenEndpoint, key, signal)
      if (answer.status === 200) {
        this.#key = (this.#key + tried) % keys.length
        return (this.#held = this.#read(answer))
      }
      // a server that does not know the newer key yet still knows the older one
      const unknown = answer.status === 400 || answer.status === 401
      if (!unknown || tried + 1 >= keys.length) throw this.#fault(answer)
    }
  }

  async #find(signal: AbortSignal): Promise<SmartServer> {
    const { base, tokenUrl, get } = this.#options
    return tokenUrl ? { tokenEndpoint: tokenUrl, algorithms: null } : discover(base, get, signal)
  }

  #usable({ algorithms }: SmartServer): ClientKey[] {
    const keys = this.#options.keys.filter(({ alg }) => algorithms === null || algorithms.includes(alg))
    if (keys.length === 0) throw new Refused('SOURCE_UNAUTHORIZED', 'token (no key of an algorithm it takes)')
    return keys
  }

  #post(url: string, key: ClientKey, signal: AbortSignal): Promise<HttpAnswer> {
    const { clientId, scope, env, get } = this.#options
    const exp = Math.floor((env.now() + ASSERTION_MS) / 1000)
    const jti = env.id()
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signed({ iss: clientId, sub: clientId, aud: url, exp, jti }, key),
    }).toString()
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
    return get({ url, method: 'POST', headers, body, bytesMax: ANSWER_BYTES_MAX, signal })
  }

  #read({ body }: HttpAnswer): Held {
    const told = granted.safeParse(jsonOf(body))
    if (!told.success) throw new Refused('SOURCE_ANSWER_BAD', 'token')
    const { access_token: token, expires_in, scope } = told.data
    const now = this.#options.env.now()
    const lifetime = Math.min(expires_in === undefined ? LIFETIME_MS : expires_in * 1000, LIFETIME_MS_MAX)
    return {
      token,
      renewAt: now + lifetime * RENEW_SHARE,
      endsAt: now + lifetime,
      allows: grantedTypes(scope ?? this.#options.scope),
    }
  }

  /** With the server's own word for it when that is one of OAuth's, and never with its free text. */
  #fault({ status, headers, body }: HttpAnswer): Refused {
    const { error } = (jsonOf(body) ?? {}) as { error?: unknown }
    const word = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? ` ${error}` : ''
    const skew = skewSaid(skewOf(headers, this.#options.env.now()))
    if (status === 429 || status >= 500) return new Refused('SOURCE_UNREACHABLE', `token (${status})`)
    return new Refused('SOURCE_UNAUTHORIZED', `token (${status}${word}${skew})`)
  }
}
