import { createHmac } from 'node:crypto'
import type { Env } from '@kakehashi/protocol/env'

const HOUR_MS = 60 * 60_000
const PER_NUMBER = 5
const PER_PREFIX = 30
const ALL = 3_000

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
 * How often one may ask without a paper. Counted in memory under a key of this process: no number and no address is
 * kept, and whether a number is anybody's plays no part.
 */
export class NumberBudget {
  readonly #secret: Uint8Array
  #since = 0
  #all = 0
  readonly #counts = new Map<string, number>()

  constructor(env: Env) {
    this.#secret = env.random(32)
  }

  /** Counts one asking. `false`: too many in this hour. */
  take(asked: { facility: string; number: string; address: string }, now: number): boolean {
    if (now - this.#since >= HOUR_MS || now < this.#since) {
      this.#since = now
      this.#all = 0
      this.#counts.clear()
    }
    const number = this.#key('number', `${asked.facility}\0${asked.number}`)
    const prefix = this.#key('prefix', prefixOf(asked.address))
    const [ofNumber, ofPrefix] = [this.#counts.get(number) ?? 0, this.#counts.get(prefix) ?? 0]
    if (this.#all >= ALL || ofNumber >= PER_NUMBER || ofPrefix >= PER_PREFIX) return false
    this.#all += 1
    this.#counts.set(number, ofNumber + 1)
    this.#counts.set(prefix, ofPrefix + 1)
    return true
  }

  #key(kind: string, value: string): string {
    return createHmac('sha256', this.#secret).update(`${kind}\0${value}`).digest('base64')
  }
}
