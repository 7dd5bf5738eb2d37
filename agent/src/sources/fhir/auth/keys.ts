import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type JsonWebKey,
  sign,
} from 'node:crypto'
import { Refused } from '@kakehashi/protocol/refusals'
import { z } from 'zod'

export type Algorithm = 'RS384' | 'ES384'

/** A private key as it lies in its file (JWK, RFC 7517), newest first. */
export type ClientKey = JsonWebKey & { kid: string; alg: Algorithm }

/** Two: the hospital's server may still know only the older one while the newer is being made known. */
export const KEYS_MAX = 2

const file = z.object({
  keys: z
    .array(
      z.looseObject({
        kty: z.enum(['RSA', 'EC']),
        kid: z.string(),
        alg: z.enum(['RS384', 'ES384']),
        d: z.string(),
      }),
    )
    .min(1)
    .max(KEYS_MAX),
})

/** Throws {@link Refused} without quoting anything of the file. */
export function readKeys(text: string, place: string): ClientKey[] {
  try {
    const { keys } = file.parse(JSON.parse(text))
    for (const key of keys) createPrivateKey({ key: key as JsonWebKey, format: 'jwk' })
    return keys as ClientKey[]
  } catch {
    throw new Refused('SOURCE_UNAUTHORIZED', `${place}: key file`)
  }
}

/** A new key in front; the last one stays beside it until the next rotation. */
export function rotated(keys: readonly ClientKey[], alg: Algorithm): ClientKey[] {
  return [makeKey(alg), ...keys].slice(0, KEYS_MAX)
}

function makeKey(alg: Algorithm): ClientKey {
  const { privateKey } =
    alg === 'RS384'
      ? generateKeyPairSync('rsa', { modulusLength: 3072 })
      : generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const jwk = privateKey.export({ format: 'jwk' })
  return { ...jwk, alg, kid: thumbprint(jwk) }
}

/** RFC 7638. */
function thumbprint({ kty, crv, e, n, x, y }: JsonWebKey): string {
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y }
  return hash('sha256', JSON.stringify(members), 'base64url')
}

/** What the hospital's server is given: public halves alone. */
export function publicKeys(keys: readonly ClientKey[]): { keys: JsonWebKey[] } {
  return {
    keys: keys.map(({ kid, alg, ...jwk }) => {
      const open = createPublicKey({ key: createPrivateKey({ key: jwk, format: 'jwk' }) as never })
      return { ...open.export({ format: 'jwk' }), kid, alg, use: 'sig', key_ops: ['verify'] }
    }),
  }
}

/** A compact JWS (RFC 7515). */
export function signed(claims: object, { kid, alg, ...jwk }: ClientKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg, kid, typ: 'JWT' })}.${part(claims)}`
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const how = alg === 'ES384' ? { key, dsaEncoding: 'ieee-p1363' as const } : key
  return `${text}.${sign('sha384', Buffer.from(text), how).toString('base64url')}`
}
