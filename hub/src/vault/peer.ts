import type { Env } from '@kakehashi/protocol/env'
import type { SigningKey } from '@kakehashi/protocol/signing'
import { signRequest } from '@kakehashi/protocol/requests'
import type { Answer, Caller } from '../call.ts'

const NO_BODY = new Uint8Array(0)

/** The other side did not answer as agreed; the round ends and the next one tries again. */
export class PeerFailed extends Error {
  override name = 'PeerFailed'
  readonly status: number
  constructor(path: string, status: number) {
    super(`${path.split('?')[0] ?? ''} answered ${status}`)
    this.status = status
  }
}

/** Calls to gateway or portal, signed by the vault. Always from inside: nothing is ever pushed in. */
export class Peer {
  readonly #caller: Caller
  readonly #key: SigningKey
  readonly #env: Env
  constructor(caller: Caller, key: SigningKey, env: Env) {
    this.#caller = caller
    this.#key = key
    this.#env = env
  }

  async get(path: string): Promise<Answer> {
    return this.#ask('GET', path, NO_BODY)
  }

  async getJson<T>(path: string): Promise<T> {
    return JSON.parse(new TextDecoder().decode((await this.get(path)).body)) as T
  }

  async post(path: string, body?: unknown): Promise<void> {
    await this.#ask(
      'POST',
      path,
      body === undefined ? NO_BODY : new TextEncoder().encode(JSON.stringify(body)),
    )
  }

  async #ask(method: string, path: string, body: Uint8Array): Promise<Answer> {
    const signed = signRequest({ method, path, body }, 'vault', this.#key, this.#env)
    const answer = await this.#caller({
      method,
      path,
      headers: { ...signed, 'content-type': 'application/json' },
      body,
    })
    if (answer.status !== 200) throw new PeerFailed(path, answer.status)
    return answer
  }
}
