import { scrypt, timingSafeEqual } from 'node:crypto'
import type { Env, Instant } from '@kakehashi/protocol/env'

export interface StaffMember {
  id: string
  name: string
  /** As `hashPin` wrote it: `scrypt$N$r$p$salt$hash`. */
  pin: string
}

const COST = { N: 32_768, r: 8, p: 1 }
const HASH_BYTES = 32
const SALT_BYTES = 16
const MEMORY_BYTES_MAX = 128 * 1024 * 1024

function derive(pin: string, salt: Uint8Array, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { ...cost, maxmem: MEMORY_BYTES_MAX }
    scrypt(pin.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

/** `cost`: only tests pay less. */
export async function hashPin(pin: string, env: Env, cost = COST): Promise<string> {
  const salt = env.random(SALT_BYTES)
  const hash = await derive(pin, salt, cost)
  return [
    'scrypt',
    cost.N,
    cost.r,
    cost.p,
    Buffer.from(salt).toString('base64'),
    hash.toString('base64'),
  ].join('$')
}

export async function pinMatches(pin: string, stored: string): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = stored.split('$')
  if (kind !== 'scrypt' || !salt || !hash) return false
  const expected = Buffer.from(hash, 'base64')
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  const given = await derive(pin, Buffer.from(salt, 'base64'), cost)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

const FREE_FAILURES = 4
const WAIT_MS_FIRST = 30_000
const WAIT_MS_MAX = 15 * 60_000
const IDS_MAX = 1_000

/** Waiting time that doubles with every failure past the fourth, per staff id. */
export class SignInThrottle {
  readonly #failures = new Map<string, { count: number; until: Instant }>()

  waitMs(id: string, now: Instant): number {
    return Math.max(0, (this.#failures.get(id)?.until ?? 0) - now)
  }

  failed(id: string, now: Instant): void {
    const count = (this.#failures.get(id)?.count ?? 0) + 1
    const over = count - FREE_FAILURES
    const wait = over > 0 ? Math.min(WAIT_MS_FIRST * 2 ** (over - 1), WAIT_MS_MAX) : 0
    if (this.#failures.size >= IDS_MAX) this.#failures.clear()
    this.#failures.set(id, { count, until: now + wait })
  }

  succeeded(id: string): void {
    this.#failures.delete(id)
  }
}
