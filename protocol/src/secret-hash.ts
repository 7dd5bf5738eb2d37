import { scrypt, timingSafeEqual } from 'node:crypto'
import type { Env } from './env.ts'

export interface SecretCost {
  N: number
  r: number
  p: number
}

/** About 32 MiB and a tenth of a second on a small server. */
export const SECRET_COST: SecretCost = { N: 32_768, r: 8, p: 1 }

const HASH_BYTES = 32
const SALT_BYTES = 16
const MEMORY_BYTES_MAX = 128 * 1024 * 1024

function derive(secret: string, salt: Uint8Array, cost: SecretCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret.normalize('NFKC'), salt, HASH_BYTES, { ...cost, maxmem: MEMORY_BYTES_MAX }, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

/** A PIN or passphrase of a member of staff as it is stored: `scrypt$N$r$p$salt$hash`. `cost`: only tests pay less. */
export async function hashSecret(secret: string, env: Env, cost: SecretCost = SECRET_COST): Promise<string> {
  const salt = env.random(SALT_BYTES)
  const hash = await derive(secret, salt, cost)
  return [
    'scrypt',
    cost.N,
    cost.r,
    cost.p,
    Buffer.from(salt).toString('base64'),
    hash.toString('base64'),
  ].join('$')
}

/** Whether `secret` is the one hashed in `stored`; false for anything that is no such hash. */
export async function secretMatches(secret: string, stored: string): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = stored.split('$')
  if (kind !== 'scrypt' || !salt || !hash) return false
  const expected = Buffer.from(hash, 'base64')
  const given = await derive(secret, Buffer.from(salt, 'base64'), {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  })
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Nobody's secret: compared against when the name is unknown, so that an unknown name takes as long as a wrong one. */
export const NOBODYS_SECRET =
  'scrypt$32768$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
