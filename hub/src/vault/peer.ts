import type { Env } from '@kakehashi/protocol/env'
import type { SigningKey } from '@kakehashi/protocol/signing'
import { signRequest } from '@kakehashi/protocol/requests'
import type { Answer, Caller } from '../call.ts'

const NO_BODY = new Uint8Array(0)

export type PeerName = 'gateway' | 'portal'

/** The other side did not answer as agreed; the round ends and the next one tries again. `status` 0: not at all. */
export class PeerFailed extends Error {
  override name = 'PeerFailed'
  readonly peer: PeerName
  readonly status: number
  constructor(peer: PeerName, path: string, status: number) {
    super(`${peer} ${path.split('?')[0] ?? ''} ${status === 0 ? 'does not answer' : `answered ${status}`}`)
    this.peer = peer
    this.status = status
  }
}

/** Calls to gateway or portal, signed by the vault. Always from inside: nothing is ever pushed in. */
export class Peer {
  readonly #name: PeerName
  readonly #caller: Caller
  readonly #key: SigningKey
  readonly #env: Env
  constructor(name: PeerName, caller: Caller, key: SigningKey, env: Env) {
    this.#name = name
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
    await this.#send(path, body)
  }

  async postJson<T>(path: string, body?: unknown): Promise<T> {
    return JSON.parse(new TextDecoder().decode((await this.#send(path, body)).body)) as T
  }

  #send(path: string, body: unknown): Promise<Answer> {
    const bytes = body === undefined ? NO_BODY : new TextEncoder().encode(JSON.stringify(body))
    return this.#ask('POST', path, bytes)
  }

  async #ask(method: string, path: string, body: Uint8Array): Promise<Answer> {
    const signed = signRequest({ method, path, body }, 'vault', this.#key, this.#env)
    const headers = { ...signed, 'content-type': 'application/json' }
    const answer = await this.#caller({ method, path, headers, body }).catch(() => {
      throw new PeerFailed(this.#name, path, 0)
    })
    if (answer.status !== 200) throw new PeerFailed(this.#name, path, answer.status)
    return answer
  }
}
