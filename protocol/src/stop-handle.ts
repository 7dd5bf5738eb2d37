import type { Env } from './env.ts'
import { stopHandle, type StopHandle } from './ids.ts'
import { STOP_TOKEN_BYTES } from './limits.ts'
import { sha256Hex } from './signing.ts'

/** RFC 4648 base32 without the letters people misread (I, L, O, U): Crockford's alphabet. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** 128 random bits as 26 characters, printed on one patient's notice paper. */
export function newStopToken(env: Env): string {
  let bits = 0
  let held = 0
  let text = ''
  for (const byte of env.random(STOP_TOKEN_BYTES)) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      text += ALPHABET[(held >>> (bits - 5)) & 31]
      bits -= 5
      held &= (1 << bits) - 1
    }
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text
}

/** As typed by a person: lower case, hyphens, spaces, full width and O/I/L for 0/1 are forgiven. `null`: no token. */
export function readStopToken(typed: string): string | null {
  const text = typed
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
  return text.length === 26 && [...text].every((c) => ALPHABET.includes(c)) ? text : null
}

/**
 * What the token stands for everywhere but on the paper. One way: whoever holds a handle cannot print the paper,
 * and 128 bits cannot be enumerated.
 */
export function handleOf(token: string): StopHandle {
  return stopHandle(sha256Hex('kakehashi/stop-handle\0', token))
}
