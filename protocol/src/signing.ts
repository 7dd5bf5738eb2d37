import { createHash, hash as hashOnce } from 'node:crypto'
import sodium from 'libsodium-wrappers'
import { canonicalBytes } from './canonical.ts'
import type { Env } from './env.ts'
import { keyId, type KeyId } from './ids.ts'

await sodium.ready

/** Ed25519 key pair: `public` 32 bytes, `secret` 64 bytes (libsodium order). */
export interface SigningKey {
  id: KeyId
  public: Uint8Array
  secret: Uint8Array
}

/** X25519 key pair for sealed boxes: 32 bytes each. */
export interface BoxKey {
  id: KeyId
  public: Uint8Array
  secret: Uint8Array
}

/** What was said, by whom, and the signature over `domain` and the canonical bytes of `body`. Unverified. */
export interface Signed<T> {
  body: T
  key: KeyId
  /** Ed25519 signature, base64. */
  signature: string
}

declare const verified: unique symbol
/** A `Signed<T>` body after its signature was checked. Only {@link open} makes one. */
export type Verified<T> = T & { readonly [verified]: true }

export function sha256(...parts: (Uint8Array | string)[]): Uint8Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return new Uint8Array(hashOnce('sha256', only, 'buffer'))
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function sha256Hex(...parts: (Uint8Array | string)[]): string {
  return toHex(sha256(...parts))
}

export function keyIdOf(publicKey: Uint8Array): KeyId {
  return keyId(sha256Hex(publicKey).slice(0, 16))
}

export function newSigningKey(env: Env): SigningKey {
  const pair = sodium.crypto_sign_seed_keypair(env.random(32))
  return { id: keyIdOf(pair.publicKey), public: pair.publicKey, secret: pair.privateKey }
}

export function newBoxKey(env: Env): BoxKey {
  const pair = sodium.crypto_box_seed_keypair(env.random(32))
  return { id: keyIdOf(pair.publicKey), public: pair.publicKey, secret: pair.privateKey }
}

/** Signs raw bytes under a domain string, so that a signature made for one purpose serves no other. */
export function signBytes(domain: string, bytes: Uint8Array, key: SigningKey): Uint8Array {
  return sodium.crypto_sign_detached(sha256(`kakehashi/${domain}\0`, bytes), key.secret)
}

export function verifyBytes(
  domain: string,
  bytes: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  return sodium.crypto_sign_verify_detached(signature, sha256(`kakehashi/${domain}\0`, bytes), publicKey)
}

export function sign<T>(domain: string, body: T, key: SigningKey): Signed<T> {
  return { body, key: key.id, signature: toBase64(signBytes(domain, canonicalBytes(body), key)) }
}

/** The body, if `publicKey` signed it under `domain`; otherwise `null`. Never throws. */
export function open<T>(domain: string, signed: Signed<T>, publicKey: Uint8Array): Verified<T> | null {
  try {
    const ok = verifyBytes(domain, canonicalBytes(signed.body), fromBase64(signed.signature), publicKey)
    return ok ? (signed.body as Verified<T>) : null
  } catch {
    return null
  }
}

/**
 * Anonymous box to `publicKey` (libsodium sealed box: X25519, XSalsa20-Poly1305). With `env` the ephemeral key comes
 * from it, so that a simulation replays byte for byte; without, from libsodium's own randomness. Same format.
 */
export function sealTo(publicKey: Uint8Array, plain: Uint8Array, env?: Env): Uint8Array {
  if (!env) return sodium.crypto_box_seal(plain, publicKey)
  const once = sodium.crypto_box_seed_keypair(env.random(32))
  const nonce = sodium.crypto_generichash(24, Buffer.concat([once.publicKey, publicKey]), null)
  const box = sodium.crypto_box_easy(plain, nonce, publicKey, once.privateKey)
  return new Uint8Array(Buffer.concat([once.publicKey, box]))
}

/** The plaintext, or `null` when the box is not for this key or was altered. */
export function openSealed(box: Uint8Array, key: BoxKey): Uint8Array | null {
  try {
    return sodium.crypto_box_seal_open(box, key.public, key.secret)
  } catch {
    return null
  }
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
