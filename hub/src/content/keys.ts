import sodium from 'libsodium-wrappers'
import type { Env } from '@kakehashi/protocol/env'
import type { KeyId } from '@kakehashi/protocol/ids'
import { keyIdOf, sha256 } from '@kakehashi/protocol/signing'

await sodium.ready

/** The vault's store key (a file beside no backup): wraps every content key, seals nothing else. */
export interface StoreKey {
  id: KeyId
  secret: Uint8Array
}

export class ContentUnreadable extends Error {
  override name = 'ContentUnreadable'
}

const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

export function newStoreKey(env: Env): StoreKey {
  return storeKeyFrom(env.random(32))
}

export function storeKeyFrom(secret: Uint8Array): StoreKey {
  if (secret.length !== 32) throw new ContentUnreadable('a store key has 32 bytes')
  return { id: keyIdOf(sha256('kakehashi/store-key\0', secret)), secret }
}

/** XChaCha20-Poly1305: 24 bytes of nonce, then the ciphertext; `about` is bound in and must be given again. */
export function sealUnder(secret: Uint8Array, plain: Uint8Array, about: string, env: Env): Uint8Array {
  const nonce = env.random(NONCE_BYTES)
  const box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, about, null, nonce, secret)
  const sealed = new Uint8Array(NONCE_BYTES + box.length)
  sealed.set(nonce)
  sealed.set(box, NONCE_BYTES)
  return sealed
}

export function openUnder(secret: Uint8Array, sealed: Uint8Array, about: string): Uint8Array {
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      sealed.subarray(NONCE_BYTES),
      about,
      sealed.subarray(0, NONCE_BYTES),
      secret,
    )
  } catch {
    throw new ContentUnreadable('a sealed row does not open: wrong key, or altered')
  }
}
