import sodium, { type StateAddress } from 'libsodium-wrappers'
import type { Env } from './env.ts'
import { CHUNK_PLAIN_BYTES } from './limits.ts'
import { Refused } from './refusals.ts'

await sodium.ready

/**
 * libsodium secretstream (XChaCha20-Poly1305): a 24-byte header, then chunks of 64 KiB plaintext, each 17 bytes longer
 * sealed, only the last one shorter and tagged FINAL. Every chunk is bound to the associated data and to its place.
 */
export const STREAM_KEY_BYTES = 32
const HEADER_BYTES = 24
const OVERHEAD_BYTES = 17
const CHUNK_SEALED_BYTES = CHUNK_PLAIN_BYTES + OVERHEAD_BYTES
const TAG_MESSAGE = 0
const TAG_FINAL = 3

/** Seals at least one byte. */
export function sealStream(plain: Uint8Array, associated: Uint8Array, key: Uint8Array, env: Env): Uint8Array {
  if (plain.length === 0) throw new RangeError('nothing to seal')
  const chunks = Math.ceil(plain.length / CHUNK_PLAIN_BYTES)
  const sealed = new Uint8Array(HEADER_BYTES + plain.length + chunks * OVERHEAD_BYTES)
  const header = env.random(HEADER_BYTES)
  sealed.set(header)
  withState(header, key, (state) => {
    let at = HEADER_BYTES
    for (let from = 0; from < plain.length; from += CHUNK_PLAIN_BYTES) {
      const chunk = plain.subarray(from, from + CHUNK_PLAIN_BYTES)
      const tag = from + CHUNK_PLAIN_BYTES < plain.length ? TAG_MESSAGE : TAG_FINAL
      const box = sodium.crypto_secretstream_xchacha20poly1305_push(state, chunk, associated, tag)
      sealed.set(box, at)
      at += box.length
    }
  })
  return sealed
}

/** The plaintext, or `Refused` (`ENVELOPE_MALFORMED`) when a byte, an order, a length or the end is not as sealed. */
export function openStream(sealed: Uint8Array, associated: Uint8Array, key: Uint8Array): Uint8Array {
  const body = sealed.length - HEADER_BYTES
  const chunks = Math.ceil(body / CHUNK_SEALED_BYTES)
  const plain = new Uint8Array(Math.max(0, body - chunks * OVERHEAD_BYTES))
  if (plain.length === 0) throw new Refused('ENVELOPE_MALFORMED', 'stream length')
  withState(sealed.subarray(0, HEADER_BYTES), key, (state) => {
    let at = 0
    for (let from = HEADER_BYTES; from < sealed.length; from += CHUNK_SEALED_BYTES) {
      const chunk = sealed.subarray(from, from + CHUNK_SEALED_BYTES)
      const last = from + CHUNK_SEALED_BYTES >= sealed.length
      if (chunk.length <= OVERHEAD_BYTES) throw new Refused('ENVELOPE_MALFORMED', 'chunk length')
      const opened = pull(state, chunk, associated)
      if (opened === null || opened.tag !== (last ? TAG_FINAL : TAG_MESSAGE))
        throw new Refused('ENVELOPE_MALFORMED', 'chunk')
      plain.set(opened.message, at)
      at += opened.message.length
    }
  })
  return plain
}

function pull(
  state: StateAddress,
  chunk: Uint8Array,
  associated: Uint8Array,
): { message: Uint8Array; tag: number } | null {
  const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(state, chunk, associated)
  return opened === false ? null : opened
}

/**
 * Both directions start from the state that `init_pull` derives of header and key: `init_push` derives the same one,
 * but draws the header itself, and randomness must come from `Env`. The binding never frees a state: we do.
 */
function withState(header: Uint8Array, key: Uint8Array, work: (state: StateAddress) => void): void {
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, key)
  try {
    work(state)
  } finally {
    release(state)
  }
}

function release(state: StateAddress): void {
  const { libsodium } = sodium as unknown as { libsodium?: { _free?: (address: unknown) => void } }
  libsodium?._free?.(state)
}
