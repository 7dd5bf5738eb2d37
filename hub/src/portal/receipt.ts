import { createHmac } from 'node:crypto'
import type { Env } from '@kakehashi/protocol/env'
import type { PortalStop } from './sealed-request.ts'

const LETTERS = '23456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 10

export function newReceipt(env: Env): string {
  const letters = [...env.random(LENGTH)].map((byte) => LETTERS[byte % LETTERS.length] ?? '2').join('')
  return `${letters.slice(0, 5)}-${letters.slice(5)}`
}

/** As typed by a person: lower case, hyphens, spaces and full width are forgiven. `null`: no receipt number. */
export function readReceipt(typed: string): string | null {
  const text = typed
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s\p{Pd}]/gu, '')
  const whole = text.length === LENGTH && [...text].every((one) => LETTERS.includes(one))
  return whole ? `${text.slice(0, 5)}-${text.slice(5)}` : null
}

/** What somebody gave beside the receipt: of the paper its handle, without it the birth date. */
export type Second = { handle: string } | { birthDate: string }

export function secondOf(said: PortalStop): Second {
  return said.version === 1 ? { handle: said.handle } : { birthDate: said.birthDate }
}

/**
 * Under what the state of a request is kept. Keyed by the receipt number, which is kept nowhere beside it: the row tells
 * nobody whose it is, and neither half finds it alone.
 */
export function stateKey(receipt: string, second: Second): string {
  const [kind, value] = 'handle' in second ? ['handle', second.handle] : ['birth', second.birthDate]
  return createHmac('sha256', receipt).update(`kakehashi/portal-state\0${kind}\0${value}`).digest('hex')
}
