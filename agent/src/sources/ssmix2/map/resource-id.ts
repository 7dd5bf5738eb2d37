import { hash } from 'node:crypto'

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * JAMI's recipe: the parts joined by dots. Where FHIR forbids the result (over 64 characters, or other letters), the
 * first 52 characters of its SHA-256 in base 32 stand for it.
 */
export function resourceId(...parts: string[]): string {
  const whole = parts.join('.')
  return /^[A-Za-z0-9.-]{1,64}$/.test(whole) ? whole : base32(hash('sha256', parts.join('\0'), 'buffer'))
}

function base32(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31]
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + BASE32[(held << (5 - bits)) & 31]
}
