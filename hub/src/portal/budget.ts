import { createHmac } from 'node:crypto'
import type { Env } from '@kakehashi/protocol/env'
import { z } from 'zod'
import type { Limits } from './limits.ts'

const HOUR_MS = 60 * 60_000
const ADDRESS = z.union([z.ipv4(), z.ipv6()])

/** The network an address is of: what one household or one bot can change is cut off. */
export function prefixOf(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  if (!plain.includes(':')) return plain.split('.').slice(0, 3).join('.')
  const [head = '', tail] = plain.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const filled = [...before, ...Array(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after]
  return filled
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
}

/**
 * Whose request it is. What a header claims counts only from a proxy that the configuration names, and of a list of
 * claims only the last, which that proxy wrote itself.
 */
export function addressOf(
  peer: string | undefined,
  forwarded: string | undefined,
  proxies: readonly string[],
): string {
  const near = (peer ?? '').replace(/^::ffff:(?=\d+\.)/, '')
  if (!proxies.includes(near)) return near
  const claims = (forwarded ?? '').split(',').map((one) => one.trim())
  const last = claims.findLast((one) => !proxies.includes(one)) ?? ''
  return ADDRESS.safeParse(last).success ? last : near
}

interface Asking {
  at: number
  keys: readonly string[]
}

/**
 * How often one may ask, in the hour before now. Counted in memory under a key of this process: no number and no
 * address is kept, and whether a number is anybody's plays no part.
 */
export class HourBudget {
  readonly #secret: Uint8Array
  readonly #limitsAt: (now: number) => Limits
  #askings: Asking[] = []
  readonly #counts = new Map<string, number>()

  constructor(env: Env, limitsAt: (now: number) => Limits) {
    this.#secret = env.random(32)
    this.#limitsAt = limitsAt
  }

  /** Counts one asking. `false`: too many in the hour before; what is not taken is not counted either. */
  take(asked: { about?: string; address: string }, now: number): boolean {
    this.#forget(now)
    const { about = Infinity, prefix = Infinity, all = Infinity } = this.#limitsAt(now)
    const prefixKey = this.#key('prefix', prefixOf(asked.address))
    const aboutKey = asked.about === undefined ? null : this.#key('about', asked.about)
    const keys = aboutKey === null ? [prefixKey] : [prefixKey, aboutKey]
    if (this.#askings.length >= all || this.#count(prefixKey) >= prefix) return false
    if (aboutKey !== null && this.#count(aboutKey) >= about) return false
    for (const key of keys) this.#counts.set(key, this.#count(key) + 1)
    this.#askings.push({ at: now, keys })
    return true
  }

  #forget(now: number): void {
    const ahead = (this.#askings.at(-1)?.at ?? 0) > now
    const from = ahead ? -1 : this.#askings.findIndex(({ at }) => at > now - HOUR_MS)
    const gone = this.#askings.splice(0, from === -1 ? this.#askings.length : from)
    for (const key of gone.flatMap((one) => one.keys)) {
      const left = this.#count(key) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  #key(kind: string, value: string): string {
    return createHmac('sha256', this.#secret).update(`${kind}\0${value}`).digest('base64')
  }
}
