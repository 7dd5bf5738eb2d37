import type { Env, Instant } from './env.ts'
import { REQUEST_SKEW_MS_MAX } from './limits.ts'
import type { Refusal } from './refusals.ts'
import { fromBase64, sha256Hex, signBytes, toBase64, toHex, verifyBytes, type SigningKey } from './signing.ts'

/** A signed HTTP request: who asks, when, a nonce, and a signature over all of it, the method, path, query and body. */
export interface RequestParts {
  method: string
  /** Path with query, exactly as on the request line. */
  path: string
  body: Uint8Array
}

export const BY = 'kakehashi-by'
export const AT = 'kakehashi-at'
export const NONCE = 'kakehashi-nonce'
export const SIGNATURE = 'kakehashi-signature'

const NONCE_BYTES = 16
const DOMAIN = 'request/1'

/** Headers to add to the request. `by` is an agent id, or `vault`. */
export function signRequest(
  request: RequestParts,
  by: string,
  key: SigningKey,
  env: Env,
): Record<string, string> {
  const at = String(env.now())
  const nonce = toHex(env.random(NONCE_BYTES))
  const signature = signBytes(DOMAIN, signedBytes(request, by, at, nonce), key)
  return { [BY]: by, [AT]: at, [NONCE]: nonce, [SIGNATURE]: toBase64(signature) }
}

/**
 * Who asked, or why the request is refused. Header names are in lower case. The caller must refuse a `(by, nonce)`
 * seen within the last two skews ({@link REQUEST_SKEW_MS_MAX}) where a replay would matter. Never throws.
 */
export function verifyRequest(
  request: RequestParts & { headers: Readonly<Record<string, string | undefined>> },
  keyOf: (by: string) => Uint8Array | null,
  now: Instant,
): { by: string; nonce: string } | Refusal {
  const { [BY]: by, [AT]: at, [NONCE]: nonce, [SIGNATURE]: signature } = request.headers
  if (by === undefined || !/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(by)) return malformed(BY)
  if (at === undefined || !/^\d{1,15}$/.test(at)) return malformed(AT)
  if (nonce === undefined || !/^[0-9a-f]{32}$/.test(nonce)) return malformed(NONCE)
  if (signature === undefined || !/^[A-Za-z0-9+/]{86}==$/.test(signature)) return malformed(SIGNATURE)
  if (!(Math.abs(now - Number(at)) <= REQUEST_SKEW_MS_MAX)) return { code: 'REQUEST_STALE' }
  const key = keyOf(by)
  if (key === null) return { code: 'KEY_UNKNOWN' }
  const bytes = signedBytes(request, by, at, nonce)
  return verifyBytes(DOMAIN, bytes, fromBase64(signature), key)
    ? { by, nonce }
    : { code: 'SIGNATURE_INVALID' }
}

function malformed(place: string): Refusal {
  return { code: 'REQUEST_MALFORMED', place }
}

function signedBytes(request: RequestParts, by: string, at: string, nonce: string): Uint8Array {
  const lines = [request.method.toUpperCase(), request.path, sha256Hex(request.body), by, at, nonce]
  return new TextEncoder().encode(JSON.stringify(lines))
}
