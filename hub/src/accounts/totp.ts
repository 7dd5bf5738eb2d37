import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Env } from '@kakehashi/protocol/env'

/** RFC 6238 as every authenticator app reads it: SHA-1, six digits, steps of 30 seconds. */
export const STEP_MS = 30_000
const DIGITS = 6
const SECRET_BYTES = 20
/** A phone's clock may be one step off. */
const STEPS_OFF = 1
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const RECOVERY_CODES = 8
const RECOVERY_LETTERS = 24

export function freshSecret(env: Env): string {
  return base32(env.random(SECRET_BYTES))
}

export function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

function fromBase32(text: string): Buffer {
  let bits = ''
  for (const letter of text) bits += BASE32.indexOf(letter).toString(2).padStart(5, '0')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)))
}

export function stepAt(now: number): number {
  return Math.floor(now / STEP_MS)
}

export function codeAt(secret: string, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest()
  const at = (mac.at(-1) ?? 0) & 0xf
  const number = (mac.readUInt32BE(at) & 0x7fffffff) % 10 ** digits
  return String(number).padStart(digits, '0')
}

/** The step whose code this is, later than the last one used: a code is good once. `null`: none. */
export function stepOfCode(secret: string, code: string, now: number, lastStep: number): number | null {
  const said = Buffer.from(code.normalize('NFKC').replaceAll(/\s/g, ''))
  let found: number | null = null
  for (let step = stepAt(now) - STEPS_OFF; step <= stepAt(now) + STEPS_OFF; step++) {
    const right = Buffer.from(codeAt(secret, step))
    if (said.length === right.length && timingSafeEqual(said, right) && step > lastStep) found ??= step
  }
  return found
}

export function enrolmentUri(operator: string, account: string, secret: string): string {
  const label = encodeURIComponent(`${operator}:${account}`)
  const query = `secret=${secret}&issuer=${encodeURIComponent(operator)}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_MS / 1000}`
  return `otpauth://totp/${label}?${query}`
}

/** 118 bits each, so that a fast hash keeps them well enough. */
export function freshRecoveryCodes(env: Env): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    let code = ''
    // Bytes past the last whole multiple are drawn again: every letter is equally likely.
    while (code.length < RECOVERY_LETTERS)
      for (const byte of env.random(RECOVERY_LETTERS))
        if (byte < 256 - (256 % LETTERS.length) && code.length < RECOVERY_LETTERS)
          code += LETTERS[byte % LETTERS.length]
    return (code.match(/.{4}/g) ?? []).join('-')
  })
}

export function recoveryHash(code: string): string {
  const plain = code.normalize('NFKC').toLowerCase().replaceAll(/[\s-]/g, '')
  return createHash('sha256').update('kakehashi/recovery\0').update(plain).digest('hex')
}
